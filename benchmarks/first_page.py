"""From a fresh clone to the first personalised page: seconds of ``make run``, once and again.

Run as ``python -m benchmarks.first_page [--runs 3] [--committed] [--json]``. Each run copies the
working tree (with ``--committed`` it clones what is committed) into an empty folder and says
``make run`` there. The clock stops when ``GET /`` and user 1's recommendations both answer 200;
then the server is stopped, and the same is done again in the same folder.

pip's settings and cache are yours. One run that does not count comes first and warms the cache. An
index may forbid pip to keep its answers; then PIP_NO_INDEX=1 and PIP_FIND_LINKS, a folder filled by
``pip download --require-hashes -r constraints/run.txt``, come nearest to a warm cache.

The figure to keep is the median of "first" (at most 90 s); the rows below it say where it goes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import IO, TYPE_CHECKING

from benchmarks import machine

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
TARGET_SECONDS = 90
GIVE_UP_SECONDS = 900
PAGES = ("/", "/v1/users/1/recommendations")

# What the lines of `make run` begin with, and the phase that begins with them.
PHASES = {
    "Creating a virtual environment": "virtual environment",
    "Installing": "packages",
    "Reading": "data",
    "Preparing the solver": "training",
    "Generation": "server",
}

# What this shell may have set and a visitor's has not.
FOREIGN = ("MAKEFLAGS", "MAKELEVEL", "NUMBA_CACHE_DIR", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")


@dataclass
class Start:
    """One ``make run``, in seconds from its call."""

    load: float
    ready: float = 0.0
    begins: dict[str, float] = field(default_factory=dict)

    def phases(self) -> dict[str, float]:
        """Seconds of each phase; what comes before the first line counts to none."""
        names, times = list(self.begins), [*self.begins.values(), self.ready]
        return {name: round(times[i + 1] - times[i], 2) for i, name in enumerate(names)}


def fresh_copy(folder: Path, committed: bool) -> None:
    """Put into ``folder`` what a clone would hold."""
    if committed:
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        return
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in names.split("\0"):
        if name and (ROOT / name).is_file():  # it may be deleted and not yet committed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def start(folder: Path, log: Path) -> Start:
    """Say ``make run``, wait for the pages, stop the server."""
    port = free_port()
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in FOREIGN and not name.startswith("PROJECTIONIST_")
    }
    measured = Start(load=round(os.getloadavg()[0], 2))
    begin = monotonic()
    process = subprocess.Popen(
        ["make", "run", f"ARGS=--port {port}"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process, stopped_at_the_end(process), log.open("a") as lines:
        assert process.stdout is not None
        reader = threading.Thread(
            target=follow, args=(process.stdout, lines, measured, begin), daemon=True
        )
        reader.start()
        for page in PAGES:
            while not answers(f"http://127.0.0.1:{port}{page}"):
                if process.poll() is not None or monotonic() - begin > GIVE_UP_SECONDS:
                    sys.exit(f"make run did not get as far as {page}; see {log}")
                sleep(0.05)
        measured.ready = round(monotonic() - begin, 2)
        os.killpg(process.pid, signal.SIGTERM)
        reader.join()
    return measured


def follow(output: IO[str], log: IO[str], measured: Start, begin: float) -> None:
    """Note when each phase begins."""
    for line in output:
        log.write(line)
        for words, phase in PHASES.items():
            if line.startswith(words):
                measured.begins.setdefault(phase, monotonic() - begin)


@contextlib.contextmanager
def stopped_at_the_end(process: subprocess.Popen[str]) -> Iterator[None]:
    """Leave nothing running, whatever happened."""
    try:
        yield
        process.wait(60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def answers(address: str) -> bool:
    """Whether the page is there."""
    try:
        with urllib.request.urlopen(address, timeout=10) as response:
            found: bool = response.status == 200
            return found
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def measure(committed: bool, keep_log: Path) -> tuple[Start, Start]:
    """Start twice in one fresh folder: from nothing, and with what the first start left."""
    with tempfile.TemporaryDirectory(prefix="first-page-") as folder:
        fresh_copy(Path(folder), committed)
        return start(Path(folder), keep_log), start(Path(folder), keep_log)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=3, help="how many runs count")
    parser.add_argument("--committed", action="store_true", help="what is committed, cloned")
    parser.add_argument("--no-warm-up", action="store_true", help="pip's cache is warm already")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args()

    with tempfile.NamedTemporaryFile(prefix="first-page-", suffix=".log", delete=False) as file:
        log = Path(file.name)
    if not given.no_warm_up:
        with tempfile.TemporaryDirectory(prefix="first-page-") as folder:
            fresh_copy(Path(folder), given.committed)
            start(Path(folder), log)
    runs = [measure(given.committed, log) for _ in range(given.runs)]
    result = {
        "machine": machine.describe(),
        "target_seconds": TARGET_SECONDS,
        "first": summary([first for first, _ in runs]),
        "second": summary([second for _, second in runs]),
    }
    log.unlink()
    print(json.dumps(result, indent=2) if given.json else table(result))


def summary(starts: list[Start]) -> dict[str, object]:
    """Medians, the range, and the load of the machine when each began."""
    seconds = [each.ready for each in starts]
    phases = [each.phases() for each in starts]
    names = list(phases[0])
    return {
        "median": round(statistics.median(seconds), 2),
        "seconds": seconds,
        "load": [each.load for each in starts],
        "phases": {
            name: round(statistics.median(each[name] for each in phases if name in each), 2)
            for name in names
        },
    }


def table(result: dict[str, object]) -> str:
    """Write the result for people."""
    lines = [machine.in_one_line(), "", f"{'seconds':24}{'median':>8}{'least':>8}{'most':>8}  load"]
    for name in ("first", "second"):
        found = result[name]
        assert isinstance(found, dict)
        seconds = found["seconds"]
        lines.append(
            f"{name + ' make run':24}{found['median']:8.1f}{min(seconds):8.1f}{max(seconds):8.1f}"
            f"  {', '.join(map(str, found['load']))}"
        )
        lines += [f"  {phase:22}{value:8.1f}" for phase, value in found["phases"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
