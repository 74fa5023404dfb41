"""The lock goes with its process; records are whole, and tell of who is gone."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.store import StoreUnavailable
from app.trainer.lock import TrainingLock, TrainingRunningError, holder
from app.trainer.progress import SHARES, TrainingProgress
from app.trainer.records import (
    KEPT,
    TrainingRecord,
    mend,
    next_id,
    read_record,
    read_records,
    write_record,
)
from recommender.errors import TooFewRatingsError

RECORD = TrainingRecord("1", "running", "request", "starting", 0.0, "2026-11-24T00:00:00Z")


def now():
    return datetime(2026, 11, 24, tzinfo=UTC)


def test_a_lock_that_is_handed_on_is_held_until_the_other_process_ends(tmp_path):
    lock = TrainingLock.take(tmp_path)
    lock.name("12")
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=(lock.descriptor,)
    )
    lock.close()
    assert holder(tmp_path) == "12"
    with pytest.raises(TrainingRunningError) as refused:
        TrainingLock.take(tmp_path)
    assert refused.value.training == "12"
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert holder(tmp_path) is None
    TrainingLock.take(tmp_path).close()


def test_who_looks_disturbs_nobody(tmp_path):
    assert holder(tmp_path) is None  # and makes no file
    assert list(tmp_path.iterdir()) == []
    TrainingLock.take(tmp_path).close()
    assert holder(tmp_path) is None


def test_a_running_record_without_a_process_has_failed(tmp_path):
    with TrainingLock.take(tmp_path) as lock:
        lock.name("1")
        write_record(tmp_path, RECORD)
        assert read_record(tmp_path, "1") == RECORD
    assert read_record(tmp_path, "1").outcome == "failed"
    with TrainingLock.take(tmp_path) as lock:
        lock.name("2")  # another one holds the lock now
        assert read_record(tmp_path, "1").outcome == "failed"
        mend(tmp_path)
    assert '"failed"' in (tmp_path / "trainings" / "000001.json").read_text()


def test_records_are_numbered_listed_and_forgotten(tmp_path):
    assert (next_id(tmp_path), read_records(tmp_path)) == ("1", [])
    for number in range(1, KEPT + 4):
        write_record(tmp_path, replace(RECORD, id=str(number), state="ended"))
    mend(tmp_path)
    assert [record.id for record in read_records(tmp_path, 2)] == [str(KEPT + 3), str(KEPT + 2)]
    assert len(read_records(tmp_path)) == KEPT
    assert next_id(tmp_path) == str(KEPT + 4)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"id": 1}', '{"state": "running"}'])
def test_a_record_that_is_none_is_passed_over(tmp_path, text):
    write_record(tmp_path, RECORD)
    (tmp_path / "trainings" / "000002.json").write_text(text)
    assert [record.id for record in read_records(tmp_path)] == ["1"]
    mend(tmp_path)


@pytest.mark.parametrize("asked", ["", "x", "1/../1", "-1", "9" * 13])
def test_an_id_that_is_none_finds_nothing(tmp_path, asked):
    write_record(tmp_path, RECORD)
    assert read_record(tmp_path, asked) is None


def test_progress_never_goes_back_and_ends_at_1(tmp_path):
    told = []
    with TrainingProgress.begin(tmp_path, now, "command") as steps:
        steps.tell = lambda *_: told.append(steps.record.progress)
        for phase in SHARES:
            for done in range(4):
                steps(phase, done, 3)
        steps("a phase that nobody has heard of", 1, 0)
        steps.end("published")
    assert told == sorted(told)
    assert read_record(tmp_path, "1").progress == 1
    assert sum(share for _, share in SHARES.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (KeyboardInterrupt(), "cancelled", "it was stopped"),
        (SystemExit(143), "cancelled", "it was stopped"),
        (MemoryError(), "failed", "there was not enough memory"),
        (StoreUnavailable("at secret:5432"), "failed", "the database does not answer"),
        (OSError(28, "No space left on device", "/secret"), "failed", "the disk refuses"),
        (ZeroDivisionError("secret"), "failed", "ZeroDivisionError; the log has more"),
    ],
)
def test_how_it_ended_is_told_without_what_is_nobodys_business(tmp_path, error, outcome, reason):
    with pytest.raises(type(error)), TrainingProgress.begin(tmp_path, now, "command"):
        raise error
    record = read_record(tmp_path, "1")
    assert (record.state, record.outcome) == ("ended", outcome)
    assert record.reason.startswith(reason)
    assert "secret" not in record.reason
    assert holder(tmp_path) is None


def test_what_the_mathematics_says_is_told_without_the_folder(tmp_path):
    error = TooFewRatingsError(f"nothing in {tmp_path}/gen-000001")
    with pytest.raises(TooFewRatingsError), TrainingProgress.begin(tmp_path, now, "command"):
        raise error
    assert read_record(tmp_path, "1").reason == "nothing in gen-000001"


def test_a_folder_that_takes_no_record_does_not_end_a_training(tmp_path):
    with TrainingProgress.begin(tmp_path, now, "command") as steps:
        folder = tmp_path / "trainings"
        folder.rename(tmp_path / "moved")
        folder.write_text("")  # a file where the folder should be: nothing can be written there
        steps("writing", 0, 1)
        folder.unlink()
        (tmp_path / "moved").rename(folder)
        steps.end("published")
    assert read_record(tmp_path, "1").outcome == "published"
