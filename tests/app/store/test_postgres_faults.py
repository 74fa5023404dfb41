"""What the store does when its PostgreSQL server is stopped, stuck, full or held up."""

from __future__ import annotations

import os
import signal
import threading
import time

import psycopg
import pytest

from app.store import Movie, StoreUnavailable, open_store
from tests.postgres import Server, wait_until

PROMISED = 2.0
"""Seconds within which a write is answered, whatever has become of the server."""
SLACK = 1.0  # for a busy machine: the tests run beside others


@pytest.fixture
def store(postgres_url):
    with open_store(postgres_url, "unused") as store:
        store.put_movie(Movie("1", "One")).result()
        yield store


@pytest.fixture
def admin(postgres_url):
    """A connection of somebody else to the same database."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


def _others(admin):
    """Return the back-ends of the store under test."""
    found = admin.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    return [pid for (pid,) in found]


def _take_all(server):
    """Open connections until the server takes no more."""
    taken = []
    while True:
        try:
            taken.append(psycopg.connect(server.url("other")))
        except psycopg.OperationalError:
            return taken


def _fails_in_time(future):
    began = time.monotonic()
    error = future.exception(30)
    assert type(error) is StoreUnavailable
    assert time.monotonic() - began < PROMISED + SLACK
    return str(error)


class Writers:
    """Threads that rate without a pause, and know what was acknowledged."""

    def __init__(self, store, threads=8):
        self.store = store
        self.sent, self.acknowledged, self.wrong, self.slowest = set(), {}, [], 0.0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._rate, args=(i,)) for i in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _rate(self, thread):
        i = 0
        while not self._stop.is_set():
            i += 1
            row = (f"{thread}-{i}", 1 + i % 9 / 2)
            self.sent.add(row)
            began = time.monotonic()
            try:
                record = self.store.put_rating(row[0], "1", row[1], i).result(60)
                self.acknowledged[row] = record.version
            except StoreUnavailable:
                time.sleep(0.01)
            except Exception as error:
                self.wrong.append(error)
            self.slowest = max(self.slowest, time.monotonic() - began)


def _stored(store):
    changes, version = {}, 0
    while page := store.changes_since(version, 5000):
        changes |= {(c.user_id, c.rating): c.version for c in page}
        version = page[-1].version
    return changes


def _check_promise(store, writers):
    stored = _stored(store)
    assert writers.wrong == []
    assert writers.acknowledged.items() <= stored.items()
    assert set(stored) <= writers.sent
    assert sorted(stored.values()) == list(range(1, len(stored) + 1))
    assert store.version() == store.rating_count() == len(stored)


@pytest.mark.chaos
def test_what_was_acknowledged_survives_an_immediate_stop_of_the_server():
    cycles = int(os.environ.get("PROJECTIONIST_TEST_STOPS", "2"))
    with Server(fsync=True) as server, open_store(server.url(), "unused") as store:
        store.put_movie(Movie("1", "One")).result()
        with Writers(store) as writers:
            for _ in range(cycles):
                before = len(writers.acknowledged)
                assert wait_until(lambda before=before: len(writers.acknowledged) > before + 100)
                server.stop("immediate")
                said = _fails_in_time(store.put_rating("while it is gone", "1", 3, 0))
                assert "secret" not in said
                with pytest.raises(StoreUnavailable):
                    store.ping()
                assert store.writer_state().problem is not None
                server.start()
                # Nobody restarts anything: it heals by itself.
                assert wait_until(lambda: store.writer_state().problem is None, 10)
        assert writers.slowest < PROMISED + SLACK
        _check_promise(store, writers)


def test_killed_back_ends_lose_nothing_and_idle_ones_are_not_even_noticed(store, admin):
    with Writers(store) as writers:
        for _ in range(15):
            time.sleep(0.05)
            for pid in _others(admin):
                admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
    _check_promise(store, writers)
    assert writers.acknowledged
    for _ in range(3):
        store.ping()
        for pid in _others(admin):
            admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
        assert store.movie("1").title == "One"
        version = store.version()
        for pid in _others(admin):
            admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
        assert store.put_rating("idle", "1", 1, version).result(10).version == version + 1


def test_a_lock_that_somebody_holds_is_waited_for_then_told_and_reading_goes_on(store, admin):
    admin.execute("BEGIN")
    admin.execute("SELECT * FROM progress FOR UPDATE")
    assert "another connection holds its lock" in _fails_in_time(store.put_rating("u", "1", 3, 0))
    assert "lock" in store.writer_state().problem
    assert store.movie("1").title == "One"
    assert store.version() == 0
    waiting = store.put_rating("v", "1", 3, 0)
    admin.execute("ROLLBACK")
    if waiting.exception(10):  # the lock was let go too late for it
        waiting = store.put_rating("v", "1", 3, 0)
    assert waiting.result(10).version == 1
    assert store.writer_state().problem is None


def test_a_server_that_falls_silent_is_given_up(store, admin):
    """Stopped processes answer nothing, while the kernel still confirms what it receives."""
    store.ping()
    stopped = _others(admin)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        _fails_in_time(store.put_rating("u", "1", 3, 0))
        # A new connection has taken its place.
        assert wait_until(lambda: store.put_rating("v", "1", 3, 0).exception(10) is None)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert store.put_rating("w", "1", 3, 0).result(10).version == store.version()
    assert store.rating_count() == store.snapshot().ratings.height


def test_a_server_without_room_for_more_connections():
    with Server(max_connections=10) as server:
        server.execute("CREATE DATABASE other")
        with open_store(server.url(), "unused") as store:
            store.put_movie(Movie("1", "One")).result()
            store.ping()
            with psycopg.connect(server.url(), autocommit=True) as admin:
                writer = [
                    pid
                    for (pid,) in admin.execute(
                        "SELECT pid FROM pg_stat_activity WHERE query = 'COMMIT'"
                    )
                ]
                assert len(writer) == 1
                taken = _take_all(server)
                admin.execute("SELECT pg_terminate_backend(%s)", (writer[0],))
                time.sleep(0.2)
                taken.append(psycopg.connect(server.url("other")))  # before the writer is back
                assert "no more connections" in _fails_in_time(store.put_rating("u", "1", 3, 0))
                assert store.movie("1").title == "One"
                with pytest.raises(StoreUnavailable, match="no more connections"):
                    open_store(server.url(), "unused")
                for connection in taken:
                    connection.close()
                assert wait_until(lambda: store.put_rating("u", "1", 3, 0).exception(10) is None)
                assert store.writer_state().problem is None
