"""The line of a request, made without a log record, and the stream that all lines go to."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.telemetry import JsonFormatter, PlainFormatter, RequestCounts, Telemetry, request_id
from app.telemetry.formats import Stamp
from app.telemetry.lines import LineHandler, log_request

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root():
    """The root logger, as it was afterwards."""
    logger = logging.getLogger()
    before, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:] = before
    logger.setLevel(level)


@given(st.floats(0, 4e9))
def test_times_are_those_of_datetime(seconds):
    stamp = Stamp()
    for moment in (seconds, seconds + 0.25, seconds + 2, seconds):  # within a second, and not
        text = stamp(moment)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", text)
        assert abs(datetime.fromisoformat(text).timestamp() - moment) < 0.0011


class Listening:
    """A stream of text over bytes that notes every write, and takes as much as it is told to."""

    def __init__(self, *takes):
        self.writes, self.takes = [], list(takes)
        self.buffer = self

    def write(self, data):
        take = self.takes.pop(0) if self.takes else len(data)
        if isinstance(take, Exception):
            raise take
        if take:
            self.writes.append(bytes(data[:take]))
        return take

    def lines(self):
        return b"".join(self.writes).decode().split("\n")[:-1]


def request(path="/v1/movies", method="GET", client=("127.0.0.1", 5)):
    return {"type": "http", "method": method, "path": path, "client": client, "headers": []}


def answered(scope, route="/v1/movies", status=200, seconds=0.0123):
    token = request_id.set("some-id")
    try:
        log_request(scope, "some-id", route, status, seconds)
    finally:
        request_id.reset(token)


class TestTheLineOfARequest:
    @pytest.fixture(autouse=True)
    def _alone(self, root):
        root.setLevel(logging.INFO)
        self.root = root

    def listen(self, formatter, *takes):
        stream = Listening(*takes)
        self.root.handlers[:] = [LineHandler(stream, formatter)]
        return stream

    def test_is_what_a_log_record_would_have_been(self):
        @given(
            st.text(st.characters(exclude_categories=())),  # halves of surrogate pairs, too
            st.sampled_from(["GET", "PUT", 'A"B']),
            st.sampled_from([None, "/v1/movies/{movie_id}"]),
            st.integers(0, 599),
            st.floats(0, 1e4),
            st.sampled_from([None, ("127.0.0.1", 1), ("::1", 2)]),
        )
        def agree(path, method, route, status, seconds, client):
            scope = request(path, method, client)
            quick = self.listen(JsonFormatter())
            answered(scope, route, status, seconds)
            slow = self.listen(JsonFormatter())
            self.root.handlers.append(logging.NullHandler())  # somebody else listens
            answered(scope, route, status, seconds)
            assert without_time(quick) == without_time(slow)
            assert json.loads(quick.lines()[0])["request_id"] == "some-id"

        def without_time(stream):
            (line,) = stream.lines()
            return re.sub(r'^\{"time":"[^"]{29}"', "{", line)

        agree()

    def test_holds_what_is_no_text_as_its_escape(self):
        stream = self.listen(JsonFormatter())
        answered(request("/half/\ud800"))
        logging.getLogger("x").info("half \ud800", extra={"fields": {"n": 1, "more": "\udfff"}})
        quick, slow = map(json.loads, stream.lines())
        assert quick["message"] == r"GET /half/\ud800"
        assert quick["status"] == 200
        assert (slow["message"], slow["n"], slow["more"]) == (r"half \ud800", 1, r"\udfff")

    @pytest.mark.parametrize("formatter", [JsonFormatter(), PlainFormatter()])
    def test_an_exception_with_such_a_text_is_told(self, formatter):
        stream = self.listen(formatter)
        logging.getLogger("x").error("broken", exc_info=ValueError("half \ud800"))
        assert r"\ud800" in "".join(stream.lines())

    def test_for_people_it_is_as_it_was(self):
        stream = self.listen(PlainFormatter())
        answered(request("/v1/mo\x1bvies\n\ud800"))
        (line,) = stream.lines()
        rest = (
            r" INFO    GET /v1/mo\x1bvies\n\ud800"
            " status=200 milliseconds=12.3 route=/v1/movies client=127.0.0.1"
        )
        assert re.fullmatch(r"\d\d:\d\d:\d\d" + re.escape(rest), line)

    @pytest.mark.parametrize("formatter", [JsonFormatter(), PlainFormatter()])
    def test_is_written_in_one_piece_and_at_once(self, formatter):
        stream = self.listen(formatter)
        for count in (1, 2, 3):
            answered(request())
            assert len(stream.writes) == count
            assert stream.writes[-1].endswith(b"\n")
            assert stream.writes[-1].count(b"\n") == 1

    @pytest.mark.parametrize("formatter", [JsonFormatter(), PlainFormatter()])
    @pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR])
    def test_is_not_written_above_its_level(self, formatter, level):
        stream = self.listen(formatter)
        self.root.setLevel(level)
        answered(request())
        assert not stream.writes
        self.root.setLevel(logging.INFO)
        answered(request())
        assert len(stream.writes) == 1

    def test_others_who_listen_hear_of_it(self, caplog):
        stream = self.listen(JsonFormatter())
        self.root.handlers.append(caplog.handler)
        answered(request("/livez"))
        assert [record.getMessage() for record in caplog.records] == ["GET /livez"]
        assert len(stream.writes) == 1


class TestTheStream:
    def test_takes_lines_of_all_threads_whole_and_in_order(self, root):
        root.setLevel(logging.INFO)
        reading, writing = os.pipe()
        read = []

        def reader():
            with os.fdopen(reading, "rb") as pipe:
                read.extend(pipe)

        def writer(name):
            for number in range(300):
                if number % 2:
                    log_request(request(f"/{name}/{number}"), "id", None, 200, 0.0)
                else:  # longer than what a pipe takes in one piece
                    logging.getLogger("x").info("GET /%s/%s %s", name, number, "x" * 5000)

        consumer = threading.Thread(target=reader)
        consumer.start()
        with os.fdopen(writing, "w") as stream:
            root.handlers[:] = [LineHandler(stream, JsonFormatter())]
            threads = [threading.Thread(target=writer, args=(name,)) for name in "abcd"]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        consumer.join()
        seen = {name: [] for name in "abcd"}
        for line in read:
            _, name, number = json.loads(line)["message"].split(" ")[1].split("/")
            seen[name].append(int(number))
        assert seen == {name: list(range(300)) for name in "abcd"}

    def test_that_takes_little_at_a_time_gets_it_all(self):
        stream = Listening(1, 3, 1, 2)
        handler = LineHandler(stream, JsonFormatter())
        handler.write_line(b"a first line\n")
        handler.write_line(b"a second\n")
        assert stream.lines() == ["a first line", "a second"]

    @pytest.mark.parametrize("failure", [OSError(28, "disk full"), 0, None])
    def test_that_takes_a_part_begins_the_next_line_anew(self, failure):
        stream = Listening(4, failure, failure)
        handler = LineHandler(stream, JsonFormatter())
        for text in (b"lost in part\n", b"lost\n", b"whole\n", b"again\n"):
            handler.write_line(text)
        assert stream.lines() == ["lost", "whole", "again"]

    def test_that_takes_nothing_leaves_no_trace(self):
        stream = Listening(OSError(28, "disk full"), None)
        handler = LineHandler(stream, JsonFormatter())
        for text in (b"lost\n", b"lost\n", b"whole\n"):
            handler.write_line(text)
        assert stream.lines() == ["whole"]

    def test_of_text_alone_will_do(self):
        stream = io.StringIO()
        LineHandler(stream, JsonFormatter()).write_line("grün\n".encode())
        assert stream.getvalue() == "grün\n"

    def closed_file(self, tmp_path):
        stream = (tmp_path / "log").open("w")
        stream.close()
        return stream

    def broken_pipe(self, _):
        reading, writing = os.pipe()
        os.close(reading)
        return os.fdopen(writing, "w")

    def full_disk(self, _):
        if not Path("/dev/full").exists():
            pytest.skip("this system has no /dev/full")
        return Path("/dev/full").open("w")

    @pytest.mark.parametrize("kind", ["closed_file", "broken_pipe", "full_disk", "none"])
    def test_that_takes_no_more_breaks_no_request(self, kind, root, tmp_path, capfd):
        stream = None if kind == "none" else getattr(self, kind)(tmp_path)
        root.handlers[:] = [LineHandler(stream, JsonFormatter())]
        root.setLevel(logging.INFO)
        sent = []

        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"whole"})

        async def send(message):
            sent.append(message)

        for _ in range(3):
            asyncio.run(Telemetry(app, RequestCounts())(request(), None, send))
            logging.getLogger("x").warning("nobody hears this")
        assert [message.get("status", message.get("body")) for message in sent] == [
            200,
            b"whole",
        ] * 3
        if stream is not None:
            stream.close()  # nothing is left in its buffers that could fail now
        assert capfd.readouterr() == ("", "")


SCRIPT = """
from app.server import serve
from app.settings import Settings
serve(Settings.load(port=0), on_ready=lambda address: print(address, flush=True))
"""


@pytest.mark.parametrize("stream", ["broken", "closed"])
def test_a_server_whose_log_is_gone_serves_on(data_dir, stream):
    """With a log reader that died, and with a standard error that was never opened."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PROJECTIONIST_")}
    command = [sys.executable, "-c", SCRIPT]
    if stream == "closed":
        command = ["sh", "-c", 'exec "$@" 2>&-', "sh", *command]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=kept | {"PROJECTIONIST_DATA_DIR": str(data_dir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        address = process.stdout.readline().strip().removeprefix("http://")
        process.stderr.close()
        for path in ("/livez", "/v1/users/u00/recommendations", "/nothing", "/metrics"):
            connection = http.client.HTTPConnection(address, timeout=30)
            with contextlib.closing(connection):
                connection.request("GET", path)
                assert connection.getresponse().status == (404 if path == "/nothing" else 200)
        process.terminate()
        process.wait(20)  # how it ends without a standard error is up to the event loop's library
        assert stream == "closed" or process.returncode == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
