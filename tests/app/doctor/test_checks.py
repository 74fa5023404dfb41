"""Each check over a world that was made wrong on purpose, and over one that is well."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from app.doctor import CHECKS, database, examine, machine
from app.settings import Settings
from app.store import Movie, open_store
from recommender.data.dataset import read_dataset
from recommender.generations import generation_path, publish
from tests.app.conftest import train

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class World:
    """A data directory, and what is asked of the doctor."""

    data_dir: Path
    now: float = field(default_factory=time.time)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def file(self):
        return self.data_dir / "projectionist.sqlite"

    @property
    def models(self):
        return self.data_dir / "models"

    def examine(self):
        settings = Settings.load(**{"data_dir": self.data_dir, **self.settings})
        return examine(settings, self.now)

    def write(self, *statements):
        """Change the database past all checks of the store."""
        with sqlite3.connect(self.file) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    def rate(self, rows):
        """Store (user, movie, rating, time); movies that are not there are made."""
        frame = pl.DataFrame(rows, ["user", "item", "rating", "timestamp"], orient="row")
        with open_store(None, self.data_dir) as store:
            store.import_dataset(frame)

    def put(self, *movies):
        with open_store(None, self.data_dir) as store:
            for movie in movies:
                store.put_movie(movie)


@pytest.fixture
def planted(data_dir, monkeypatch):
    """The planted world of all tests of the service, with the times of its ratings spread."""
    world = World(data_dir)
    world.write("UPDATE ratings SET rated_at = rated_at + version")
    world.file.chmod(0o600)
    return world


def manifest_of(world, number, **changes):
    path = generation_path(world.models, number) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def no_database(world, monkeypatch):
    world.file.unlink()


def no_sqlite(world, monkeypatch):
    world.file.write_text("this is no database" * 100)


def torn(world, monkeypatch):
    pages = world.file.read_bytes()
    size = int.from_bytes(pages[16:18])
    # The roots of some tables and indexes: not the first page, so that it still opens.
    world.file.write_bytes(pages[: 4 * size] + b"\x0d" + b"\xff" * (size - 1) + pages[5 * size :])


def large_log(world, monkeypatch):
    monkeypatch.setattr(database, "LARGE_LOG", 1)
    store = open_store(None, world.data_dir)
    monkeypatch.setattr(world, "kept_open", store, raising=False)
    store.put_rating("u01", "m02", 4.0, 1_600_000_000).result()


def two_writers(world, monkeypatch):
    monkeypatch.setattr(database, "SAFE_SQLITE", (99,))
    code = (
        f"import sys; f = open({str(world.file)!r}, 'r+b'); print(1, flush=True); sys.stdin.read()"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for each in both:
        each.stdout.readline()
    monkeypatch.setattr(world, "processes", both, raising=False)


def anybody_writes(world, monkeypatch):
    world.file.chmod(0o666)


def anybody_reads(world, monkeypatch):
    world.file.chmod(0o644)
    world.data_dir.chmod(0o755)


def nearly_full(world, monkeypatch):
    usage = shutil.disk_usage(world.data_dir)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=500 * 2**20))


def full(world, monkeypatch):
    usage = shutil.disk_usage(world.data_dir)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2**20))


def clock_behind(world, monkeypatch):
    world.now -= 7200


def no_models(world, monkeypatch):
    shutil.rmtree(world.models)


def pointer_to_nothing(world, monkeypatch):
    (world.models / "CURRENT").write_text("77\n")


def pointer_of_garbage(world, monkeypatch):
    (world.models / "CURRENT").write_text("the newest, please")


def old_model(world, monkeypatch):
    manifest_of(world, 1, trained_at="2026-11-01T10:00:00Z")
    world.now = 1_793_527_200 + 8 * 86_400  # 2026-11-01 and eight days
    world.rate([("u01", "m02", 4.0, 1_600_000_999)])


def many_newer(world, monkeypatch):
    world.rate([(f"u{i:02}", "m23", 2.5, 1_600_001_000 + i) for i in range(40)])
    world.rate([(f"u{i:02}", "m22", 2.5, 1_600_001_000 + i) for i in range(40)])
    world.rate([(f"u{i:02}", "m21", 2.5, 1_600_001_000 + i) for i in range(40)])


def older_database(world, monkeypatch):
    world.write("UPDATE progress SET version = 3")


def damaged_current(world, monkeypatch):
    path = generation_path(world.models, 1) / "ranking.user_factors.npy"
    array = bytearray(path.read_bytes())
    array[-1] ^= 1
    path.write_bytes(array)


def damaged_other(world, monkeypatch):
    train(world.data_dir)
    damaged_current(world, monkeypatch)


def refused_candidate(world, monkeypatch):
    number = train(world.data_dir)
    publish(world.models, 1)
    manifest_of(world, number, state="refused", reason="worse than popularity")


def nothing_available(world, monkeypatch):
    world.write("UPDATE movies SET available = 0")


def no_catalogue(world, monkeypatch):
    world.write("DELETE FROM movies")


def cold_catalogue(world, monkeypatch):
    world.put(*(Movie(f"new {i}", f"New {i}", 2020, ("Art",)) for i in range(30)))


def bare_catalogue(world, monkeypatch):
    world.write("UPDATE movies SET genres = '[]', year = NULL")


def movie_ids_differ(world, monkeypatch):
    world.put(Movie("7", "Seven", 1995), Movie("007", "Seven", 1995), Movie("7.0", "Seven", 1995))
    world.put(Movie("M01", "Film", 1995))


def user_ids_differ(world, monkeypatch):
    world.rate([("U01", "m02", 4.0, 1_600_000_777)])


def no_movie_file(world, monkeypatch):
    world.write("UPDATE movies SET title = movie_id")


def no_ratings(world, monkeypatch):
    world.write("DELETE FROM ratings", "UPDATE progress SET n_ratings = 0")


def few_ratings(world, monkeypatch):
    pass  # the planted world has 360


def all_equal(world, monkeypatch):
    world.write("UPDATE ratings SET rating = 5.0")


def outside_the_scale(world, monkeypatch):
    world.settings["rating_maximum"] = 4.0


def likes_for_stars(world, monkeypatch):
    world.write("UPDATE ratings SET rating = 1.0 WHERE rating = 5.0")
    world.write("UPDATE ratings SET rating = 0.5 WHERE version % 3 = 0")


def one_user(world, monkeypatch):
    world.rate([("machine", f"x{i}", 4.0, 1_600_002_000 + i) for i in range(200)])


def one_movie(world, monkeypatch):
    world.rate([(f"v{i}", "unknown", 4.0, 1_600_002_000 + i) for i in range(200)])


def all_seen(world, monkeypatch):
    world.write("UPDATE movies SET available = (movie_id < 'm12')")


def some_finished(world, monkeypatch):
    world.rate([("u01", f"m{i:02}", 3.0, 1_600_002_000 + i) for i in range(24)])


def tomorrow(world, monkeypatch):
    later = int(world.now) + 86_400
    world.write(f"UPDATE ratings SET rated_at = {later} WHERE version % 10 = 0")


def milliseconds(world, monkeypatch):
    world.write("UPDATE ratings SET rated_at = rated_at * 1000")


def no_times(world, monkeypatch):
    world.write("UPDATE ratings SET rated_at = 1600000000")


PLANTED = [
    ("database", "error", no_database, "no database"),
    ("database", "error", no_sqlite, "not a SQLite database"),
    ("integrity", "error", torn, "damaged"),
    ("log-size", "warning", large_log, "MiB"),
    ("writers", "error", two_writers, "2 processes"),
    ("permissions", "error", anybody_writes, "666"),
    ("permissions", "note", anybody_reads, "644"),
    ("disk", "warning", nearly_full, "500 MiB"),
    ("disk", "error", full, "1 MiB"),
    ("clock", "warning", clock_behind, "seconds from now"),
    ("model", "error", no_models, "no model"),
    ("model", "error", pointer_to_nothing, "generation 77"),
    ("model", "error", pointer_of_garbage, "must hold the number"),
    ("freshness", "warning", old_model, "8.0 days old, and 1 change"),
    ("freshness", "warning", many_newer, "120 changes"),
    ("freshness", "warning", older_database, "version 360, the database stands at 3"),
    ("generations", "error", damaged_current, "Generation 1 cannot be used"),
    ("generations", "warning", damaged_other, "Generation 1 cannot be used"),
    ("refused", "warning", refused_candidate, "worse than popularity"),
    ("availability", "error", no_catalogue, "empty"),
    ("availability", "error", nothing_available, "None of 24 movies"),
    ("cold-catalogue", "warning", cold_catalogue, "30 (55.6 %) have no rating"),
    ("attributes", "warning", bare_catalogue, "24 of 24"),
    ("matching-ids", "warning", movie_ids_differ, "'007', '7', '7.0'"),
    ("matching-ids", "warning", user_ids_differ, "'U01', 'u01'"),
    ("matching-ids", "warning", no_movie_file, "24 of 24 movies"),
    ("amount", "error", no_ratings, "no ratings"),
    ("amount", "warning", few_ratings, "360 ratings by 40 users"),
    ("variety", "warning", all_equal, "are 5"),
    ("scale", "warning", outside_the_scale, "280 of 360 ratings (77.8 %)"),
    ("scale", "warning", likes_for_stars, "No rating is above 1"),
    ("shares", "warning", one_user, "'machine' has 200 of 560"),
    ("shares", "warning", one_movie, "'unknown' has 200 of 560"),
    ("everything-seen", "warning", all_seen, "of 12 available movies left"),
    ("everything-seen", "note", some_finished, "1 of 40 users"),
    ("future-ratings", "warning", tomorrow, "36 of 360 ratings (10 %)"),
    ("future-ratings", "warning", milliseconds, "milliseconds"),
    ("times", "note", no_times, "one and the same time"),
]


@pytest.mark.parametrize(("check", "level", "plant", "says"), PLANTED, ids=lambda x: str(x)[:20])
def test_what_is_wrong_is_named(planted, monkeypatch, check, level, plant, says):
    before = [one for one in planted.examine() if one.check == check]
    if plant is not few_ratings:
        assert [one.level for one in before if says in one.found and one.level == level] == []
    plant(planted, monkeypatch)
    try:
        found = [one for one in planted.examine() if one.check == check]
    finally:
        if hasattr(planted, "kept_open"):
            planted.kept_open.close()
        for process in getattr(planted, "processes", ()):
            process.communicate()
    named = [one for one in found if one.level == level and says in one.found]
    assert named, found
    assert all(one.why and one.do for one in named)


def test_every_check_has_a_planted_case():
    # What cannot be written to needs another user: below.
    assert {check for check, *_ in PLANTED} | {"models-directory"} == {one.name for one in CHECKS}


@pytest.fixture
def somebody_else(planted):
    """A data directory that another user can read and not change; acts as that user."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    planted.data_dir = Path(shutil.copytree(planted.data_dir, place / "var"))
    root = os.geteuid() == 0
    if root:
        os.seteuid(65_534)
    else:
        for path in (planted.data_dir, planted.models):
            path.chmod(0o555)
    yield planted
    if root:
        os.seteuid(0)
    for path in (planted.data_dir, planted.models):
        path.chmod(0o755)
    shutil.rmtree(place)


@pytest.mark.parametrize("check", ["models-directory", "permissions"])
def test_what_cannot_be_written_to_is_named(somebody_else, check):
    (found,) = [one for one in somebody_else.examine() if one.check == check]
    assert found.level == "error"
    assert "cannot be written to by this user" in found.found


def test_the_demo_is_well(tmp_path):
    """No warning, with what is in the box; and nothing was changed by looking."""
    world = World(tmp_path / "var")
    demo = read_dataset(ROOT / "data" / "demo")
    with open_store(None, world.data_dir) as store:
        store.import_dataset(demo.ratings, demo.movies, demo.users)
    train(world.data_dir)
    manifest_of(world, 1, trained_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    before = times_of(world)
    findings = world.examine()
    assert {one.level for one in findings} <= {"ok", "note"}, findings
    assert {one.check for one in findings} == {one.name for one in CHECKS}
    assert times_of(world) == before


def times_of(world):
    """Return when each file was changed; SQLite makes a -shm for readers."""
    paths = [
        path
        for path in world.data_dir.rglob("*.*")
        if path.suffix not in {".sqlite-shm", ".sqlite-wal"}
    ]
    return {path: path.stat().st_mtime_ns for path in paths}


def test_it_works_beside_a_server(planted):
    with open_store(None, planted.data_dir) as store:
        found = planted.examine()
        assert not [one for one in found if one.level == "error"]
        store.put_rating("u01", "m02", 4.0, 1).result()


def test_a_process_that_only_reads_is_no_writer(tmp_path):
    path = tmp_path / "file"
    path.write_text("x")
    with path.open():
        assert database.writing_processes(path) == []
    with path.open("a"):
        assert database.writing_processes(path) == [os.getpid()]


def test_free_space_is_that_of_the_nearest_folder_that_is_there(tmp_path):
    free, where = machine._free(tmp_path / "not" / "there")
    assert where == tmp_path
    assert free > 0


@pytest.fixture
def on_postgres(planted, postgres_url):
    """The planted world in PostgreSQL, with its model."""
    with open_store(None, planted.data_dir) as store, open_store(postgres_url, "unused") as other:
        other.restore(store.dump()).result()
    planted.settings["database_url"] = postgres_url
    planted.file.unlink()
    return planted


def test_what_is_of_a_file_is_not_asked_of_a_server(on_postgres):
    findings = on_postgres.examine()
    assert {one.level for one in findings} <= {"ok", "warning"}
    of_files = {"integrity", "log-size", "writers", "permissions"}
    assert {one.check for one in findings} == {one.name for one in CHECKS} - of_files
    assert [one.check for one in findings if one.level == "warning"] == ["amount"]


def test_the_clock_of_a_server_is_compared(on_postgres):
    on_postgres.now -= 3600
    (found,) = [one for one in on_postgres.examine() if one.check == "clock"]
    assert found.level == "warning"
    assert "clock of the database" in found.found


def test_a_server_that_is_not_there_is_named(planted):
    planted.settings["database_url"] = "postgresql://nobody:secret@127.0.0.1:1/none"
    (found,) = [one for one in planted.examine() if one.check == "database"]
    assert found.level == "error"
    assert "secret" not in str(planted.examine())
