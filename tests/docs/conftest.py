"""A place where a page's commands can run: its own data directory, its own server.

The demo data is imported and trained once, by ``projectionist run`` as the README has it; each
page gets a copy, so that what one page stores is not seen by another.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.documents import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START_SECONDS = 240.0  # on a cold and busy machine; a few seconds are usual
COMMAND_SECONDS = 120.0
ADDRESS = "localhost:8000"
"""What the pages say; the server of a test listens elsewhere."""


@dataclass(frozen=True)
class Workspace:
    """A directory like a clone, with a server running in it."""

    folder: Path
    port: int

    def run(self, command: str) -> tuple[str, int]:
        """Run a command as a reader would; return what it prints and its exit status."""
        here = command.replace(ADDRESS, f"127.0.0.1:{self.port}")
        finished = subprocess.run(
            ["bash", "-c", here],
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        text = finished.stdout.decode(errors="replace")
        return text.replace(f"127.0.0.1:{self.port}", ADDRESS), finished.returncode


def environment() -> dict[str, str]:
    """Return a reader's environment: the command on the path, no settings, 80 columns."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PROJECTIONIST_")}
    scripts = str(Path(sys.executable).parent)
    return kept | {
        "PATH": f"{scripts}{os.pathsep}{kept.get('PATH', os.defpath)}",
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }


@contextlib.contextmanager
def serving(folder: Path, command: str) -> Iterator[int]:
    """Run ``projectionist COMMAND`` in a folder until it is ready; yield its port."""
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", command, "--port", "0"],
            cwd=folder,
            env=environment() | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _await_port(process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_port(process: subprocess.Popen[bytes], log: Path) -> int:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        said = log.read_text(errors="replace")
        found = re.search(r"API +http://127\.0\.0\.1:(\d+)/docs", said)
        if found:
            return int(found[1])
        if process.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail(f"the server did not start:\n{log.read_text(errors='replace')}")


def _clone(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").symlink_to(ROOT / "data")
    return folder


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> Path:
    """The data directory that ``projectionist run`` leaves behind."""
    folder = _clone(tmp_path_factory.mktemp("docs") / "first")
    with serving(folder, "run"):
        pass
    return folder / "var"


@pytest.fixture
def workspace(prepared, tmp_path) -> Iterator[Workspace]:
    """A copy of it with a server, for one page."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed; the examples of the documentation use it")
    folder = _clone(tmp_path / "projectionist")
    shutil.copytree(prepared, folder / "var")
    with serving(folder, "serve") as port:
        yield Workspace(folder, port)


@pytest.fixture
def clone(prepared, tmp_path, monkeypatch) -> Callable[[], Path]:
    """A way into a directory like a clone after ``make run``, for Python examples."""

    def enter() -> Path:
        folder = _clone(tmp_path / "projectionist")
        shutil.copytree(prepared, folder / "var")
        monkeypatch.chdir(folder)
        return folder

    return enter
