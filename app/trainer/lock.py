"""One training at a time in one models directory: a lock that cannot get stuck.

It belongs to the open file, not to a name or a process number. Whoever starts a training in
another process takes the lock and hands the open file on, so that there is no moment in which
nobody holds it; the kernel lets go of it with the last process that has it open, however that
ends. The file holds the id of the training that has the lock, and itself stays.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = ".training.lock"

_ATTEMPTS, _PAUSE = 10, 0.02
"""Who only looks whether somebody holds the lock holds it for a moment."""


class TrainingRunningError(Exception):
    """Another process trains into the same models directory at this moment.

    Parameters
    ----------
    message
        What to tell.
    training
        The id of the training that runs, where that is known.
    """

    def __init__(self, message: str, training: str | None = None) -> None:
        self.training = training
        super().__init__(message)


class TrainingLock:
    """The exclusive right to train, from :meth:`take` to the end of the block or the process."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def take(cls, models_dir: Path) -> Self:
        """Take the lock.

        Raises
        ------
        TrainingRunningError
            When somebody has it.
        """
        models_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(models_dir / FILE_NAME, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_PAUSE)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            except OSError:
                os.close(descriptor)
                raise
            return cls(descriptor)
        training = _named(descriptor)
        os.close(descriptor)
        raise TrainingRunningError(
            f"another process trains into {models_dir} now; wait until it is done", training
        )

    def name(self, training: str) -> None:
        """Write down which training has it."""
        with contextlib.suppress(OSError):  # on a full disk the lock holds without it
            os.ftruncate(self.descriptor, 0)
            os.pwrite(self.descriptor, f"{training}\n".encode(), 0)

    def close(self) -> None:
        """Let go of it here; a process that it was handed to still has it. Again is harmless."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def holder(models_dir: Path) -> str | None:
    """Return the id of the training that has the lock; ``None`` when nobody has it."""
    try:
        descriptor = os.open(models_dir / FILE_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named(descriptor) or ""
    finally:
        os.close(descriptor)
    return None


def _named(descriptor: int) -> str | None:
    return os.pread(descriptor, 40, 0).decode("ascii", "replace").strip() or None
