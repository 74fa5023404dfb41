"""The process itself: it starts, serves on a socket, finishes what is under way, and ends well."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
from app.server import serve
from app.settings import Settings
serve(Settings.load(port=0), on_ready=lambda address: print(address, flush=True))
"""


@contextlib.contextmanager
def running(data_dir, **variables):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PROJECTIONIST_")}
    environment |= {"PROJECTIONIST_DATA_DIR": str(data_dir), **variables}
    with (data_dir / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-W", "error::DeprecationWarning:app", "-c", SCRIPT],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            address = process.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:"), (data_dir / "log").read_text()
            yield process, address.removeprefix("http://")
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()


def ask(address, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(address, timeout=30)
    given = {"Content-Type": "application/json"} if body is not None else {}
    connection.request(method, path, body, {**given, **(headers or {})})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, json.loads(content) if content else None


def log_lines(data_dir):
    return [json.loads(line) for line in (data_dir / "log").read_text().splitlines()]


def test_the_whole_way_over_a_socket(data_dir):
    with running(data_dir) as (process, address):
        response, _ = ask(address, "PUT", "/v1/users/u00/ratings/m01", '{"rating": 5}')
        assert response.status == 200
        assert response.getheader("server") is None
        response, answer = ask(address, "GET", "/v1/users/u00/recommendations?n=500")
        assert "m01" not in [line["movie_id"] for line in answer["movies"]]
        assert answer["model"]["fresh_ratings"] == 1
        response, answer = ask(address, "PUT", "/v1/movies/AC%2FDC", '{"title": "Let There"}')
        assert (response.status, answer["movie_id"]) == (201, "AC/DC")
        response, answer = ask(address, "GET", "/v1/movies/AC%2FDC")
        assert (response.status, answer["movie_id"]) == (200, "AC/DC")
        response, answer = ask(address, "HEAD", "/v1/movies/m01")
        assert (response.status, answer) == (200, None)
        assert int(response.getheader("content-length")) > 10
        response, answer = ask(address, "GET", "/livez", headers={"Host": "evil.example"})
        assert (response.status, answer["type"]) == (403, "/problems/forbidden-host")
        response, answer = ask(address, "PUT", "/v1/movies/big", b"x" * (2 << 20))
        assert (response.status, answer["type"]) == (413, "/problems/body-too-large")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    lines = log_lines(data_dir)  # every line is JSON
    assert lines[-1]["message"] == "stopped"
    assert any(line.get("route") == "/v1/movies/{movie_id}" for line in lines)
    assert not [line for line in lines if line["level"] in {"warning", "error"}]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_under_way_is_finished_before_it_ends(data_dir, number):
    with running(data_dir) as (process, address):
        host, port = address.split(":")
        body = b'{"rating": 5}'
        head = (
            f"PUT /v1/users/late/ratings/m01 HTTP/1.1\r\nHost: {address}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            "Expect: 100-continue\r\n\r\n"
        )
        with socket.create_connection((host, int(port)), timeout=20) as half_sent:
            half_sent.sendall(head.encode() + body[:5])
            assert half_sent.recv(65536).startswith(b"HTTP/1.1 100")  # the route is reading
            process.send_signal(number)
            time.sleep(0.5)
            assert process.poll() is None
            half_sent.sendall(body[5:])
            answer = half_sent.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200")
        assert process.wait(20) == 0
    from app.store import open_store

    with open_store(None, data_dir, read_only=True) as store:
        assert [r.movie_id for r in store.ratings_of("late", None, 10)] == ["m01"]


def test_no_acknowledged_rating_is_lost_through_a_stop(data_dir):
    acknowledged, stop = [], threading.Event()

    def write(name):
        count = 0
        while not stop.is_set():
            user = f"{name}-{count}"
            try:
                response, _ = ask(address, "PUT", f"/v1/users/{user}/ratings/m01", '{"rating": 5}')
            except OSError:
                return  # no longer listening
            if response.status == 200:
                acknowledged.append(user)
            count += 1

    with running(data_dir) as (process, address):
        threads = [threading.Thread(target=write, args=(f"t{i}",)) for i in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        stop.set()
        for thread in threads:
            thread.join()
    from app.store import open_store

    with open_store(None, data_dir, read_only=True) as store:
        stored = {change.user_id for change in store.changes_since(0, 1_000_000)}
    assert len(acknowledged) > 20
    assert set(acknowledged) <= stored


def test_raw_bytes_that_are_no_http(data_dir):
    with running(data_dir) as (process, address):
        host, port = address.split(":")
        for raw in (
            b"\x00\xff\r\n\r\n",
            b"GET /v1/users/\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /v1/users/\xc3\xa4 HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /livez HTTP/1.1\r\n\r\n",
            b"GET http://evil.example/livez HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            b"PUT /v1/movies/a HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}{}{}",
        ):
            with socket.create_connection((host, int(port)), timeout=5) as connection:
                connection.sendall(raw)
                answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 4"), (raw, answer)
            assert b"application/problem+json" in answer
        response, _ = ask(address, "GET", "/livez")
        assert response.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert not [line for line in log_lines(data_dir) if line["level"] == "error"]


def received(connection):
    """Everything until the server ends the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def test_clients_that_do_not_come_to_the_point_are_cut_off_and_no_other(data_dir):
    with running(data_dir, PROJECTIONIST_RECEIVE_SECONDS="1") as (process, address):
        host, port = address.split(":")
        slow = {
            "silent": b"",
            "half a line": b"GET /liv",
            "half a head": b"GET /livez HTTP/1.1\r\nHost: loc",
            "half a body": b"PUT /v1/movies/a HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
        }
        connections = [
            (name, socket.create_connection((host, int(port)), timeout=10))
            for name in slow
            for _ in range(50)
        ]
        for name, connection in connections:
            connection.sendall(slow[name])
        started = time.monotonic()
        assert ask(address, "GET", "/livez")[0].status == 200  # the others are served
        for name, connection in connections:
            answer = received(connection)
            connection.close()
            if name != "half a body":
                assert answer.startswith(b"HTTP/1.1 408"), (name, answer)
                assert b"/problems/request-timeout" in answer
        assert time.monotonic() - started < 15  # they are not waited for one by one
        keeping = http.client.HTTPConnection(address, timeout=10)
        for _ in range(3):  # a whole request now and then is not late
            keeping.request("GET", "/livez")
            assert keeping.getresponse().read()
            time.sleep(0.6)
        keeping.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert not [line for line in log_lines(data_dir) if line["level"] == "error"]


def test_heads_without_end_are_refused(data_dir):
    with running(data_dir) as (process, address):
        host, port = address.split(":")
        for head in (b"GET /livez HTTP/1.1\r\nx: ", b"GET /", b"GET / HTTP/1.1\r\n"):
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                with contextlib.suppress(OSError):
                    connection.sendall(head)
                    for number in range(40):
                        filler = (
                            b"x" * 50_000 if head[-1:] != b"\n" else b"y%d: z\r\n" % number * 5000
                        )
                        connection.sendall(filler)
                assert received(connection)[:12] in {b"HTTP/1.1 431", b"HTTP/1.1 400", b""}
        assert ask(address, "GET", "/livez")[0].status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_port_in_use_is_a_failure(data_dir):
    with running(data_dir) as (_, address):
        environment = {**os.environ, "PROJECTIONIST_DATA_DIR": str(data_dir / "other")}
        script = f"""
from app.server import serve
from app.settings import Settings
serve(Settings.load(port={address.split(":")[1]}))
"""
        second = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert second.returncode not in {0, None}
    assert "address already in use" in second.stderr
