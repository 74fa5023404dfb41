"""Start a worker, wait for it, and turn whatever becomes of it into a record."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.training.programs import Program, Spec

ROOT = Path(__file__).resolve().parents[2]
WORKER = (sys.executable, "-m", "benchmarks.training.worker")


def launch(
    program: Program,
    spec: Spec,
    timeout: float,
    command: tuple[str, ...] = WORKER,
) -> dict[str, Any]:
    """Run one training in a process of its own.

    Parameters
    ----------
    timeout
        Seconds after which the process is ended.

    Returns
    -------
    What the worker printed, and the load of the machine when it began; or ``error``, one line.
    """
    before = {"load_average": round(os.getloadavg()[0], 2)}
    try:
        done = subprocess.run(
            command,
            input=json.dumps(spec.to_json()),
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=ROOT,
            env={**os.environ, **program.environment},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {**before, "error": f"not done after {timeout:g} s"}
    if done.returncode:
        return {**before, "error": _reason(done.returncode, done.stderr)}
    try:
        found = json.loads(done.stdout.strip().rpartition("\n")[2])
    except json.JSONDecodeError:
        return {**before, "error": f"printed no result but {done.stdout[-200:]!r}"}
    return {**before, **found}


def _reason(code: int, errors: str) -> str:
    """The last line that says something, as Python's tracebacks end."""
    if code == -signal.SIGKILL:
        return "killed by the system, probably for want of memory"
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    for place in (ROOT, sys.prefix):  # the page is for others, who have other folders
        errors = errors.replace(f"{place}/", "")
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return lines[-1][:300] if lines else f"ended with the code {code} and no word"
