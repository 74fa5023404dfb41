"""When a training is due, told by a clock of the test's own."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace

import pytest

from app.store import open_store
from app.trainer.lock import TrainingLock
from app.trainer.records import TrainingRecord, read_records, write_record
from app.trainer.schedule import RETRY_SECONDS, Schedule, Scheduler
from recommender.generations import publish

RECORD = TrainingRecord(
    "1", "ended", "command", "sweeping", 1.0, "2026-11-24T00:00:00Z",
    ended_at="2026-11-24T00:00:10Z", seconds=10.0, outcome="published", watermark=100,
)  # fmt: skip


def test_nothing_is_due_unless_it_is_asked_for():
    assert Schedule(0, 0).due(1e9, 10**9) is None


def test_without_ratings_nothing_is_due():
    assert Schedule(1, 1).due(1e9, 0) is None


def test_the_first_training_is_due_at_once():
    assert Schedule(3600, 0).due(0.0, 5) == "schedule"


def test_by_time():
    schedule = Schedule(3600, 0)
    schedule.learn(RECORD, now=50.0)
    assert schedule.due(50.0 + 3599, 10**9) is None
    assert schedule.due(50.0 + 3600, 100) == "schedule"


def test_by_changes_after_a_rest():
    schedule = Schedule(0, 20)
    schedule.learn(RECORD, now=0.0)
    assert schedule.due(1000.0, 119) is None
    assert schedule.due(1000.0, 120) == "changes"
    assert schedule.due(39.0, 120) is None  # four times as long as the last one took
    assert schedule.due(40.0, 120) == "changes"


def test_a_failed_training_is_not_tried_again_at_once():
    schedule = Schedule(1, 1)
    schedule.learn(replace(RECORD, outcome="failed", watermark=None), now=0.0)
    assert schedule.due(RETRY_SECONDS - 1, 500) is None
    assert schedule.due(RETRY_SECONDS, 500) == "schedule"


def test_what_a_refused_training_has_seen_is_not_trained_again():
    schedule = Schedule(0, 20)
    schedule.learn(replace(RECORD, outcome="refused", watermark=500), now=0.0)
    assert schedule.due(1000.0, 519) is None
    schedule.learn(RECORD, now=0.0)  # an older one, from another process
    assert schedule.due(1000.0, 519) is None


def test_an_older_database_that_was_put_back_is_trained_again():
    schedule = Schedule(0, 20)
    schedule.learn(replace(RECORD, watermark=500), now=0.0)
    assert schedule.due(1000.0, 19) is None
    assert schedule.due(1000.0, 20) == "changes"


class Starts:
    """What was started."""

    def __init__(self):
        self.why = []

    def start(self, why):
        self.why.append(why)

    def reap(self):
        pass


@pytest.fixture
def scheduler(data_dir, models):
    with open_store(None, data_dir) as store:

        def beginning(every, changes):
            scheduler = Scheduler(Schedule(every, changes), Starts(), store, models)
            scheduler.store = store
            scheduler.begin()
            return scheduler

        yield beginning


def started(scheduler):
    scheduler.look()
    return scheduler._launcher.why


def test_edits_and_deletions_count(scheduler, train):
    train()
    looking = scheduler(0, 4)
    looking.store.put_rating("u00", "m01", 5, 1_700_000_000).result()
    looking.store.put_rating("u00", "m01", 4, 1_700_000_001).result()
    looking.store.delete_rating("u00", "m01").result()
    assert started(looking) == []
    looking.store.put_rating("u00", "m01", 3, 1_700_000_002).result()
    assert started(looking) == ["changes"]


def test_a_roll_back_starts_no_training(scheduler, train, models):
    train()
    looking = scheduler(0, 5)
    for movie in range(10):
        looking.store.put_rating("u01", f"m{movie:02}", 3, 1_700_000_000).result()
    train()
    publish(models, 1)
    looking.begin()  # as after a restart
    assert started(looking) == []


def test_what_the_models_have_seen_counts_without_records(scheduler, train, models):
    train()
    shutil.rmtree(models / "trainings")
    assert started(scheduler(0, 5)) == []


@pytest.mark.parametrize("ended_at", ["1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "noon"])
def test_a_clock_that_is_wrong_costs_one_period_at_most(scheduler, models, ended_at):
    """A training of long ago is due; one of the future, or of no time at all, waits a period."""
    models.mkdir()
    write_record(models, replace(RECORD, ended_at=ended_at))
    looking = scheduler(3600, 0)
    now = time.monotonic()
    if ended_at.startswith("2999"):
        assert looking.schedule.due(now, 5) is None
    assert looking.schedule.due(now + 3601, 5) == "schedule"


def test_while_one_runs_none_is_started(scheduler, models):
    looking = scheduler(1, 0)
    with TrainingLock.take(models) as lock:
        lock.name("7")
        write_record(models, replace(RECORD, id="7", state="running", outcome=None))
        assert started(looking) == []
    assert read_records(models)[0].outcome == "failed"  # its process went without a word
    assert started(looking) == []  # and that is not tried again at once
    assert looking.schedule.pause == RETRY_SECONDS
