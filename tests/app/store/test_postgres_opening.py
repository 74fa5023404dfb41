"""Which PostgreSQL databases are opened, what is said of the others, and several at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import create_engine

from app.store import (
    DatabaseNotFound,
    InvalidRecord,
    Movie,
    SchemaTooNew,
    StoreReadOnly,
    StoreUnavailable,
    UnsupportedDatabase,
    open_store,
)
from app.store.postgres.operations import OnSheet
from app.store.schema import REVISIONS
from app.store.tables import metadata
from tests.postgres import PASSWORD, wait_until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def empty(postgres):
    """The name of a database without tables."""
    return postgres.new_database()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("tester:", "nobody:"), "look at the user and the password"),
        ((quote(PASSWORD, safe=""), "wr0ng-secret"), "look at the user and the password"),
        (("/postgres", "/nowhere"), "no database of that name"),
    ],
)
def test_a_server_that_does_not_let_us_in(postgres, change, said):
    url = postgres.url().replace(*change)
    for read_only in (False, True):
        with pytest.raises(StoreUnavailable, match=said) as caught:
            open_store(url, "unused", read_only=read_only)
        assert "secret" not in str(caught.value)
        assert "s3cret" not in str(caught.value)


def test_of_two_hosts_the_one_that_answers_is_taken(postgres, empty):
    url = postgres.url(empty).replace("@127.0.0.1:", "@127.0.0.1:1,127.0.0.1:")
    with open_store(url, "unused") as store:
        assert store.put_movie(Movie("1", "One")).result() is True


def test_a_server_that_is_not_there(postgres):
    with pytest.raises(StoreUnavailable, match="refused") as caught:
        open_store(postgres.url().replace(f":{postgres.port}/", ":1/"), "unused")
    assert "s3cret" not in str(caught.value)


def test_each_spelling_of_the_scheme_is_understood(postgres, empty):
    for scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        with open_store(f"{scheme}{postgres.url(empty)[10:]}", "unused", exclusive=False) as store:
            store.ping()


def test_a_database_of_something_else_is_refused_and_left_alone(postgres, empty):
    postgres.execute("CREATE TABLE recipes (name TEXT)", empty)
    with pytest.raises(UnsupportedDatabase, match="recipes"):
        open_store(postgres.url(empty), "unused")
    assert _tables(postgres, empty) == {"recipes"}


def test_a_database_that_cannot_keep_every_title_is_refused(postgres):
    postgres.execute("CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(UnsupportedDatabase, match="LATIN1"):
        open_store(postgres.url("narrow"), "unused")


def test_the_language_of_the_database_does_not_change_the_order(postgres):
    """In English "a" comes before "B", and "é" before "f"; here code points count."""
    postgres.execute(
        "CREATE DATABASE english LOCALE_PROVIDER icu ICU_LOCALE 'en' TEMPLATE template0"
    )
    ids = sorted(["a", "B", "Z", "é", "f", "-", "~"])
    with open_store(postgres.url("english"), "unused") as store:
        for each in ids:
            store.put_movie(Movie(each, each)).result()
            store.put_rating(each, "-", 3, 0).result()
        assert [movie.movie_id for movie in store.all_movies()] == ids
        assert [user.user_id for user in store.users("B", 9)] == ids[ids.index("B") + 1 :]
        assert store.snapshot().ratings["user"].to_list() == ids


def test_a_newer_schema_is_refused(postgres, empty):
    open_store(postgres.url(empty), "unused").close()
    postgres.execute("UPDATE alembic_version SET version_num = '9999'", empty)
    for read_only in (False, True):
        with pytest.raises(SchemaTooNew, match="'9999'"):
            open_store(postgres.url(empty), "unused", read_only=read_only)


def test_a_reader_of_nothing_is_told_so_and_one_of_something_writes_nothing(postgres, empty):
    with pytest.raises(DatabaseNotFound, match="import"):
        open_store(postgres.url(empty), "unused", read_only=True)
    assert _tables(postgres, empty) == set()
    with (
        open_store(postgres.url(empty), "unused") as store,
        open_store(postgres.url(empty), "unused", read_only=True) as reader,
    ):
        store.put_movie(Movie("1", "One")).result()
        assert reader.movie("1") == Movie("1", "One")
        with pytest.raises(StoreReadOnly):
            reader.put_movie(Movie("2", "Two")).result()
        with pytest.raises(StoreUnavailable, match="takes no writes"), reader.reading() as c:
            c.exec_driver_sql("DELETE FROM movies")
        assert reader.counts().movies == 1


def test_a_migration_that_fails_half_way_leaves_nothing(postgres, empty):
    postgres.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)", empty)
    postgres.execute("CREATE TABLE progress (x int)", empty)
    with pytest.raises(StoreUnavailable, match="progress"):
        open_store(postgres.url(empty), "unused")
    assert _tables(postgres, empty) == {"alembic_version", "progress"}
    postgres.execute("DROP TABLE progress", empty)
    open_store(postgres.url(empty), "unused").close()


OPEN = """
import sys
from app.store import open_store
sys.stdin.readline()
with open_store(sys.argv[1], "unused") as store:
    print(store.version())
"""


def test_of_four_processes_that_start_at_once_one_migrates(postgres, empty):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, postgres.url(empty)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60) for process in processes]
    assert answers == [("0\n", "")] * 4
    rows = postgres.execute("SELECT version_num FROM alembic_version", empty)
    assert rows == [(REVISIONS[-1],)]


def test_the_migrations_lead_to_the_tables(postgres, empty):
    open_store(postgres.url(empty), "unused").close()
    direct = postgres.new_database()
    engine = create_engine(postgres.url(direct).replace("postgresql:", "postgresql+psycopg:"))
    metadata.create_all(engine)
    engine.dispose()
    migrated = _schema(postgres, empty)
    assert migrated == _schema(postgres, direct)
    assert any("COLLATE" in row[1] or row[-1] == "C" for row in migrated)


# ----- several processes on one database -----


@pytest.fixture
def two(postgres_url):
    with open_store(postgres_url, "a") as one, open_store(postgres_url, "b") as other:
        one.put_movie(Movie("1", "One")).result()
        yield one, other


def test_versions_of_two_writers_follow_their_commits(two):
    """Whoever has seen a version never misses a smaller one."""
    done, missed = threading.Event(), []

    def follow():
        seen = 0
        while not done.is_set() or seen < two[0].version():
            page = two[1].changes_since(seen, 1000)
            if [c.version for c in page] != list(range(seen + 1, seen + 1 + len(page))):
                missed.append((seen, [c.version for c in page]))
            seen += len(page)

    follower = threading.Thread(target=follow)
    follower.start()

    def rate(thread):
        for i in range(40):
            two[thread % 2].put_rating(f"{thread}-{i}", "1", 3, 0).result()

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(rate, range(16)))
    done.set()
    follower.join()
    assert missed == []
    assert two[0].version() == two[0].rating_count() == 16 * 40


def test_one_process_hears_of_the_commits_of_another_and_not_of_its_own(two):
    one, other = two
    heard = {"one": [], "other": []}
    one.on_change(heard["one"].append)
    stop = other.on_change(heard["other"].append)
    assert wait_until(lambda: heard["one"] and heard["other"])  # it listens, and may have missed
    for each in heard.values():
        each.clear()
    one.put_rating("u", "1", 3, 0).result()
    assert wait_until(lambda: heard["other"] == [False], 5)
    one.put_movie(Movie("2", "Two")).result()
    assert wait_until(lambda: heard["other"] == [False, True], 5)
    one.put_rating("u", "1", 3, 0).result()  # no change
    stop()
    one.put_rating("u", "2", 3, 0).result()
    assert not wait_until(lambda: len(heard["other"]) > 2, 0.3)
    assert heard["one"] == []


def test_a_listener_comes_back_after_its_connection_broke(postgres, two):
    one, other = two
    heard = []
    other.on_change(heard.append)
    assert wait_until(lambda: heard)
    heard.clear()
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
    )
    assert wait_until(lambda: heard == [True], 5)
    one.put_rating("u", "1", 3, 0).result()
    assert wait_until(lambda: heard == [True, False], 5)


# ----- what the tables refuse -----


def test_an_operation_that_the_tables_refuse_fails_alone(two):
    bad = OnSheet(
        lambda wanted: wanted.ratings.add(("bad", "1")),
        lambda sheet: sheet.put_rating("bad", "1", 1e9, 0),
    )
    writer = two[0]._writer
    futures = [two[0].put_rating("u", "1", 3, 0), writer.submit(bad)]
    futures.append(two[0].put_rating("v", "1", 3, 0))
    assert futures[0].result().version == 1
    with pytest.raises(InvalidRecord, match="constraint"):
        futures[1].result()
    assert futures[2].result().version == 2
    assert two[1].rating_count() == 2


def _tables(postgres, database):
    found = postgres.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database
    )
    return {name for (name,) in found}


def _schema(postgres, database):
    """Return columns, constraints and indexes; not those of Alembic."""
    columns = postgres.execute(
        "SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name "
        "FROM information_schema.columns WHERE table_schema = 'public'",
        database,
    )
    constraints = postgres.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace",
        database,
    )
    indexes = postgres.execute(
        "SELECT tablename, indexdef, '' FROM pg_indexes WHERE schemaname = 'public'", database
    )
    rows = [*columns, *constraints, *indexes]
    return sorted(tuple(map(str, row)) for row in rows if row[0] != "alembic_version")
