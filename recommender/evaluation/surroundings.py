"""Where an experiment ran: what somebody needs who wants to see the same figures or seconds."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from recommender.solvers.threads import available_threads
from recommender.version import __version__

_PACKAGES = ("numpy", "numba", "scipy")
_ABOUT_PROCESSORS = Path("/proc/cpuinfo")


def versions() -> dict[str, str | None]:
    """Return the versions of what computes."""
    return {
        "projectionist": __version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def machine() -> dict[str, str | int]:
    """Return the processor, the system, and how many cores this process may use."""
    return {
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": available_threads(),
    }


def _processor() -> str:
    try:
        lines = _ABOUT_PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        label, _, name = line.partition(":")
        if label.strip() == "model name":
            return name.strip()
    return platform.processor() or platform.machine()
