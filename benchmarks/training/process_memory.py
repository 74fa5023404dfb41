"""How much memory this process holds, and how much it held at its worst."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def resident() -> int:
    """Bytes that are in memory now; the peak where the system does not tell."""
    return _field("VmRSS")


def peak() -> int:
    """Bytes that were in memory at the worst moment since this program was started."""
    return _field("VmHWM")


def _field(name: str) -> int:
    if _STATUS.exists():
        return parse(_STATUS.read_text(), name)
    # Second best: after fork and exec it begins with the size of the parent.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def parse(status: str, name: str) -> int:
    """Read ``VmHWM:   123456 kB`` as bytes.

    Raises
    ------
    ValueError
        When there is no such line, or it is not in kB.
    """
    for line in status.splitlines():
        label, _, rest = line.partition(":")
        if label == name:
            number, unit = rest.split()
            if unit != "kB":
                raise ValueError(f"{name} is given in {unit!r}; only kB is known")
            return int(number) * 1024
    raise ValueError(f"there is no line {name} in the status of the process")
