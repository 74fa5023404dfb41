"""Processes that are measured: each on a core of its own, and stopped whatever happens."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

from benchmarks.first_page import answers, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

__all__ = ["Cores", "answers", "free_port", "running", "stop_when_told", "two_cores"]

ROOT = Path(__file__).resolve().parent.parent.parent
READY_SECONDS = 300
STOP_SECONDS = 30


@dataclass(frozen=True)
class Cores:
    """Where what is asked runs, and where what asks."""

    server: int
    client: int

    def pinned(self, command: Sequence[str]) -> list[str]:
        """Return the command of a client, kept to its core."""
        return ["taskset", "-c", str(self.client), *command]


def two_cores() -> Cores | str:
    """Return two cores, or why there are none."""
    if not hasattr(os, "sched_getaffinity") or shutil.which("taskset") is None:
        return "programs cannot be kept to a core here: that takes Linux and `taskset`"
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return "two cores are needed, one for the server and one for who asks; there is one"
    return Cores(cores[0], cores[-1])


@contextlib.contextmanager
def running(
    command: Sequence[str], core: int | None, log: Path, page: str, seconds: float = READY_SECONDS
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server on a core (``None``: on all), from when a page answers until the end.

    Raises
    ------
    SystemExit
        When it ends by itself or the page does not answer in time; names the log.
    """
    kept = list(command) if core is None else ["taskset", "-c", str(core), *command]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PROJECTIONIST_")
    }
    with log.open("ab") as lines:
        process = subprocess.Popen(
            kept,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(process, page, log, seconds)
        yield process
    finally:
        _stop(process)


def _wait(process: subprocess.Popen[bytes], page: str, log: Path, seconds: float) -> None:
    until = monotonic() + seconds
    while not answers(page):
        if process.poll() is not None or monotonic() > until:
            end = log.read_text(errors="replace")[-2000:]
            raise SystemExit(f"{page} does not answer; the end of the server's log is\n{end}")
        sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def stop_when_told() -> None:
    """Let SIGTERM unwind, as Ctrl+C does: servers are stopped on the way."""

    def stop(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
