"""How a training behaves beside a server: it waits its turn, and it is the one that goes."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NICENESS = 10

MIB = 1 << 20

_WATCH_SECONDS = 0.2


def step_back() -> None:
    """Let everybody else go first, and leave a core to them where there are several.

    When the machine runs out of memory, the kernel ends this process and not a server.
    """
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    with contextlib.suppress(OSError, AttributeError):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[1:] or cores)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")


def watch(limit_mib: int, too_much: Callable[[int], None], parent: int | None = None) -> None:
    """Look several times a second, from a thread, at the memory and at who started this.

    Parameters
    ----------
    limit_mib
        How much memory may be in use; 0 for no limit.
    too_much
        Called once with the MiB that are in use when they are more; the process ends then,
        at once: whatever it was writing was not there yet.
    parent
        The process whose end ends this one, as Ctrl+C would.
    """

    def look() -> None:
        pause = threading.Event()
        while True:
            if parent is not None and os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGTERM)
                return
            used = memory_in_use() // MIB
            if limit_mib and used > limit_mib:
                too_much(used)
                os._exit(1)
            pause.wait(_WATCH_SECONDS)

    if limit_mib or parent is not None:
        threading.Thread(target=look, name="training watch", daemon=True).start()


def memory_in_use() -> int:
    """Return the bytes of memory that this process holds alone; 0 where that cannot be known.

    Pages of files that are mapped do not count: the system takes them back when it needs them.
    """
    try:
        fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")
