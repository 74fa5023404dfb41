"""The benchmark from its command line to its page: whoever is installed takes part."""

import json
import subprocess
import sys

import pytest

from benchmarks.training.launch import ROOT


def call(*words):
    command = [sys.executable, "-m", "benchmarks.training", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_from_the_command_line_to_the_page(tmp_path):
    places = ("--scratch", tmp_path / "matrices", "--results", tmp_path / "results")
    chosen = ("--sizes", "ml-100k", "--factors", "4", "--programs", "projectionist/cholesky")
    size = ("--runs", "2", "--epochs", "1", "--iterations", "2", "--threads", "1")
    page = tmp_path / "docs" / "performance.md"
    done = call(*places, *chosen, *size, "--output", page)
    assert done.returncode == 0, done.stderr
    assert "| ml-100k | 4 | projectionist cholesky |" in page.read_text()
    records = json.loads(page.with_suffix(".json").read_text())["records"]
    assert [(r["part"], r["scaling"], r["run"]) for r in records] == [
        ("epochs", 0.0, 0), ("epochs", 0.0, 1),
        ("objective", 0.0, 0), ("objective", 0.0, 1), ("objective", 1.0, 0), ("objective", 1.0, 1),
    ]  # fmt: skip
    assert not [r["error"] for r in records if "error" in r]
    # Nobody has set an objective, so ours is followed for as many epochs as peers would be.
    assert {len(r["objectives"]) for r in records if r["part"] == "objective"} == {2}
    # Without --fresh the matrix is kept, and without measuring the page can be made again.
    (matrix,) = (tmp_path / "matrices").iterdir()
    written = (matrix / "about.json").stat().st_mtime_ns
    assert call(*places, *chosen, *size, "--part", "memory").returncode == 0
    assert (matrix / "about.json").stat().st_mtime_ns == written
    again = call(*places, "--render")
    assert again.returncode == 0
    assert "projectionist cholesky" in again.stdout


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--sizes", "ml-2m"), "ml-latest-small"),
        (("--programs", "implicit,surprise"), "there is no program 'surprise'"),
        (("--scalings", "0,0.5"), "only 0 and 1 are known"),
        (("--factors", "64,many"), "many"),
    ],
)
def test_mistakes_are_named_before_anything_is_measured(tmp_path, words, error):
    done = call(*words, "--results", tmp_path / "results")
    assert done.returncode == 2
    assert error in done.stderr
    assert not (tmp_path / "results").exists()


def test_there_is_no_page_of_nothing(tmp_path):
    done = call("--render", "--results", tmp_path)
    assert done.returncode == 1
    assert "there are no results" in done.stderr
