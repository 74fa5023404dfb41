"""What wrk is told to send, and what it says in the end."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.serving import wrk
from benchmarks.serving.servers import two_cores
from benchmarks.serving.wrk import Request

SAID = """Running 2s test @ http://127.0.0.1:8000
  1 threads and 16 connections
Requests/sec:   2500.00

RESULT {"requests": 5000, "microseconds": 2000000, "bytes": 10000000, "refused": 0, "broken": 0, \
"p50": 1500.000, "p99": 7250.000, "most": 9000.000}
"""


def test_what_wrk_says_is_read_in_the_units_of_the_table():
    found = wrk.parse(SAID)
    assert found == wrk.Run(per_second=2500, p50=1.5, p99=7.25, most=9, bytes_each=2000)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("unable to connect", "wrk said nothing of its requests: unable to connect"),
        (SAID.replace('"requests": 5000', '"requests": 0'), "no request was answered"),
        (SAID.replace('"refused": 0', '"refused": 3'), "of 5,000 requests 3 were answered with an"),
        (SAID.replace('"broken": 0', '"broken": 2'), "and 2 connections broke"),
    ],
)
def test_a_run_with_failures_is_no_measurement(said, error):
    with pytest.raises(SystemExit, match=error):
        wrk.parse(said)


def test_a_request_as_it_goes_over_the_wire():
    assert Request("/a").raw("h:1") == b"GET /a HTTP/1.1\r\nHost: h:1\r\n\r\n"
    sent = Request("/b", "PUT", {"rating": 5}).raw("h:1")
    head, _, body = sent.partition(b"\r\n\r\n")
    assert head.endswith(b"Content-Type: application/json\r\nContent-Length: 12")
    assert body == b'{"rating":5}'


@pytest.fixture
def listening():
    """A server that notes what it is asked; it refuses what is called /refused."""
    noted = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            noted.append((self.command, self.path, self.headers.get("Content-Type"), body))
            self.send_response(404 if self.path == "/refused" else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_PUT = _answer  # noqa: N815

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1], noted
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cores():
    found = two_cores()
    reason = found if isinstance(found, str) else wrk.missing()
    if reason:
        pytest.skip(reason)
    return found


def test_the_script_walks_through_the_requests_in_their_order(listening, cores, tmp_path):
    port, noted = listening
    asked = [Request("/1"), Request("/2?n=3", "PUT", {"a": [1.5, "é"]}), Request("/3")]
    found = wrk.run(port, wrk.write_requests(asked, tmp_path / "requests"), cores, 1, 1)
    assert found.per_second > 0
    assert 0 < found.p50 <= found.p99 <= found.most
    once = [
        ("GET", "/1", None, b""),
        ("PUT", "/2?n=3", "application/json", json.dumps(
            {"a": [1.5, "é"]}, separators=(",", ":"), ensure_ascii=False
        ).encode()),
        ("GET", "/3", None, b""),
    ]  # fmt: skip
    assert len(noted) > 6
    begin = once.index(noted[0])  # wrk looks at one or two before it sends any
    assert noted == (once * len(noted))[begin : begin + len(noted)]


def test_a_server_that_refuses_is_not_measured(listening, cores, tmp_path):
    file = wrk.write_requests([Request("/1"), Request("/refused")], tmp_path / "requests")
    with pytest.raises(SystemExit, match="answered with an error"):
        wrk.run(listening[0], file, cores, 1, 1)
