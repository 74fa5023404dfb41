"""One database with one movie, writers on it, and a way to hold a writer up."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from app.store import Movie, open_store
from app.store.connections import connect_writer
from app.store.writer import Writer
from tests.postgres import postgres, postgres_url

__all__ = ["postgres", "postgres_url"]


@pytest.fixture
def database(tmp_path):
    """A database of ours with one movie, closed."""
    with open_store(None, tmp_path) as store:
        store.put_movie(Movie("1", "One")).result()
    return tmp_path / "projectionist.sqlite"


@pytest.fixture
def make_writer(database):
    writers = []

    def make(prepare=lambda connection: None, **options):
        def connect():
            connection = connect_writer(database, busy_timeout=0.3)
            prepare(connection)
            return connection

        writers.append(Writer(database, connect, **options))
        return writers[-1]

    yield make
    for writer in writers:
        writer.close()


@pytest.fixture
def rows(database):
    """Return a function that reads the ratings as any other program would."""
    return lambda: _rows(database)


def _rows(database):
    with sqlite3.connect(database) as connection:
        found = connection.execute(
            "SELECT user_id, rating FROM ratings ORDER BY version"
        ).fetchall()
    connection.close()
    return found


@pytest.fixture
def make_gate():
    return Gate


class Gate:
    """An operation that holds the writer until it is told to go on."""

    def __init__(self):
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self, transaction):
        self.reached.set()
        assert self.go_on.wait(10)
        return transaction.version
