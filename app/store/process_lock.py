"""One server process per SQLite file: an advisory lock on a file beside it.

The kernel lets go of the lock when its holder ends, however it ends, so that it cannot get stuck.
The lock file itself stays: removing it would let two processes lock two different files.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.store.errors import StoreInUse

if TYPE_CHECKING:
    from pathlib import Path


class ProcessLock:
    """The exclusive right to write to one database, from construction to ``release()``.

    Parameters
    ----------
    database
        Path of the SQLite file; the lock file is the same with ``.lock`` appended.

    Raises
    ------
    StoreInUse
        If somebody holds it: names the process as far as it left its name.
    """

    def __init__(self, database: Path) -> None:
        path = database.with_name(f"{database.name}.lock")
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._descriptor, 200, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise StoreInUse(
                f"Another projectionist process{f' ({holder})' if holder else ''} is using "
                f"{database}; stop it, or send the ratings through its HTTP API."
            ) from error
        except BaseException:
            os.close(self._descriptor)
            raise
        holder = f"pid {os.getpid()} since {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        # The name is a courtesy to the next process; on a full disk the lock holds without it.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, holder.encode() + b"\n", 0)

    def release(self) -> None:
        """Let the next process in; again is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
