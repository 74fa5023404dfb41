"""From the command line to the tables, in small: everybody is started, asked and stopped."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.serving import wrk
from benchmarks.serving.servers import ROOT, two_cores

COMMAND = [sys.executable, "-m", "benchmarks.serving", "--like", "ml-100k", "--factors", "8"]
QUICK = [*COMMAND, "--parts", "http", "--runs", "1", "--seconds", "1"]


@pytest.fixture
def can_measure():
    cores = two_cores()
    reason = cores if isinstance(cores, str) else wrk.missing()
    if reason:
        pytest.skip(reason)


def servers_in(folder):
    """The processes whose command line names the folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in place.read_bytes():
                found.append(int(place.parent.name))
    return [one for one in found if one != os.getpid()]


def test_every_table_over_http(can_measure, tmp_path):
    done = subprocess.run(
        [*QUICK, "--directory", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for row in (
        "| FastAPI, fixed dictionary (the bar) | 16 |",
        "| projectionist, 10 movies for a user | 16 |",
        "| projectionist, 10 movies for 50 ratings in the body | 16 |",
        "| projectionist, PUT one rating | 64 |",
        "it was gone by list 1 at the latest",
    ):
        assert row in done.stdout
    assert "At half of that load" in done.stdout
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_running_when_it_is_stopped_half_way(can_measure, tmp_path):
    process = subprocess.Popen(
        [*QUICK, "--seconds", "60", "--directory", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        while b"Over HTTP" not in process.stdout.readline():
            assert process.poll() is None
        servers = [one for one in servers_in(tmp_path) if one != process.pid]
        assert len(servers) >= 5
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    until = time.monotonic() + 10  # wrk ends by itself when nobody answers
    while servers_in(tmp_path) and time.monotonic() < until:
        time.sleep(0.1)
    assert servers_in(tmp_path) == []
    assert not list(tmp_path.iterdir())


def test_without_wrk_it_says_so(tmp_path):
    here = os.environ | {"PATH": ""}
    done = subprocess.run(QUICK, cwd=ROOT, env=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Not measured over HTTP: " in done.stdout
