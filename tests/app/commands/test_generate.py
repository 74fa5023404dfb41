"""`projectionist generate` as a process: what it writes, what it refuses, what it leaves behind."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from app.store import open_store
from recommender.data.synthetic import Shape, planted_ratings

ROOT = Path(__file__).resolve().parents[3]
SMALL = ("--users", "60", "--items", "40", "--ratings", "1500")
# In two blocks: about a second of drawing.
LARGE = ("--like", "ml-1m", "--items", "3000", "--ratings", "1500000")


@pytest.fixture
def start(tmp_path):
    """Start the command in an empty folder."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PROJECTIONIST_")}
    # Our own code, wherever the folder is.
    environment["PYTHONPATH"] = str(ROOT)

    def starting(*arguments, **options):
        return subprocess.Popen(
            [sys.executable, "-m", "app.cli", *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    return starting


@pytest.fixture
def refused(shell):
    """Run the command in an empty folder; it must refuse in one line, which is returned."""

    def run(*arguments):
        status, out, err = shell("generate", *arguments)
        assert (status, out, err.count("\n")) == (1, "", 1)
        return err

    return run


def test_from_a_world_to_the_store(start, tmp_path):
    process = start("generate", "--output", "world.csv", *SMALL, "--seed", "7", "--json")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    told = json.loads(out)
    assert told.pop("seconds") > 0
    assert told == {
        "path": "world.csv", "bytes": (tmp_path / "world.csv").stat().st_size, "users": 60,
        "items": 40, "ratings": 1500, "timestamps": True, "seed": 7,
    }  # fmt: skip
    assert "generating ratings: 1,500 of 1,500" in err
    assert [path.name for path in tmp_path.iterdir()] == ["world.csv"]
    frame = pl.read_csv(tmp_path / "world.csv")
    planted = planted_ratings(Shape(60, 40, 1500), 7, timestamps=True).to_frame()
    assert frame.rows() == planted.rows()

    process = start("import", "world.csv", "--data-dir", "var", "--json")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    with open_store(None, tmp_path / "var", read_only=True) as store:
        counts = store.counts()
    assert (counts.users, counts.movies, counts.ratings) == (60, 40, 1500)


def test_a_known_size_with_other_counts_as_parquet(start, tmp_path):
    (tmp_path / "world.parquet").write_bytes(b"old")
    process = start(
        "generate", "--output", "world.parquet", *LARGE, "--no-timestamps", "--force"
    )  # fmt: skip
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.startswith("world.parquet: 1,500,000 simulated ratings of 6,040 users and 3,000 it")
    frame = pl.read_parquet(tmp_path / "world.parquet")
    assert dict(frame.schema) == {"user": pl.Int32, "item": pl.Int32, "rating": pl.Float32}
    assert frame.select("user", "item").n_unique() == len(frame) == 1_500_000
    assert frame["user"].is_sorted()
    assert (frame["user"].n_unique(), frame["item"].n_unique()) == (6_040, 3_000)
    assert [path.name for path in tmp_path.iterdir()] == ["world.parquet"]


class TestNothingIsLeftBehind:
    @pytest.mark.parametrize("name", ["w.csv", "w.parquet"])
    def test_by_a_disk_that_takes_no_more(self, start, tmp_path, name):
        def small_disk():
            resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))
            # Else the kernel ends the process; a full disk does not.
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

        process = start("generate", "--output", name, *SMALL, preexec_fn=small_disk)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (1, "")
        assert err.endswith(f"projectionist: {name}: File too large; nothing was written\n")
        assert not list(tmp_path.iterdir())

    def test_by_whoever_stops_it(self, start, tmp_path):
        process = start("generate", "--output", "w.parquet", *LARGE)
        while "generating ratings: 0" not in process.stderr.readline():
            assert process.poll() is None
        process.terminate()
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (128 + signal.SIGTERM, "")
        assert "Traceback" not in err
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--like", "ml-2m"], "no shape 'ml-2m'; known are: ml-100k, ml-latest-small, ml-1m"),
        ([], "say how large: --like"),
        (["--users", "5", "--items", "5"], "say how large: --like"),
        (["--like", "ml-1m", "--ratings", "6039"], "6,040 users with at least one rating each"),
        (["--like", "ml-100k", "--users", "50"], "50 users by 1,682 items are 84,100 pairs"),
        (["--like", "ml-1m", "--items", "0"], "1 or more items; found 0"),
        (["--like", "ml-1m", "--ratings", "9" * 30], "pairs, too few for 999,999"),
        (["--users", "3000000000", "--items", "9", "--ratings", "4000000000"], "at most 2,147,483"),
        ([*SMALL, "--seed", "-1"], "seed must be"),
        ([*SMALL, "--output", "world.xlsx"], "world.xlsx: ratings are written to .csv, .csv.gz or"),
        ([*SMALL, "--output", "no/world.csv"], "no/world.csv: its folder does not exist"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(refused, tmp_path, arguments, said):
    assert said in refused("--output", "world.csv", *arguments)
    assert not list(tmp_path.iterdir())


def test_somebodys_file_is_kept(refused, tmp_path):
    (tmp_path / "world.csv").write_text("mine")
    assert "world.csv: it exists" in refused("--output", "world.csv", *SMALL)
    assert (tmp_path / "world.csv").read_text() == "mine"


def test_too_large_a_world_for_the_memory(start, tmp_path):
    def little_memory():
        resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))

    process = start(
        "generate", "--output", "w.csv", "--users", "2000000000", "--items", "9", "--ratings",
        "2000000000", preexec_fn=little_memory,
    )  # fmt: skip
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "not enough memory to plant 2,000,000,000 users" in err
    assert not list(tmp_path.iterdir())
