"""Which databases are opened, by whom, and what is said of the others."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from app.store import (
    DatabaseNotFound,
    Movie,
    RatingRecord,
    SchemaTooNew,
    SchemaTooOld,
    StoreInUse,
    StoreReadOnly,
    StoreUnavailable,
    UnsupportedDatabase,
    open_store,
)
from app.store.schema import MIGRATIONS, REVISIONS
from app.store.tables import metadata

ROOT = Path(__file__).parents[3]

# ----- URLs -----


def test_without_an_url_it_lies_in_the_data_directory(tmp_path):
    open_store(None, tmp_path / "new" / "var").close()
    assert (tmp_path / "new" / "var" / "projectionist.sqlite").is_file()


def test_paths_in_urls_are_those_of_sqlalchemy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///a b/relative.db", "elsewhere").close()
    open_store(f"sqlite+pysqlite:///{tmp_path}/ünïcode?.db".replace("?", "%3F"), "x").close()
    assert (tmp_path / "a b" / "relative.db").is_file()
    assert not (tmp_path / "elsewhere").exists()


def test_odd_paths_are_read_back(tmp_path):
    for name in ("50% off?.db", "a#b.db", "a b.db"):
        (tmp_path / name).mkdir()
        with open_store(None, tmp_path / name) as store:
            store.put_movie(Movie("1", name)).result()
            assert store.movie("1").title == name


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+asyncpg://me:secret@host/db", "through psycopg"),
        ("postgresql+psycopg2://me:secret@host/db", "through psycopg"),
        ("postgres:me:secret@host", "through psycopg"),
        ("postgresql://me:secret@host:port/db", "cannot be understood"),
        ("postgresql://me:secret%zz@host/db", "cannot be understood"),
        ("postgresql://me:secret@host/db?unknown=1", "cannot be understood"),
        ("mysql://me:secret@host/db", "SQLite or PostgreSQL"),
        ("sqlite+aiosqlite:///x.db", "stores in SQLite or PostgreSQL"),
        ("me:secret@nonsense", "cannot be understood"),
        ("sqlite://", "outlive the process"),
        ("sqlite:///:memory:", "outlive the process"),
        ("sqlite:///file:x.db", "outlive the process"),
        ("sqlite:///x.db?mode=ro", "a path and nothing else"),
        ("sqlite://secret/x.db", "a path and nothing else"),
    ],
)
def test_an_url_that_is_none_of_ours_is_refused_without_its_secrets(tmp_path, url, said):
    with pytest.raises(UnsupportedDatabase, match=said) as caught:
        open_store(url, tmp_path)
    assert "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_who_has_not_installed_what_postgresql_needs_is_told_how(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("app.store.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UnsupportedDatabase, match=r"pip install 'projectionist\[postgres\]'"):
        open_store("postgresql://me:secret@host/db", tmp_path)


def test_several_server_processes_are_refused(tmp_path):
    with pytest.raises(UnsupportedDatabase, match="one server process"):
        open_store(None, tmp_path, exclusive=False)


# ----- files -----


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "projectionist.sqlite"
    path.write_bytes(b"user,item,rating\n" * 1000)
    for read_only in (False, True):
        with pytest.raises(UnsupportedDatabase, match="not a SQLite database"):
            open_store(None, tmp_path, read_only=read_only)
    assert path.read_bytes() == b"user,item,rating\n" * 1000


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "projectionist.sqlite"
    _execute(path, "CREATE TABLE recipes (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(UnsupportedDatabase, match="recipes"):
        open_store(None, tmp_path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_schema_is_refused_and_left_alone(tmp_path, read_only):
    open_store(None, tmp_path).close()
    path = tmp_path / "projectionist.sqlite"
    _execute(path, "UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(SchemaTooNew, match="'9999'"):
        open_store(None, tmp_path, read_only=read_only)
    assert path.read_bytes() == before
    # The refusal holds on to nothing.
    _execute(path, f"UPDATE alembic_version SET version_num = '{REVISIONS[-1]}'")
    open_store(None, tmp_path).close()


def test_a_directory_that_is_none_is_unavailable(tmp_path):
    (tmp_path / "var").write_text("a file")
    with pytest.raises(StoreUnavailable):
        open_store(None, tmp_path / "var")


# ----- the schema -----


def test_the_migrations_lead_to_the_tables(tmp_path):
    open_store(None, tmp_path).close()
    direct = create_engine(f"sqlite:///{tmp_path}/direct.sqlite")
    metadata.create_all(direct)
    direct.dispose()
    migrated = _schema(tmp_path / "projectionist.sqlite")
    assert migrated.pop("alembic_version")
    assert migrated == _schema(tmp_path / "direct.sqlite")


def test_the_known_revisions_are_those_of_the_migrations():
    scripts = ScriptDirectory(str(MIGRATIONS))
    found = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_a_migration_that_fails_half_way_leaves_nothing(tmp_path):
    # A table of that name stands in the way of the third step; the first two are taken back.
    path = tmp_path / "projectionist.sqlite"
    _execute(path, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    _execute(path, "CREATE TABLE progress (x)")
    with pytest.raises(StoreUnavailable, match="progress already exists"):
        open_store(None, tmp_path)
    assert set(_schema(path)) == {"alembic_version", "progress"}
    _execute(path, "DROP TABLE progress")
    with open_store(None, tmp_path) as store:
        store.ping()


# ----- one process writes -----

HOLDER = """
import sys
from app.store import Movie, open_store
with open_store(None, sys.argv[1]) as store:
    store.put_movie(Movie("1", "One")).result()
    store.put_rating("u", "1", 3, 0).result()
    print("open", flush=True)
    for line in sys.stdin:
        store.put_rating(line.strip(), "1", 3, 0).result()
        print("stored", flush=True)
"""


@pytest.fixture
def holder(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_until_the_first_ends(tmp_path, holder):
    with pytest.raises(StoreInUse, match="through its HTTP API") as caught:
        open_store(None, tmp_path)
    assert f"pid {holder.pid} since 2" in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    holder.kill()
    holder.wait()
    with open_store(None, tmp_path) as store:  # nothing stuck, although it was killed
        assert store.rating_count() == 1


def test_a_second_opening_in_the_same_process_is_refused_too(tmp_path):
    with open_store(None, tmp_path), pytest.raises(StoreInUse):
        open_store(None, tmp_path)
    open_store(None, tmp_path).close()


def test_another_name_of_the_same_file_is_the_same_file(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    with open_store(None, tmp_path), pytest.raises(StoreInUse):
        open_store(None, tmp_path / "link")


def test_of_many_that_open_at_once_one_gets_it(tmp_path):
    opened, refused, begin = [], [], threading.Barrier(8)

    def race():
        begin.wait()
        try:
            opened.append(open_store(None, tmp_path))
        except StoreInUse as error:
            refused.append(error)

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(opened), len(refused)) == (1, 7)
    opened[0].put_movie(Movie("1", "One")).result()
    opened[0].close()


# ----- reading beside it -----


def test_a_reader_sees_what_the_server_writes_and_writes_nothing(tmp_path, holder):
    path = tmp_path / "projectionist.sqlite"
    with open_store(None, tmp_path, read_only=True) as reader:
        assert reader.snapshot().watermark == 1
        holder.stdin.write("v\n")
        assert holder.stdout.readline() == "stored\n"
        assert reader.changes_since(1, 9) == [RatingRecord("v", "1", 3.0, 0, 2)]
        assert reader.snapshot().watermark == 2
        with pytest.raises(StoreReadOnly):
            reader.put_movie(Movie("2", "Two")).result()
        assert "reading only" in reader.writer_state().problem
        before = path.read_bytes()
        holder.kill()
        holder.wait()
    # It was the last to close, and yet did not move the WAL into the database.
    assert path.read_bytes() == before
    with open_store(None, tmp_path) as store:
        assert store.rating_count() == 2


def test_a_reader_needs_no_server(tmp_path):
    with open_store(None, tmp_path) as store:
        store.put_movie(Movie("1", "One")).result()
    with open_store(None, tmp_path, read_only=True) as reader:
        assert reader.movie("1") == Movie("1", "One")
    open_store(None, tmp_path).close()


def test_a_reader_of_nothing_is_told_so_and_makes_nothing(tmp_path):
    with pytest.raises(DatabaseNotFound, match="import"):
        open_store(None, tmp_path, read_only=True)
    assert list(tmp_path.iterdir()) == []
    _execute(tmp_path / "projectionist.sqlite", "PRAGMA user_version = 1")
    with pytest.raises(SchemaTooOld, match="Start the server once"):
        open_store(None, tmp_path, read_only=True)


def test_reading_goes_on_under_a_foreign_lock(tmp_path):
    with open_store(None, tmp_path, busy_timeout=0.2) as store:
        store.put_movie(Movie("1", "One")).result()
        foreign = sqlite3.connect(tmp_path / "projectionist.sqlite", isolation_level=None)
        foreign.execute("BEGIN IMMEDIATE")
        refused = store.put_rating("u", "1", 3, 0)
        assert store.movie("1") == Movie("1", "One")
        with pytest.raises(StoreUnavailable):
            refused.result(10)
        assert "lock" in store.writer_state().problem
        store.ping()
        foreign.execute("ROLLBACK")
        foreign.close()
        assert store.put_rating("u", "1", 3, 0).result(10).version == 1


def _execute(path, sql):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(sql)
    connection.close()


def _schema(path):
    connection = sqlite3.connect(path)
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    ).fetchall()
    connection.close()
    return {name: " ".join(sql.split()) for name, sql in found}
