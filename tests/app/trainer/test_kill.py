"""A training that is killed at any step leaves nothing half-done, and nobody locked out."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal

import pytest

from app.store import open_store
from app.trainer.lock import holder
from app.trainer.records import read_records
from app.trainer.training_run import run_training
from recommender.generations import current_number, generation_numbers, load_generation
from tests.app.trainer.conftest import RECIPE, now

# Its children begin with everything imported and nothing begun.
forkserver = multiprocessing.get_context("forkserver")
forkserver.set_forkserver_preload(["tests.app.trainer.test_kill"])


def train_until(data_dir, last_step):
    """Train, and die of SIGKILL at a step; count the steps where there is no such step."""
    steps = 0

    def step(*_):
        nonlocal steps
        steps += 1
        if steps == last_step:
            os.kill(os.getpid(), signal.SIGKILL)

    with open_store(None, data_dir, read_only=True) as store:
        run_training(store, data_dir / "models", now, recipe=lambda _: RECIPE, progress=step)
    return steps


def in_process(data_dir, last_step):
    child = forkserver.Process(target=train_until, args=(data_dir, last_step))
    child.start()
    child.join(60)
    return child.exitcode


def steps_of_a_training(train):
    told = []
    train(progress=lambda *step: told.append(step))
    return told


def check_after_kill(data_dir, models, before):
    """Nobody is locked out, every generation that is there is whole, and one serves."""
    assert holder(models) is None
    for number in generation_numbers(models):
        load_generation(models / f"gen-{number:06d}")
    assert current_number(models) in {before, before + 1}
    newest = read_records(models)[0]
    assert (newest.state, newest.outcome) in {
        ("ended", "failed"),  # the process is gone, and was not done
        ("ended", "published"),  # it was done but for sweeping
    }


def test_killed_at_every_step(train, data_dir, models, tmp_path):
    train()
    good = tmp_path / "good"
    shutil.copytree(data_dir, good)
    told = steps_of_a_training(train)
    assert len(told) >= 20
    assert {phase for phase, _, _ in told} >= {"reading ratings", "writing", "publishing"}
    published = 0
    for last_step in range(1, len(told) + 1):
        shutil.rmtree(data_dir)
        shutil.copytree(good, data_dir)
        assert in_process(data_dir, last_step) == -signal.SIGKILL
        check_after_kill(data_dir, models, before=1)
        published += current_number(models) == 2
    assert 0 < published < len(told)  # some died before it was published, some after
    # Whatever the last one left, the next one succeeds and sweeps up.
    report = train()
    assert report.published
    assert [path for path in models.iterdir() if path.name.startswith(".writing")] == []
    assert read_records(models)[0].outcome == "published"


@pytest.mark.parametrize("step", [2, 9, 17])
def test_the_next_one_succeeds_after_a_kill(train, data_dir, models, step):
    train()
    assert in_process(data_dir, step) == -signal.SIGKILL
    assert train().published
    assert [record.outcome for record in read_records(models)] == [
        "published", "failed", "published",
    ]  # fmt: skip
    assert "killed" in read_records(models)[1].reason
