"""What can be checked of the container without building it; prove_container.sh does the rest."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.settings import Settings
from tests.packaging.installed import ROOT, environment

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
SETTINGS = {f"PROJECTIONIST_{name.upper()}" for name in Settings.model_fields}


def test_every_variable_is_a_setting():
    """The server refuses to start when it finds one that is not."""
    for text in (DOCKERFILE, COMPOSE):
        named = set(re.findall(r"\bPROJECTIONIST_\w+", text))
        assert named
        assert named <= SETTINGS


def test_what_the_build_copies_is_let_through():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    let_through = {line[1:] for line in ignored if line.startswith("!")}
    copied = set()
    for words in re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+)$", DOCKERFILE, re.MULTILINE):
        *found, _ = words.split()
        copied |= set(found)
    assert {"app", "recommender", "data/demo", "NOTICE"} <= copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert any(name == each or name.startswith(each + "/") for each in let_through), name


def test_nobody_becomes_root_and_no_port_is_open_to_others_by_default():
    last = DOCKERFILE.split("\nFROM ")[-1]
    assert re.findall(r"^USER (.+)$", last, re.MULTILINE) == ["10001:10001"]
    assert last.index("USER ") < last.index("ENTRYPOINT")
    assert "API_KEY" not in last
    assert "PROJECTIONIST_API_KEY:?" in COMPOSE
    (port,) = re.findall(r'^ +- "(\S+):8000"$', COMPOSE, re.MULTILINE)
    assert port == "${PUBLISH:-127.0.0.1:8000}"
    for line in ("read_only: true", "- ALL", "- no-new-privileges:true", "init: true"):
        assert line in COMPOSE


@pytest.fixture
def home(tmp_path):
    """The folder that the image has as /opt/projectionist, with a stand-in for the command."""
    for name in ("bin", "kernels", "start"):
        (tmp_path / "home" / name).mkdir(parents=True)
    (tmp_path / "home" / "kernels" / "compiled.nbi").write_text("as built")
    command = tmp_path / "home" / "bin" / "projectionist"
    command.write_text('#!/bin/sh\nprintf "%s\\n" "$NUMBA_CACHE_DIR" "$@"\nexit 7\n')
    command.chmod(0o755)
    shutil.copy(ROOT / "container" / "projectionist", tmp_path / "home" / "start")
    return tmp_path / "home"


def begin(home, *words, **variables):
    return subprocess.run(
        [home / "start" / "projectionist", *words],
        cwd=home, env=environment(**variables), capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_kernels_are_copied_once_and_the_command_takes_over(home, tmp_path):
    cache = tmp_path / "cache"
    first = begin(home, "serve", "--name", "1 2", NUMBA_CACHE_DIR=str(cache))
    assert (first.stdout, first.returncode) == (f"{cache}\nserve\n--name\n1 2\n", 7)
    assert [(path.name, path.read_text()) for path in cache.iterdir()] == [
        ("compiled.nbi", "as built")
    ]
    (cache / "compiled.nbi").write_text("compiled again for this CPU")
    begin(home, "train", NUMBA_CACHE_DIR=str(cache))
    assert (cache / "compiled.nbi").read_text() == "compiled again for this CPU"
    assert {path.name for path in tmp_path.iterdir()} == {"home", "cache"}


def test_two_commands_may_start_at_once(home, tmp_path):
    for number in range(2000):
        (home / "kernels" / f"{number}.nbc").write_text("x")
    start = [home / "start" / "projectionist", "train"]
    variables = environment(NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    together = [
        subprocess.Popen(start, cwd=home, env=variables, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = {process.communicate(timeout=60)[0] for process in together}
    assert said == {f"{tmp_path / 'cache'}\ntrain\n"}
    assert len(list((tmp_path / "cache").iterdir())) == 2001
    assert {path.name for path in tmp_path.iterdir()} == {"home", "cache"}


def test_a_data_folder_that_cannot_be_written_to_is_named(home, tmp_path):
    missing = tmp_path / "missing"  # not even root can write to it
    cache = str(tmp_path / "cache")
    told = begin(home, "run", NUMBA_CACHE_DIR=cache, PROJECTIONIST_DATA_DIR=str(missing))
    assert f"may not write to {missing}" in told.stderr
    assert f"chown {os.getuid()}:{os.getgid()}" in told.stderr


class Answering(BaseHTTPRequestHandler):
    """Answers ``/livez`` to those who name the right host."""

    def do_GET(self):
        right = self.path == "/livez" and self.headers["Host"].startswith(self.server.name)
        self.send_response(200 if right else 403)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def answering():
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        server.name = "127.0.0.1"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def health(port, **variables):
    given = {"PROJECTIONIST_HOST": "0.0.0.0", "PROJECTIONIST_PORT": str(port), **variables}
    command = [sys.executable, "-I", ROOT / "container" / "health.py"]
    return subprocess.run(command, env=environment(**given), check=False).returncode


def test_the_health_check_asks_the_server(answering):
    # A proxy of the machine is for the world outside, not for this.
    assert health(answering.server_port, http_proxy="http://127.0.0.1:9") == 0


def test_the_health_check_uses_a_name_that_the_server_goes_by(answering):
    answering.name = "films.example"
    assert health(answering.server_port) == 1
    names = "films.example, other.example"
    assert health(answering.server_port, PROJECTIONIST_ALLOWED_HOSTS=names) == 0


def test_the_health_check_fails_when_nobody_listens(answering):
    port = answering.server_port
    answering.shutdown()
    answering.server_close()
    assert health(port) == 1
