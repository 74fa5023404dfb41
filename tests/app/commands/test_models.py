"""``projectionist models``, and what ``train`` does beside training once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.trainer.lock import holder
from app.trainer.records import read_records
from app.trainer.repeating import seconds_of, without_every
from recommender.errors import InvalidOptionError
from recommender.generations import current_number, generation_path, publish

ROOT = Path(__file__).resolve().parents[3]
QUICK = ("--factors", "4", "--epochs", "2", "--threads", "1")


@pytest.fixture
def trained(shell, folder):
    """A shell in a folder with two generations, the second of them current."""
    assert shell("import", "world.csv")[0] == 0
    for _ in range(2):
        assert shell("train", *QUICK)[0] == 0
    return shell


def asked(shell, *arguments):
    status, out, err = shell("models", *arguments, "--json")
    assert status == 0, err
    return json.loads(out)


def test_all_are_listed_and_one_is_shown(trained, folder):
    listed = asked(trained)
    assert listed["current"] == 2
    assert [(m["generation"], m["state"]) for m in listed["models"]] == [
        (2, "current"),
        (1, "kept"),
    ]
    assert asked(trained, "show", 1) == listed["models"][1]
    status, out, _ = trained("models")
    assert status == 0
    assert out.splitlines()[0].split()[:2] == ["2", "current"]
    (generation_path(folder / "var" / "models", 1) / "manifest.json").write_text("{")
    damaged = asked(trained)["models"][1]
    assert damaged["state"] == "damaged"
    assert str(folder) not in damaged["reason"]


def test_an_earlier_one_is_activated_and_old_ones_are_swept(trained, folder):
    assert asked(trained, "activate", 1)["state"] == "current"
    assert current_number(folder / "var" / "models") == 1
    assert asked(trained, "sweep", "--keep-generations", 1) == {"removed": []}
    publish(folder / "var" / "models", 2)
    for _ in range(2):
        trained("train", *QUICK, "--keep-generations", 9)
    assert asked(trained, "sweep", "--keep-generations", 1) == {"removed": [1, 2]}


def test_a_worse_one_is_refused_with_a_status_of_its_own(trained, folder):
    models = folder / "var" / "models"
    worse = ("--factors", "1", "--regularization", "1", "--epochs", "1", "--threads", "1")
    status, out, _ = trained("train", *worse)
    assert status == 3
    assert "Refused, kept, and not published" in out
    assert current_number(models) == 2
    status, _, err = trained("models", "activate", 3)
    assert status == 1
    assert "was refused" in err
    assert "--force" in err
    assert current_number(models) == 2
    assert asked(trained, "activate", 3, "--force")["state"] == "current"
    publish(models, 2)
    status, out, _ = trained("train", *worse, "--force", "--json")
    document = json.loads(out)
    assert (status, document["published"], document["generation"]) == (0, True, 4)
    assert document["reason"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("show",), "needs the number"),
        (("activate",), "needs the number"),
        (("list", 1), "takes no number"),
        (("sweep", 1), "takes no number"),
        (("show", 7), "no generation 7"),
        (("activate", 7), "no generation"),
    ],
)
def test_what_cannot_be_done_is_told(shell, arguments, told):
    status, _, err = shell("models", *arguments)
    assert status == 1
    assert told in err


def test_without_models_that_is_said(shell):
    status, out, _ = shell("models")
    assert status == 0
    assert "There are no models" in out


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("6h", 21600), ("1d", 86400), (" 2h ", 7200)]
)
def test_periods(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "6", "h", "0s", "-1h", "1.5h", "6 h", "1w", "٣h"])
def test_what_is_no_period(text):
    with pytest.raises(InvalidOptionError, match="6h"):
        seconds_of(text)


def test_each_training_is_the_same_command_without_its_period():
    given = ["train", "--every", "6h", "--factors", "8", "--every=1d", "--force"]
    assert without_every(given) == ["train", "--factors", "8", "--force"]


def test_again_and_again_until_it_is_stopped(trained, folder):
    models = folder / "var" / "models"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PROJECTIONIST_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "train", *QUICK, "--every", "1s"],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 60
        while len(read_records(models)) < 4 and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.wait()
    assert len(read_records(models)) >= 4
    assert holder(models) is None
