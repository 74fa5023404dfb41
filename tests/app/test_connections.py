"""Connections that go on where a request has ended: neither memory nor time without bound."""

import signal
import socket
import time
from pathlib import Path

import pytest

from tests.app.test_server import ask, received, running


def resident_bytes(process):
    fields = Path(f"/proc/{process.pid}/status").read_text().split("VmRSS:")[1].split()
    return int(fields[0]) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to read memory")
def test_trailers_are_dropped_not_kept(data_dir):
    with running(data_dir) as (process, address):
        host, port = address.split(":")
        ask(address, "GET", "/livez")
        before = resident_bytes(process)
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(
                b"POST /v1/recommendations HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"2\r\n{}\r\n0\r\n"
            )
            for _ in range(60):  # 6 MB: 1.2 million trailers, some 200 MB if they were kept
                connection.sendall(b"X:\r\n" * 25_000)
            assert resident_bytes(process) - before < 60_000_000
        assert ask(address, "GET", "/livez")[0].status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_bytes_that_begin_no_request_have_a_deadline_too(data_dir):
    with running(data_dir, PROJECTIONIST_RECEIVE_SECONDS="1") as (process, address):
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
            connection.sendall(b"\r\n")
            started = time.monotonic()
            received(connection)  # until the server ends it
            assert time.monotonic() - started < 8
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
