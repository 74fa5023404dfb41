"""``projectionist train --every``: trainings by a schedule, for a container of their own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from time import sleep
from typing import TYPE_CHECKING

from app.store import DatabaseNotFound, open_store
from app.trainer.manners import step_back
from app.trainer.schedule import LOOK_SECONDS, Schedule, Scheduler
from recommender.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from app.settings import Settings

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds_of(period: str) -> int:
    """Return the seconds that a text such as ``90s``, ``30m``, ``6h`` or ``1d`` names.

    Raises
    ------
    InvalidOptionError
        When it is no such text, or less than a second.

    Examples
    --------
    >>> seconds_of("6h")
    21600
    """
    found = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", period.strip(), re.ASCII)
    if found is None:
        raise InvalidOptionError(
            f"every must be a number with s, m, h or d, such as 6h; found {period!r}"
        )
    return int(found[1]) * _UNITS[found[2]]


def repeat(settings: Settings, every_seconds: int) -> None:
    """Train whenever a training is due, until SIGTERM or SIGINT.

    Each training is the same command without ``--every``, in a process of its own, which gives
    back what it needed of memory.
    """
    signal.signal(signal.SIGTERM, _stop)
    step_back()  # those that are started inherit it
    schedule = Schedule(every_seconds, settings.train_after_changes)
    command = [sys.executable, "-P", "-m", "app.cli", *without_every(sys.argv[1:])]
    while True:
        try:
            store = open_store(settings.database, settings.data_dir, read_only=True)
        except DatabaseNotFound:  # a server beside us makes it
            sleep(LOOK_SECONDS)
            continue
        with store:
            scheduler = Scheduler(schedule, _Waiting(command), store, settings.models_path)
            scheduler.begin()
            while True:
                scheduler.look()
                sleep(LOOK_SECONDS)


def without_every(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of the command that trains once."""
    kept, is_value = [], False
    for argument in arguments:
        if is_value:
            is_value = False
        elif argument == "--every":
            is_value = True
        elif not argument.startswith("--every="):
            kept.append(argument)
    return kept


@dataclass
class _Waiting:
    """Starts a training, and waits until it has ended."""

    command: list[str]

    def start(self, _trigger: str) -> None:
        """Train once."""
        child = subprocess.Popen(self.command)  # noqa: S603 - our own interpreter
        try:
            child.wait()
        finally:  # whoever stops us stops the training too: it would hold its lock
            child.terminate()
            child.wait()

    def reap(self) -> None:
        """Do nothing: none is left behind."""


def _stop(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
