"""`projectionist run` as a process: what it fills, and how it stops at any moment."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.store import Movie, open_store
from app.trainer.lock import TrainingLock
from recommender.generations import generation_numbers

ROOT = Path(__file__).resolve().parents[3]


@contextlib.contextmanager
def run_until(data_dir, said, *options):
    """Start it, wait until it says something, hand over the process and all it said."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PROJECTIONIST_")}
    log = data_dir.parent / "run.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "app.cli",
                "run",
                "--data-dir",
                data_dir,
                "--port",
                "0",
                *options,
            ],
            cwd=ROOT,
            env=environment,
            stderr=stream,
        )
    try:
        for _ in range(1200):
            if said in log.read_text():
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        assert said in log.read_text()
        yield process, log.read_text()
    finally:
        process.kill()
        process.wait()


def test_stopped_while_it_trains_it_leaves_no_training_behind(tmp_path):
    data_dir = tmp_path / "var"
    with run_until(data_dir, "training on the past") as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM
    with TrainingLock.take(data_dir / "models"):  # nobody holds the lock
        assert generation_numbers(data_dir / "models") == []
    with run_until(data_dir, "Projectionist is running") as (process, text):
        assert "importing" not in text  # the ratings were kept
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_the_demo_is_not_poured_into_somebodys_own_catalogue(tmp_path):
    data_dir = tmp_path / "var"
    with open_store(None, data_dir) as store:
        store.put_movie(Movie("1", "My Own Film", 2020)).result()
    with run_until(data_dir, "Projectionist is running") as (process, text):
        assert "No ratings are stored yet" in text
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    with open_store(None, data_dir) as store:
        assert (store.counts().movies, store.counts().ratings) == (1, 0)
        assert store.movie("1").title == "My Own Film"


@pytest.mark.parametrize("place", ["a file", "a loop"])
def test_a_data_directory_that_is_none_is_told_in_one_line(tmp_path, place):
    data_dir = tmp_path / "var"
    if place == "a file":
        data_dir.write_text("")
    else:
        data_dir.symlink_to(data_dir)
    finished = subprocess.run(
        [sys.executable, "-m", "app.cli", "run", "--data-dir", data_dir],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert finished.stderr.startswith("projectionist: ")
    assert "Traceback" not in finished.stderr
