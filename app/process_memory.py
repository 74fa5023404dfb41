"""How much memory this process held at its worst."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_memory() -> int:
    """Return the bytes that were in memory at the worst moment since this program was started."""
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            label, _, rest = line.partition(":")
            if label == "VmHWM":
                return int(rest.split()[0]) * 1024
    # Second best: after fork and exec it begins with the size of the parent.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
