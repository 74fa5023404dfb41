"""A backup is of one moment and whole, or it is not there; what is not whole is not restored."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import app.store.whole
from app.backup import BackupError, BackupManifest, restore, verify, write_backup
from app.cli import main
from app.store import Movie, StoreNotEmpty, User, open_store
from recommender.generations import generation_path
from tests.contracts.store_whole_contract import everything, fill

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 24, tzinfo=UTC)
CYCLES = int(os.environ.get("PROJECTIONIST_TEST_BACKUPS", "3"))
KILLS = int(os.environ.get("PROJECTIONIST_TEST_BACKUP_KILLS", "4"))
SEED = 20261124


@pytest.fixture
def backup(tmp_path):
    """A folder with a backup of a bit of everything."""
    with open_store(None, tmp_path / "source") as store:
        fill(store)
        store.erase_user("w").result()
        write_backup(store, tmp_path / "backup", NOW)
    return tmp_path / "backup"


def stored(data_dir):
    with open_store(None, data_dir, read_only=True) as store:
        return everything(store)


# ----- round trips -----

_IDS = st.sampled_from(["1", "2", "10", "é", "a b", "x\\y"])
_STEPS = st.one_of(
    st.tuples(st.just("rate"), _IDS, _IDS, st.sampled_from([0.5, 3.7, 1e-7, 5.0])),
    st.tuples(st.just("unrate"), _IDS, _IDS),
    st.tuples(st.just("movie"), _IDS, st.text("aé😀\t\n\"'\\", min_size=1, max_size=5)),
    st.tuples(st.just("no movie"), _IDS),
    st.tuples(st.just("user"), _IDS, st.text("a\\\t\"'", max_size=3)),
    st.tuples(st.just("erase"), _IDS),
    st.tuples(st.just("fact"), st.sampled_from(["notice", "other"])),
    st.tuples(st.just("job"), _IDS),
)


def take(store, step):
    kind, *rest = step
    match kind:
        case "rate":
            future = store.put_rating(rest[0], rest[1], rest[2], 7)
        case "unrate":
            future = store.delete_rating(*rest)
        case "movie":
            future = store.put_movie(Movie(rest[0], rest[1], None, (rest[1],)))
        case "no movie":
            future = store.delete_movie(rest[0])
        case "user":
            future = store.put_user(User(rest[0], {"said": rest[1]}))
        case "erase":
            future = store.erase_user(rest[0])
        case "fact":
            future = store.set_fact(rest[0], "so")
        case "job":
            future = store.put_job(rest[0], {"errors": [rest[0]]})
    future.exception()  # a movie that is not there is no matter here


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(_STEPS, max_size=25), rows=st.integers(1, 5))
def test_every_history_comes_back_as_it_was(tmp_path_factory, steps, rows):
    place = tmp_path_factory.mktemp("history")
    with pytest.MonkeyPatch.context() as patch, open_store(None, place / "one") as store:
        patch.setattr(app.store.whole, "ROWS_AT_ONCE", rows)  # many files
        for step in steps:
            take(store, step)
        write_backup(store, place / "backup", NOW)
        with open_store(None, place / "two") as other:
            restore(other, place / "backup", place / "models")
            assert everything(other) == everything(store)


def test_postgres_and_back(backup, postgres_url, tmp_path):
    with open_store(postgres_url, "unused") as store:
        report = restore(store, backup, tmp_path / "models")
        assert everything(store) == stored(tmp_path / "source")
        assert report.counts["users"] == 4
        write_backup(store, tmp_path / "again", NOW)
    with open_store(None, tmp_path / "two") as store:
        restore(store, tmp_path / "again", tmp_path / "models")
        assert everything(store) == stored(tmp_path / "source")


# ----- beside writers -----


def write_all_the_time(store, stop, acknowledged):
    at = 0
    while not stop.is_set():
        waiting = [(f"u{(at + i) % 97}", str(i % 20), at + i) for i in range(50)]
        futures = [store.put_rating(user, movie, 3.0, when) for user, movie, when in waiting]
        for (user, movie, when), future in zip(waiting, futures, strict=True):
            acknowledged[user, movie] = (future.result().version, when)
        at += 50


@pytest.mark.chaos
@pytest.mark.parametrize("source", ["sqlite", "postgres"])
def test_a_backup_beside_writers_is_a_prefix_with_all_that_was_acknowledged(
    tmp_path, postgres, source
):
    """Restored on the other back-end."""

    def new(kind, name):
        if kind == "sqlite":
            return open_store(None, tmp_path / name)
        url = postgres.socket_url(postgres.new_database())
        return open_store(url, "unused")

    target = "postgres" if source == "sqlite" else "sqlite"
    stop, acknowledged = threading.Event(), {}
    rng = random.Random(SEED)
    with new(source, "source") as store:
        for movie in range(20):
            store.put_movie(Movie(str(movie), f"Movie {movie}")).result()
        writer = threading.Thread(target=write_all_the_time, args=(store, stop, acknowledged))
        writer.start()
        try:
            for cycle in range(CYCLES):
                time.sleep(rng.uniform(0.02, 0.2))
                before = dict(acknowledged)
                manifest = write_backup(store, tmp_path / f"backup{cycle}", NOW)
                assert manifest.version >= max((v for v, _ in before.values()), default=0)
                with new(target, f"target{cycle}") as other:
                    restore(other, tmp_path / f"backup{cycle}", tmp_path / "models")
                    changes = other.changes_since(0, 10**6)
                    found = {(c.user_id, c.movie_id): c.version for c in changes}
                    assert other.version() == manifest.version
                    assert other.rating_count() == len(found) == other.snapshot().ratings.height
                for key, (version, _) in before.items():
                    assert found[key] >= version
                # A prefix: what stands at a version that the backup has not reached is not in it,
                # and what stood at its version still does if nothing came after.
                for change in store.changes_since(0, 10**6):
                    if change.version <= manifest.version:
                        assert found[change.user_id, change.movie_id] == change.version
                shutil.rmtree(tmp_path / f"backup{cycle}")
        finally:
            stop.set()
            writer.join()
    assert len(acknowledged) > 100


# ----- killed -----

BACKUP = """
import sys
from datetime import datetime, UTC
from pathlib import Path
import app.store.whole
from app.backup import write_backup
from app.store import open_store

app.store.whole.ROWS_AT_ONCE = 20
store = open_store(None, sys.argv[1], read_only=True)
print("begun", flush=True)
tell = lambda rows: print(rows, flush=True)
write_backup(store, Path(sys.argv[2]), datetime.now(UTC), progress=tell)
"""


@pytest.mark.chaos
def test_a_killed_backup_is_not_there_and_leaves_nothing_behind(tmp_path):
    with open_store(None, tmp_path / "source") as store:
        store.put_movie(Movie("1", "One")).result()
        for future in [store.put_rating(f"u{i}", "1", 3.0, 1) for i in range(1000)]:
            future.result()
    rng = random.Random(SEED)
    out = tmp_path / "out" / "backup"
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", BACKUP, str(tmp_path / "source"), str(out)],
            cwd=ROOT, stdout=subprocess.PIPE,
        )  # fmt: skip
        for _ in range(rng.randrange(1, 90)):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if out.exists():  # it was quicker
            verify(out)
            shutil.rmtree(out)
    with open_store(None, tmp_path / "source", read_only=True) as store:
        write_backup(store, out, NOW)
    verify(out)
    assert [path.name for path in out.parent.iterdir()] == ["backup"]


def test_a_backup_that_fails_leaves_nothing_behind(tmp_path):
    with open_store(None, tmp_path / "source") as store:
        fill(store)

        def stop(rows):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_backup(store, tmp_path / "out" / "backup", NOW, progress=stop)
        assert list((tmp_path / "out").iterdir()) == []
        store.put_user(User("u2")).result()  # and the reader has let go


def test_a_backup_takes_the_place_of_nothing(backup, tmp_path):
    with open_store(None, tmp_path / "source") as store:
        before = (backup / "manifest.json").read_bytes()
        for name in ("backup", "file", "link"):
            if name == "file":
                (tmp_path / name).touch()
            if name == "link":
                (tmp_path / name).symlink_to(tmp_path / "nowhere")
            with pytest.raises(BackupError, match="is there already"):
                write_backup(store, tmp_path / name, NOW)
        assert (backup / "manifest.json").read_bytes() == before


# ----- what is not whole -----


def rewritten(backup, **changes):
    """Write a manifest that is right by its own checksum, and wrong otherwise."""
    from app.backup.manifest import _checksum, _encode

    path = backup / "manifest.json"
    document = json.loads(path.read_bytes())
    document.pop("checksum")
    document.update(changes)
    path.write_bytes(_encode({**document, "checksum": _checksum(document)}))


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at % len(content)] ^= 0x10
    path.write_bytes(content)


def files_of(backup):
    return json.loads((backup / "manifest.json").read_bytes())["files"]


DAMAGES = {
    "a flipped byte of ratings": (lambda b: flip(b / "ratings-00001.parquet", 100), "SHA-256"),
    "a flipped byte of facts": (lambda b: flip(b / "facts-00001.parquet", -1), "SHA-256"),
    "a flipped byte of the manifest": (lambda b: flip(b / "manifest.json", 25), "manifest"),
    "an edited manifest": (
        lambda b: (b / "manifest.json").write_text(
            (b / "manifest.json").read_text().replace("2026-11-24", "2026-11-25")
        ),
        "was altered",
    ),
    "a shorter file": (
        lambda b: (b / "users-00001.parquet").write_bytes(
            (b / "users-00001.parquet").read_bytes()[:-1]
        ),
        "size",
    ),
    "a file less": (lambda b: (b / "jobs-00001.parquet").unlink(), "cannot be read"),
    "a file named less": (
        lambda b: rewritten(b, files=[f for f in files_of(b) if f["table"] != "jobs"]),
        "does not hold the rows",
    ),
    "no manifest": (lambda b: (b / "manifest.json").unlink(), "is no backup"),
    "a manifest of something else": (
        lambda b: (b / "manifest.json").write_text('{"a": 1}'),
        "is not the manifest",
    ),
    "a manifest that is no JSON": (
        lambda b: (b / "manifest.json").write_text("[" * 100_000),
        "is not the manifest",
    ),
    "a newer revision": (lambda b: rewritten(b, revision="9999"), "newer than this one"),
    "a newer format": (lambda b: rewritten(b, format=2), "newer than this one"),
    "a file outside": (
        lambda b: rewritten(b, files=[{**files_of(b)[0], "name": "../source.parquet"}]),
        "names a file that no backup has",
    ),
    "a table of another": (
        lambda b: rewritten(
            b,
            files=[
                {**f, "table": "users", "name": f["name"]} if f["table"] == "movies" else f
                for f in files_of(b)
            ],
        ),
        "names a file that no backup has",
    ),
    "a huge file": (
        lambda b: rewritten(b, files=[{**files_of(b)[0], "bytes": 2**40}]),
        "names a file that no backup has",
    ),
    "no Parquet": (
        lambda b: replaced(b, "users-00001.parquet", b"PAR1 and nothing else PAR1"),
        "no Parquet file",
    ),
    "other columns": (
        lambda b: replaced(b, "users-00001.parquet", (b / "movies-00001.parquet").read_bytes()),
        "does not hold rows of the table",
    ),
}


def replaced(backup, name, content):
    import hashlib

    (backup / name).write_bytes(content)
    new = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    rewritten(backup, files=[{**f, **new} if f["name"] == name else f for f in files_of(backup)])


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_backup_that_is_not_whole_changes_nothing(backup, tmp_path, damage):
    harm, says = DAMAGES[damage]
    verify(backup)
    harm(backup)
    with open_store(None, tmp_path / "target") as store:
        fill(store, "other")
        before = everything(store)
        with pytest.raises(BackupError, match=says):
            restore(store, backup, tmp_path / "models", force=True)
        assert everything(store) == before


def test_a_file_that_is_altered_after_the_check_stores_nothing(backup, tmp_path, monkeypatch):
    import app.backup.restoring

    checked = verify(backup)
    monkeypatch.setattr(app.backup.restoring, "verify", lambda folder: checked)
    flip(backup / "ratings-00001.parquet", 50)
    with open_store(None, tmp_path / "target") as store:
        before = everything(store)
        with pytest.raises(BackupError, match="SHA-256"):
            restore(store, backup, tmp_path / "models")
        assert everything(store) == before


def test_a_store_that_is_not_empty_is_kept_without_force(backup, tmp_path):
    with open_store(None, tmp_path / "target") as store:
        store.put_user(User("somebody")).result()
        with pytest.raises(StoreNotEmpty, match="--force"):
            restore(store, backup, tmp_path / "models")
        restore(store, backup, tmp_path / "models", force=True)
        assert everything(store) == stored(tmp_path / "source")


# ----- models -----


def test_a_model_goes_along_and_serves(data_dir, tmp_path, start):
    with open_store(None, data_dir, read_only=True) as store:
        write_backup(store, tmp_path / "backup", NOW, models=data_dir / "models")
    other = tmp_path / "other"
    with open_store(None, other) as store:
        assert restore(store, tmp_path / "backup", other / "models").generation == 1
        # Once more changes nothing.
        again = restore(store, tmp_path / "backup", other / "models", force=True)
        assert again.generation == 1
    here, there = start(), start(data_dir=other)
    for user in ("u01", "u02"):
        address = f"/v1/users/{user}/recommendations"
        assert here.get(address).json() == there.get(address).json()
    assert there.rooms.current.serving.fresh.watermark == 360  # it fits


def test_another_model_of_that_number_stays(data_dir, tmp_path, retrain):
    with open_store(None, data_dir, read_only=True) as store:
        write_backup(store, tmp_path / "backup", NOW, models=data_dir / "models")
    path = generation_path(data_dir / "models", 1) / "manifest.json"
    changed = path.read_text().replace("2026-11-23T10", "2026-11-23T11")
    path.write_text(changed)
    with open_store(None, data_dir) as store:
        report = restore(store, tmp_path / "backup", data_dir / "models", force=True)
    assert report.generation is None
    assert path.read_text() == changed


def test_a_damaged_model_is_not_restored(data_dir, tmp_path):
    with open_store(None, data_dir, read_only=True) as store:
        write_backup(store, tmp_path / "backup", NOW, models=data_dir / "models")
    flip(tmp_path / "backup" / "model" / "ranking.user_factors.npy", -1)
    with pytest.raises(BackupError, match="user_factors"):
        verify(tmp_path / "backup")


def test_without_a_model_there_is_none(tmp_path):
    with open_store(None, tmp_path / "source") as store:
        manifest = write_backup(store, tmp_path / "backup", NOW, models=tmp_path / "models")
    assert manifest.generation is None
    assert BackupManifest.read(tmp_path / "backup") == manifest


# ----- the commands -----


@pytest.fixture
def shell(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["projectionist", *map(str, arguments)])
        try:
            main()
            status = 0
        except SystemExit as stopped:
            status = stopped.code or 0
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_the_commands(shell, tmp_path):
    with open_store(None, "var") as store:  # a server would hold it, too
        fill(store)
        status, out, _ = shell("backup", "saved", "--json")
        assert status == 0
        assert json.loads(out)["counts"]["movies"] == 2
        status, _, err = shell("restore", "saved", "--force")
        assert status == 1
        assert "stop it" in err
        told = everything(store)
    assert oct(Path("saved").stat().st_mode)[-3:] == "700"
    assert shell("restore", "saved", "--check")[0] == 0
    status, _, err = shell("restore", "saved")
    assert status == 1
    assert "--force" in err
    with open_store(None, "var") as store:
        store.erase_user("v").result()
    status, out, _ = shell("restore", "saved", "--force")
    assert status == 0
    assert "Left out again: 1 who were erased since." in out
    status, out, _ = shell("restore", "saved", "--data-dir", "new", "--json")
    assert json.loads(out)["erased_again"] == 0
    assert stored("new") == told


def test_no_database_is_made_for_a_backup_that_is_none(shell, tmp_path):
    (tmp_path / "empty").mkdir()
    status, _, err = shell("restore", "empty")
    assert status == 1
    assert "is no backup" in err
    assert not Path("var").exists()
    status, _, err = shell("backup", "saved")
    assert status == 1
    assert "no database" in err
    assert not Path("saved").exists()
