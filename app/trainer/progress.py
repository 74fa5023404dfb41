"""A training as it goes on: what it tells, and how it ends."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from app.store.errors import StoreError
from app.trainer.lock import TrainingLock
from app.trainer.records import TrainingRecord, mend, next_id, read_record, write_record
from recommender.errors import RecommenderError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from app.trainer.records import Outcome
    from recommender.training import Progress

logger = logging.getLogger(__name__)

SHARES = {
    "starting": (0.0, 0.02),
    "reading ratings": (0.02, 0.05),
    "training on the past": (0.07, 0.40),
    "evaluating on what came after": (0.47, 0.05),
    "training the served recipe on the past": (0.52, 0.13),
    "training on all ratings": (0.65, 0.28),
    "learning from attributes": (0.93, 0.02),
    "writing": (0.95, 0.03),
    "publishing": (0.98, 0.01),
    "sweeping": (0.99, 0.01),
}
"""Where each phase begins, and which part of the whole it is, roughly."""

_SECONDS_BETWEEN_WRITES = 0.25


class TrainingProgress:
    """Writes the record of one training while it goes on, and holds its lock.

    In a ``with`` block: an error that leaves it is what the training failed of.

    Parameters
    ----------
    models_dir, lock, record
        Where it trains, by which right, and what is known of it.
    now
        What time it is.
    """

    def __init__(
        self,
        models_dir: Path,
        lock: TrainingLock,
        record: TrainingRecord,
        now: Callable[[], datetime],
    ) -> None:
        self.models_dir = models_dir
        self.lock = lock
        self.record = record
        self.tell: Progress | None = None
        self._now = now
        self._began = monotonic()
        self._written = 0.0

    @classmethod
    def begin(cls, models_dir: Path, now: Callable[[], datetime], trigger: str) -> Self:
        """Take the lock and write the first record.

        Raises
        ------
        TrainingRunningError
            When another training runs.
        """
        lock = TrainingLock.take(models_dir)
        try:
            mend(models_dir)
            training = next_id(models_dir)
            lock.name(training)
            record = TrainingRecord(training, "running", trigger, "starting", 0.0, stamp(now()))
            write_record(models_dir, record)
        except BaseException:
            lock.close()
            raise
        return cls(models_dir, lock, record, now)

    @classmethod
    def adopt(
        cls, models_dir: Path, now: Callable[[], datetime], training: str, descriptor: int
    ) -> Self:
        """Go on with what another process began, by the lock that it handed on."""
        record = read_record(models_dir, training)
        if record is None:
            record = TrainingRecord(training, "running", "request", "starting", 0.0, stamp(now()))
        return cls(models_dir, TrainingLock(descriptor), record, now)

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Note a step."""
        begin, share = SHARES.get(phase, (self.record.progress, 0.0))
        reached = begin + share * min(1.0, done / max(total, 1))
        is_new = phase != self.record.phase
        progress = max(self.record.progress, round(reached, 4))
        self.record = replace(self.record, phase=phase, progress=progress)
        if is_new or monotonic() - self._written > _SECONDS_BETWEEN_WRITES:
            self._write()
        if self.tell is not None:
            self.tell(phase, done, total)

    def note(self, **known: Any) -> None:
        """Add to the record what has become known."""
        self.record = replace(self.record, **known)
        self._write()

    def end(self, outcome: Outcome, **known: Any) -> None:
        """Write how it ended."""
        self.note(
            state="ended",
            outcome=outcome,
            ended_at=stamp(self._now()),
            seconds=round(monotonic() - self._began, 3),
            progress=1.0 if outcome in ("published", "refused") else self.record.progress,
            **known,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if error is not None and self.record.state == "running":
            is_stop = isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit)
            outcome: Outcome = "cancelled" if is_stop else "failed"
            self.end(outcome, reason=self._reason(error))
        self.lock.close()

    def _write(self) -> None:
        # What cannot be told must not end what is told of; a full disk ends it soon enough.
        with contextlib.suppress(OSError):
            write_record(self.models_dir, self.record)
        self._written = monotonic()

    def _reason(self, error: BaseException) -> str:
        """Say why, in words that everybody may read: where things are kept is nobody's business."""
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
            return "it was stopped"
        if isinstance(error, MemoryError):
            return "there was not enough memory"
        if isinstance(error, RecommenderError):
            return str(error).replace(f"{self.models_dir}/", "")
        if isinstance(error, StoreError):
            return "the database does not answer"
        if isinstance(error, OSError):
            return f"the disk refuses: {error.strerror or type(error).__name__}"
        return f"{type(error).__name__}; the log has more"


def stamp(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
