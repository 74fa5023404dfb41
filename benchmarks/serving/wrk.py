"""wrk as the client that asks as often as it can: its requests, its script, what it says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.serving.servers import Cores

WALK = Path(__file__).with_name("walk.lua")
GRACE_SECONDS = 60
"""wrk waits for answers that are under way; it is not waited for longer than that."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``body`` is sent as JSON."""

    path: str
    method: str = "GET"
    body: object = None

    def line(self) -> str:
        """Return it as the script reads it."""
        body = "" if self.body is None else orjson.dumps(self.body).decode()
        return f"{self.method}\t{self.path}\t{body}\n"

    def raw(self, host: str) -> bytes:
        """Return it as it goes over the wire."""
        body = b"" if self.body is None else orjson.dumps(self.body)
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        return f"{self.method} {self.path} HTTP/1.1\r\nHost: {host}\r\n{kind}\r\n".encode() + body


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of wrk found; milliseconds."""

    per_second: float
    p50: float
    p99: float
    most: float
    bytes_each: float


def missing() -> str | None:
    """Return why wrk cannot be asked, ``None`` when it can."""
    return None if shutil.which("wrk") else "wrk is not installed (`apt-get install wrk`)"


def version() -> str:
    """Return wrk's version."""
    said = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    found = re.search(r"wrk \S*?(\d[\w.]*)", said.stdout + said.stderr)
    return found[1] if found else "of an unknown version"


def write_requests(requests: Iterable[Request], file: Path) -> Path:
    """Write requests for the script."""
    file.write_text("".join(request.line() for request in requests))
    return file


def run(port: int, requests: Path, cores: Cores, connections: int, seconds: float) -> Run:
    """Ask one server as often as it answers.

    Raises
    ------
    SystemExit
        When an answer was no success: a server that refuses is quick.
    """
    command = [
        "wrk", "-t1", f"-c{connections}", f"-d{max(round(seconds), 1)}s", "--timeout", "30s",
        "-s", str(WALK), f"http://127.0.0.1:{port}", "--", str(requests),
    ]  # fmt: skip
    done = subprocess.run(
        cores.pinned(command),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + GRACE_SECONDS,
    )
    if done.returncode:
        raise SystemExit(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    return parse(done.stdout)


def parse(said: str) -> Run:
    """Read the line that the script writes at the end.

    Raises
    ------
    SystemExit
        When there is none, nothing was answered, or not all of it with success.
    """
    found = re.search(r"^RESULT (\{.*\})$", said, re.MULTILINE)
    if found is None:
        raise SystemExit(f"wrk said nothing of its requests: {said.strip()}")
    result = json.loads(found[1])
    if not result["requests"]:
        raise SystemExit("no request was answered")
    if result["refused"] or result["broken"]:
        raise SystemExit(
            f"of {result['requests']:,} requests {result['refused']:,} were answered with an error "
            f"and {result['broken']:,} connections broke: this is no measurement"
        )
    return Run(
        result["requests"] / result["microseconds"] * 1e6,
        result["p50"] / 1e3,
        result["p99"] / 1e3,
        result["most"] / 1e3,
        result["bytes"] / result["requests"],
    )
