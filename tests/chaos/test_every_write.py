"""Killed at every single change of the disk: before or after, never between.

The same operation runs again and again on the same files, and is killed at its first change, its
second, and so on, until one run comes to its end.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from itertools import count

import pytest

from app.store import open_store
from recommender.generations import current_number, generation_path, load_generation
from tests.chaos import forge
from tests.conftest import ROOT

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace"),
]


class Forge:
    """The program that runs operations and kills them."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.forge"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, name, folder, when):
        line = json.dumps({"name": name, "folder": str(folder), "when": when})
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer
        return answer["killed"], answer["said"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def forged():
    program = Forge()
    yield program
    program.close()


@pytest.fixture
def moments(forged, tmp_path):
    """Return a function that kills an operation at many moments; yields what each left behind."""

    def killed_at(name, before):
        def once(when):
            folder = tmp_path / "once"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(before, folder)
            return (*forged.run(name, folder, when), folder)

        for when in count(1):
            killed, said, folder = once(when)
            yield said, folder
            if not killed:
                break
        assert when > 10  # else it has changed nothing, or not where it was watched

    return killed_at


def test_rating(moments, tmp_path):
    forge.fill(tmp_path / "before")
    states = []
    for number in range(len(forge.RATINGS) + 1):
        states.append({row[:2]: row[2] for row in forge.RATINGS[:number]})
    seen = set()
    for said, folder in moments("rate", tmp_path / "before"):
        with open_store(None, folder) as store:
            rows = store.snapshot().ratings.rows()
            found = states.index({row[:2]: row[2] for row in rows})
            assert store.version() == found
            store.put_rating("after", "1", 3.0, 9).result()
        acknowledged = sum(line.startswith("done") for line in said)
        sent = sum(line.startswith("sent") for line in said)
        assert acknowledged <= found <= sent
        assert whole(folder)
        seen.add(found)
    assert {0, len(forge.RATINGS)} <= seen


def test_import(moments, tmp_path):
    forge.fill(tmp_path / "before")
    for said, folder in moments("import", tmp_path / "before"):
        with open_store(None, folder) as store:
            counts = store.counts()
            assert counts.ratings in (0, forge.IMPORTED)
            assert (counts.users, counts.movies) == ((25, 20) if counts.ratings else (0, 2))
            if "done" in said:
                assert counts.ratings
        assert whole(folder)


def test_migration_of_nothing(moments, tmp_path):
    (tmp_path / "before").mkdir()
    for _, folder in moments("migrate", tmp_path / "before"):
        with open_store(None, folder) as store:
            assert store.counts().movies == 0
        assert whole(folder)


def test_publication(moments, data_dir):
    for said, folder in moments("publish", data_dir):
        models = folder / "models"
        number = current_number(models)
        assert number in (1, 2)
        if "done 2" in said:
            assert number == 2
        assert load_generation(generation_path(models, number)).number == number


def whole(folder):
    connection = sqlite3.connect(f"file:{folder / 'projectionist.sqlite'}?mode=ro", uri=True)
    (answer,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    return answer == "ok"
