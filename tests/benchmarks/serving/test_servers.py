"""Whoever is started is stopped, and says why when it does not run."""

import subprocess
import sys
import time

import pytest

from benchmarks.serving import servers
from benchmarks.serving.servers import free_port, running

DEAF = """
import http.server, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
http.server.ThreadingHTTPServer(("127.0.0.1", {port}), http.server.SimpleHTTPRequestHandler)\
.serve_forever()
"""


def test_a_server_that_ends_by_itself_says_why(tmp_path):
    command = [sys.executable, "-c", "import sys; sys.exit('the disk is full')"]
    page = f"http://127.0.0.1:{free_port()}/"
    with (
        pytest.raises(SystemExit, match=r"does not answer(?s:.*)the disk is full"),
        running(command, None, tmp_path / "log", page),
    ):
        pass


def test_a_server_that_never_answers_is_given_up_and_stopped(tmp_path):
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    page = f"http://127.0.0.1:{free_port()}/"
    started = time.monotonic()
    with (
        pytest.raises(SystemExit, match="does not answer"),
        running(command, None, tmp_path / "log", page, seconds=0.2),
    ):
        pass
    assert time.monotonic() - started < servers.STOP_SECONDS


def test_a_server_that_does_not_stop_when_asked_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(servers, "STOP_SECONDS", 0.2)
    port = free_port()
    command = [sys.executable, "-c", DEAF.format(port=port)]
    log, page = tmp_path / "log", f"http://127.0.0.1:{port}/"
    with running(command, None, log, page) as process:
        assert process.poll() is None
    assert process.poll() == -9


def test_a_server_is_stopped_when_what_was_asked_of_it_fails(tmp_path):
    port, started = free_port(), []
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]

    def fail():
        with running(command, None, tmp_path / "log", f"http://127.0.0.1:{port}/") as process:
            started.append(process)
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert started[0].poll() is not None


def test_what_is_set_for_a_server_of_ones_own_does_not_reach_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PROJECTIONIST_API_KEY", "mine")
    command = [sys.executable, "-c", "import os, sys; sys.exit(repr(sorted(os.environ)))"]
    with (
        pytest.raises(SystemExit) as refused,
        running(command, None, tmp_path / "log", f"http://127.0.0.1:{free_port()}/"),
    ):
        pass
    assert "PATH" in str(refused.value)
    assert "PROJECTIONIST_API_KEY" not in str(refused.value)


def test_a_client_is_kept_to_its_core():
    cores = servers.two_cores()
    if isinstance(cores, str):
        pytest.skip(cores)
    code = "import os; print(*os.sched_getaffinity(0))"
    command = cores.pinned([sys.executable, "-c", code])
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(cores.client)]
    assert cores.client != cores.server
