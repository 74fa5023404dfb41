"""Projectionist as its users have it: a wheel in an environment of its own, running."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 240.0  # import, compile, train on a cold and busy machine; some seconds are usual
STOP_SECONDS = 60.0

_ADDRESS = re.compile(r"Recommendations +(http://127\.0\.0\.1:\d+)/")


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of somebody who has never seen this checkout."""
    foreign = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "NUMBA_CACHE_DIR"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in foreign and not name.startswith("PROJECTIONIST_")
    }
    return kept | variables


def build(kind: str, source: Path, folder: Path) -> Path:
    """Build a wheel or an sdist without asking any index, and return the file."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind]
    command += ["--directory", str(folder)]
    finished = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    (built,) = folder.iterdir()
    return built


def install(wheel: Path, folder: Path) -> Path:
    """Install the wheel alone into a new environment; return that environment's ``bin``.

    The dependencies are those of the environment that the tests run in. They are seen through a
    ``.pth`` file, which adds a folder without following the ``.pth`` files inside it: the editable
    installation of this checkout, which is one of those, stays unseen.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    programs = folder / "bin"
    command = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install"]
    alone = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    finished = subprocess.run([*command, *alone], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    (site_packages,) = folder.glob("lib/python*/site-packages")
    ours = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site_packages / "dependencies.pth").write_text("\n".join(sorted(ours)) + "\n")
    return programs


@dataclass
class Running:
    """A server started by ``projectionist run`` in a folder."""

    process: subprocess.Popen[bytes]
    log: Path
    address: str = ""
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def wait(self) -> None:
        """Wait until it says where it listens."""
        until = time.monotonic() + START_SECONDS
        while not (found := _ADDRESS.search(self.said)):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < until, self.said
            time.sleep(0.05)
        self.address = found[1]
        self.http.base_url = httpx.URL(self.address)

    def get(self, path: str) -> httpx.Response:
        answer = self.http.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer

    def stop(self) -> int:
        """Ask it to stop, as a service manager does; return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


@contextlib.contextmanager
def starting(
    command: list[str | Path], folder: Path, *options: str, **variables: str
) -> Iterator[Running]:
    """Start ``projectionist run`` on a free port in ``folder``; do not wait for it yet."""
    log = folder.parent / f"{folder.name}-{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "run", "--port", "0", *options],
            cwd=folder,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    running = Running(process, log)
    try:
        yield running
    finally:
        running.http.close()
        if process.poll() is None:
            process.kill()
        process.wait()
