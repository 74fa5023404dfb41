"""Starts trainings in processes of their own, for a server or for a command that waits.

What a training needed of memory is given back when it ends, and nothing that happens to it
happens to the server.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.settings import PREFIX
from app.trainer.progress import TrainingProgress

if TYPE_CHECKING:
    from app.settings import Settings
    from app.trainer.records import TrainingRecord

_NEEDED = (
    "data_dir", "models_dir", "database_url", "train_memory_mib", "gate_tolerance",
    "gate_kept_share", "keep_generations", "log_level", "log_format",
)  # fmt: skip
"""The settings that a training reads; the others, and the key, it need not know."""

_STOP_SECONDS = 5


class Launcher:
    """Starts trainings, and stops them when it is closed.

    Parameters
    ----------
    settings
        Where to train and what the result is held to.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._children: list[subprocess.Popen[bytes]] = []
        self._mutex = threading.Lock()
        self._is_closed = False

    def start(self, trigger: str) -> TrainingRecord:
        """Start a training; blocks until its process exists.

        Parameters
        ----------
        trigger
            As in :class:`~app.trainer.records.TrainingRecord`.

        Raises
        ------
        TrainingRunningError
            When one runs.
        OSError
            When there is no space for its record, or no process to be had.
        """
        self.reap()
        steps = TrainingProgress.begin(
            self._settings.models_path, lambda: datetime.now(UTC), trigger
        )
        with steps:  # the lock is let go of here; the child has it
            child = self._spawn(steps)
        with self._mutex:
            self._children.append(child)
            is_late = self._is_closed
        if is_late:
            self.close()
        return steps.record

    def _spawn(self, steps: TrainingProgress) -> subprocess.Popen[bytes]:
        # -P: a folder named `app` where we were started is not ours.
        descriptor = steps.lock.descriptor
        command = [sys.executable, "-P", "-m", "app.trainer"]
        command += [steps.record.id, str(descriptor), str(os.getpid())]
        return subprocess.Popen(  # noqa: S603 - our own interpreter, our own words
            command,
            env=environment_of(self._settings),
            pass_fds=(descriptor,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def reap(self) -> None:
        """Let go of processes that have ended."""
        with self._mutex:
            self._children = [child for child in self._children if child.poll() is None]

    def close(self) -> None:
        """Stop what runs: it leaves nothing half-done; no more is started."""
        with self._mutex:
            self._is_closed = True
            children, self._children = self._children, []
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
                child.wait()


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment in which the same settings are loaded again."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    for name in _NEEDED:
        value = getattr(settings, name)
        if value is None:
            continue
        secret = getattr(value, "get_secret_value", None)
        kept[f"{PREFIX}{name.upper()}"] = str(value if secret is None else secret())
    return kept
