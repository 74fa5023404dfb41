"""When to train again: when the newest training is old, or when much has changed since.

Time is told by a clock that nobody sets. The other clock is asked once, at the start, for the age
of the newest training; whatever it says, that lies between nothing and the period.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Literal, Protocol

from app.trainer.lock import TrainingRunningError
from app.trainer.records import TrainingRecord, read_records
from recommender.generations import list_generations

if TYPE_CHECKING:
    from pathlib import Path

    from app.store.interface import Store

logger = logging.getLogger(__name__)

REST = 4
"""After a training nothing is started because of changes for so many times as long as it took, so
that a server is never busy with trainings alone."""

RETRY_SECONDS = 300.0
"""After a training that failed nothing is started by itself for so long."""

LOOK_SECONDS = 1.0


@dataclass
class Schedule:
    """Knows when the next training is due; asked again and again.

    Attributes
    ----------
    every_seconds, after_changes
        The settings; 0 is never.
    ended
        When the newest training ended, on the clock that nobody sets; ``None`` when there is none.
    seen
        The version of the newest rating that any training has seen: also those that were refused
        and those that were rolled back, so that neither is trained again for the same ratings.
    rest
        For how long after ``ended`` nothing is started because of changes.
    pause
        For how long after ``ended`` nothing is started at all.
    """

    every_seconds: int
    after_changes: int
    ended: float | None = None
    seen: int = 0
    rest: float = 0.0
    pause: float = 0.0

    def due(self, now: float, version: int) -> Literal["schedule", "changes"] | None:
        """Say why a training is due, if one is.

        Parameters
        ----------
        now
            On the same clock as ``ended``.
        version
            The newest of the store.
        """
        if version == 0:
            return None  # nothing was ever rated
        since = float("inf") if self.ended is None else now - self.ended
        if since < self.pause:
            return None
        if self.every_seconds and since >= self.every_seconds:
            return "schedule"
        # After an older database was put back its versions begin again below what was seen.
        changes = version - self.seen if version >= self.seen else version
        if self.after_changes and changes >= self.after_changes and since >= self.rest:
            return "changes"
        return None

    def learn(self, record: TrainingRecord, now: float) -> None:
        """Take in a training that has ended."""
        self.ended = now
        self.seen = max(self.seen, record.watermark or 0)
        self.rest = REST * (record.seconds or 0.0)
        self.pause = RETRY_SECONDS if record.outcome == "failed" else 0.0


class Starter(Protocol):
    """What starts trainings: beside a server, or one after the other."""

    def start(self, trigger: str, /) -> object:
        """Start one."""

    def reap(self) -> None:
        """Let go of those that ended."""


class Scheduler:
    """Starts trainings when they are due, until cancelled."""

    def __init__(
        self, schedule: Schedule, launcher: Starter, store: Store, models_dir: Path
    ) -> None:
        self.schedule = schedule
        self._launcher = launcher
        self._store = store
        self._models_dir = models_dir
        self._known: tuple[str, str] | None = None

    async def run(self) -> None:
        """Look every second; what goes wrong is told once and tried again."""
        trouble = None
        await asyncio.to_thread(self.begin)
        while True:
            try:
                await asyncio.to_thread(self.look)
                trouble = None
            except Exception as error:  # whatever it is, the next look may work
                told = f"{type(error).__name__}: {error}"
                if told != trouble:
                    logger.exception("cannot look whether to train")
                trouble = told
            await asyncio.sleep(LOOK_SECONDS)

    # In a thread:

    def begin(self) -> None:
        """Learn when the newest training was, and what it has seen."""
        manifests = list_generations(self._models_dir)
        records = read_records(self._models_dir)
        seen = [m.watermark for m in manifests] + [r.watermark or 0 for r in records]
        self.schedule.seen = max(seen, default=0)
        ends = [m.trained_at for m in manifests] + [r.ended_at for r in records if r.ended_at]
        ages = [age for age in map(_age, ends) if age is not None]
        if ages:
            age = min(max(min(ages), 0.0), float(self.schedule.every_seconds))
            self.schedule.ended = monotonic() - age
        if records:
            self._known = (records[0].id, records[0].state)

    def look(self) -> None:
        """Start a training if one is due; let go of those that ended."""
        self._launcher.reap()
        if not (self.schedule.every_seconds or self.schedule.after_changes):
            return
        newest = read_records(self._models_dir, 1)
        if newest:
            known = (newest[0].id, newest[0].state)
            if known != self._known and newest[0].state == "ended":
                self.schedule.learn(newest[0], monotonic())
            self._known = known
            if newest[0].state == "running":
                return
        why = self.schedule.due(monotonic(), self._store.version())
        if why is None:
            return
        try:
            logger.info("a training is due", extra={"fields": {"because": why}})
            self._launcher.start(why)
        except TrainingRunningError:
            return  # another process was quicker


def _age(moment: str) -> float | None:
    try:
        return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
    except (ValueError, TypeError):
        return None
