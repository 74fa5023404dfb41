"""``kill -9`` at random moments: nothing twice, nothing lost, and the same command goes on."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time

import pytest

from app.store import open_store

RUN = """
import pathlib, sys
import app.importing.text as text
from app.importing.running import Import, Wanted
from app.store import open_store
from recommender.data.rating_scale import RatingScale
text.BLOCK_BYTES = 4096
path, mode = pathlib.Path(sys.argv[1]), sys.argv[2]
with open_store(None, path.parent / "var") as store:
    print("go", flush=True)
    work = Import(store, path, path.name, Wanted(mode), RatingScale(), "j")
    print(work.run()["state"], flush=True)
"""
ROWS = 30_000
KILLS = int(os.environ.get("PROJECTIONIST_TEST_IMPORT_KILLS", "5"))


def file_of(tmp_path):
    path = tmp_path / "ratings.csv"
    lines = [f"u{n * 7919 % 997},m{n % 211},{n % 10 / 2 + 0.5},{10**9 + n}" for n in range(ROWS)]
    lines[100::1000] = ["u1,m1,bad,1"] * len(lines[100::1000])
    path.write_text("user,item,rating,timestamp\n" + "\n".join(lines) + "\n")
    return path, sum(line.endswith("bad,1") for line in lines)


def start(path, mode):
    arguments = [sys.executable, "-c", RUN, str(path), mode]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "go\n"
    return process


def state_of(folder):
    with open_store(None, folder, read_only=True) as store:
        return store.job("j"), store.rating_count(), store.version()


@pytest.mark.chaos
def test_an_import_that_skips_goes_on_where_it_was_killed(tmp_path):
    path, n_bad = file_of(tmp_path)
    chance = random.Random(6)
    resumed = 0
    for _ in range(KILLS):
        process = start(path, "skip")
        time.sleep(chance.uniform(0.005, 0.25))
        process.kill()
        process.communicate()
        job, ratings, version = state_of(tmp_path / "var")
        if job is not None and job["state"] == "running":
            stored = job.get("stored") or {"ratings": 0}
            # The position and the rows of its chunk are one transaction.
            assert stored["ratings"] == version
            resumed += bool(ratings)
    process = start(path, "skip")
    assert process.communicate() == ("done\n", None)
    job, ratings, version = state_of(tmp_path / "var")
    expected = tmp_path / "at-once"
    expected.mkdir()
    (expected / path.name).write_bytes(path.read_bytes())
    assert start(expected / path.name, "skip").communicate() == ("done\n", None)
    with (
        open_store(None, tmp_path / "var", read_only=True) as one,
        open_store(None, expected / "var", read_only=True) as other,
    ):
        assert one.snapshot().ratings.equals(other.snapshot().ratings)
        assert one.version() == other.version()
        assert one.job("j")["report"] == other.job("j")["report"]
        assert one.job("j")["stored"]["ratings"] == other.job("j")["stored"]["ratings"]
    assert job["report"]["bad"] == n_bad
    assert resumed or KILLS < 5


@pytest.mark.chaos
def test_an_atomic_import_that_is_killed_has_stored_nothing_or_all(tmp_path):
    path, _ = file_of(tmp_path)
    path.write_text(path.read_text().replace("u1,m1,bad,1\n", ""))
    chance = random.Random(7)
    whole = None
    for _ in range(KILLS):
        process = start(path, "atomic")
        time.sleep(chance.uniform(0.005, 0.4))
        process.kill()
        process.communicate()
        _, ratings, _ = state_of(tmp_path / "var")
        if ratings:
            whole = whole or ratings
            assert ratings == whole
    process = start(path, "atomic")
    assert process.communicate() == ("done\n", None)
    _, ratings, version = state_of(tmp_path / "var")
    assert whole in {None, ratings}
    assert len({tuple(row.split(",")[:2]) for row in path.read_text().split()[1:]}) == ratings
    assert version >= ratings
