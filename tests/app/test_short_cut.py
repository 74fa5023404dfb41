"""The plainest requests, answered as they come in: nobody can tell from what they get."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import time
from http.client import HTTPResponse
from typing import NamedTuple

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.api import short_cut
from app.receiving import punctual_protocol
from app.telemetry import JsonFormatter

HOST = "127.0.0.1:8000"
PATH = "/v1/users/u00/recommendations"
SOON = 1.0
"""Seconds that a client may take to send, and may be silent between two requests."""

QUERIES = [
    "",
    "n=1",
    "n=10",
    "n=100",
    "exclude_seen=true",
    "exclude_seen=false",
    "n=7&exclude_seen=false",
]
NOT_PLAIN = [
    "n=0",
    "n=101",
    "n=007",
    "n=1000",
    "n=-1",
    "n=1&n=2",
    "n=5&",
    "&n=5",
    "n=5exclude_seen=false",
    "exclude_seen=false&n=5",
    "exclude_seen=False",
    "exclude_seen=1",
    "n=5&explain=true",
    "filter=year>1990",
    "N=5",
    "n=%31",
    "n=٣",
]


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes


def raw(path=PATH, *lines, method="GET", version="1.1", host=HOST):
    head = [f"{method} {path} HTTP/{version}", *([f"Host: {host}"] if host else []), *lines, "", ""]
    return "\r\n".join(head).encode()


def read_answer(connection, method="GET"):
    response = HTTPResponse(connection, method=method)
    response.begin()
    content = response.read()
    return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, content)


class Door:
    """An application behind a real socket, and how often it went the short way."""

    def __init__(self, client):
        self.client = client
        self.taken = 0
        protocol = punctual_protocol(SOON, client.app.state.at_once)
        config = uvicorn.Config(
            client.app,
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=SOON,
        )
        config.load()
        state = ServerState()
        state.default_headers = [(b"date", b"Tue, 24 Nov 2026 04:00:00 GMT")]
        self.server = client.call(
            client.loop.create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
        )
        self.address = self.server.sockets[0].getsockname()

    def connect(self):
        return contextlib.closing(socket.create_connection(self.address, timeout=10))

    def ask(self, request, method="GET"):
        with self.connect() as connection:
            connection.sendall(request)
            return read_answer(connection, method)

    async def close(self):
        self.server.close()


@pytest.fixture
def door(client, monkeypatch):
    door = Door(client)
    answer = short_cut.answer

    def counted(*given):
        door.taken += 1
        return answer(*given)

    monkeypatch.setattr(short_cut, "answer", counted)
    yield door
    client.call(door.close())


def told(answer):
    """All of an answer that does not tell two apart."""
    headers = dict(answer.headers)
    for own in ("x-request-id", "date"):
        headers.pop(own, None)
    status = getattr(answer, "status", None) or answer.status_code
    return status, headers, answer.content


class TestBothWays:
    @pytest.mark.parametrize("query", QUERIES)
    @pytest.mark.parametrize("user", ["u00", "nobody", "x" * 128, "A-b_9"])
    def test_have_one_answer(self, client, door, user, query):
        client.put("/v1/users/nobody/ratings/m05", json={"rating": 1})
        path = f"/v1/users/{user}/recommendations" + ("?" + query if query else "")
        short = door.ask(raw(path))
        assert door.taken == 1
        assert short.status == 200
        assert short.headers["date"]
        assert told(short) == told(client.get(path))

    @pytest.mark.parametrize("query", NOT_PLAIN)
    def test_have_one_meaning(self, client, door, query):
        path = f"{PATH}?{query}"
        if path.isascii():
            assert told(door.ask(raw(path))) == told(client.get(path))
        assert door.taken == 0

    @pytest.mark.parametrize("user", ["a%2Fb", "a%20b", "x" * 129, "%C3%B6", ".", "a.b", ""])
    def test_agree_on_ids_that_need_care(self, client, door, user):
        path = f"/v1/users/{user}/recommendations"
        long = door.ask(raw(path, "Content-Length: 0"))
        assert told(door.ask(raw(path))) == told(long)
        if user != ".":  # which this client would take out
            assert told(long) == told(client.get(path))
        assert door.taken == 0

    @pytest.mark.parametrize(
        "path", ["/v1/users/recommendations", "/v1/users/u00/recommendations/", "/livez"]
    )
    def test_agree_on_other_addresses(self, client, door, path):
        assert door.ask(raw(path)).status == client.get(path).status_code
        assert door.taken == 0

    @pytest.mark.parametrize(("version", "status"), [("0", 200), ("999999999", 503), ("x", 422)])
    def test_ask_for_a_version(self, door, version, status):
        assert door.ask(raw(PATH, f"Min-Version: {version}")).status == status
        assert door.taken == 0

    def test_know_who_has_the_answer(self, client, door):
        tag = client.get(PATH).headers["etag"]
        for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            short = door.ask(raw(PATH, f"If-None-Match: {given}"))
            assert told(short) == told(client.get(PATH, headers={"If-None-Match": given}))
            assert short.status == 304
        assert door.taken == 4
        assert door.ask(raw(PATH, 'If-None-Match: "other"')).status == 200
        twice = raw(PATH, 'If-None-Match: "other"', f"If-None-Match: {tag}")
        assert door.ask(twice).status == 304
        assert door.taken == 5  # a header that comes twice is for the long way

    def test_take_over_a_request_id(self, door):
        assert door.ask(raw(PATH, "X-Request-ID: a.b-c_1")).headers["x-request-id"] == "a.b-c_1"
        replaced = door.ask(raw(PATH, "X-Request-ID: a b")).headers["x-request-id"]
        assert len(replaced) == 16
        assert door.taken == 2


class TestIsNotTaken:
    def test_for_users_whose_changes_take_long(self, client, door, monkeypatch):
        client.put("/v1/users/u00/ratings/m05", json={"rating": 1})
        client.rooms.current.take().fresh._let_go_of("u00")
        long = door.ask(raw(PATH))
        assert b'"fresh_ratings":1' in long.content
        monkeypatch.setattr(short_cut, "MANY_CHANGES", 0)
        client.put("/v1/users/u01/ratings/m05", json={"rating": 1})
        assert door.ask(raw("/v1/users/u01/recommendations")).status == 200
        assert door.taken == 0

    def test_without_a_model(self, client, door):
        client.rooms.current.serving = None
        assert door.ask(raw()).status == 503

    def test_when_something_goes_wrong(self, client, door, monkeypatch):
        def fails(*_given):
            raise RuntimeError("an error of ours")

        monkeypatch.setattr(short_cut, "answer", fails)
        assert told(door.ask(raw())) == told(client.get(PATH))

    @pytest.mark.parametrize(
        ("lines", "status"),
        [
            (["Content-Length: 0"], 200),
            (["Content-Encoding: gzip"], 415),
            (["Expect: 100-continue"], 200),
            (["Upgrade: websocket", "Connection: Upgrade"], 200),
            ([f"X-{number}: {'y' * 4000}" for number in range(9)], 431),
        ],
    )
    def test_for_headers_that_mean_more(self, door, lines, status):
        assert door.ask(raw(PATH, *lines)).status == status
        assert door.taken == 0

    @pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE", "OPTIONS"])
    def test_for_other_methods(self, client, door, method):
        answer = door.ask(raw(method=method), method)
        assert answer.status == client.request(method, PATH).status_code
        assert door.taken == 0

    @pytest.mark.parametrize("host", ["evil.example", None])
    def test_from_other_hosts(self, door, host):
        assert door.ask(raw(host=host)).status == 403
        assert door.taken == 0

    def test_without_the_key(self, start, monkeypatch):
        client = start("http://recommender.example", host="0.0.0.0", api_key="a-long-secret-key")
        door = Door(client)
        assert door.ask(raw()).status == 401
        assert door.ask(raw(PATH, "Authorization: Bearer a-wrong-secret-key")).status == 401
        answer = door.ask(raw(PATH, "Authorization: Bearer a-long-secret-key"))
        assert told(answer) == told(
            client.get(PATH, headers={"Authorization": "Bearer a-long-secret-key"})
        )
        client.call(door.close())


class TestTheConnection:
    def test_goes_on_from_request_to_request(self, door):
        with door.connect() as connection:
            for path in (PATH, "/livez", PATH, f"{PATH}?n=3&x", PATH):
                connection.sendall(raw(path))
                assert read_answer(connection).status in (200, 422)
        assert door.taken == 3

    def test_may_be_fed_byte_by_byte(self, client, door):
        with door.connect() as connection:
            for byte in raw():
                connection.sendall(bytes([byte]))
            assert told(read_answer(connection)) == told(client.get(PATH))
        assert door.taken == 1

    def test_answers_what_arrives_together_in_order(self, client, door):
        paths = [f"{PATH}?n={n}" for n in (3, 1, 2, 5, 4)]
        with door.connect() as connection:
            connection.sendall(b"".join(map(raw, paths)) + raw()[:20])
            with connection.makefile("rb") as stream:
                for path in paths:
                    content = client.get(path).content
                    head = b""
                    while not head.endswith(b"\r\n\r\n"):
                        head += stream.readline()
                    assert head.startswith(b"HTTP/1.1 200")
                    assert stream.read(len(content)) == content
        assert door.taken == 1  # the others wait their turn

    @pytest.mark.parametrize(
        ("lines", "version"), [(["Connection: close"], "1.1"), ([], "1.0"), ([], "1.1")]
    )
    def test_ends_when_the_client_wants_it_or_is_silent(self, door, lines, version):
        with door.connect() as connection:
            connection.sendall(raw(PATH, *lines, version=version))
            assert read_answer(connection).status == 200
            started = time.monotonic()
            assert connection.recv(1) == b""
            waited = time.monotonic() - started
        assert waited < (3 * SOON if not lines and version == "1.1" else SOON)

    def test_ends_with_a_word_when_a_request_stops_half_way(self, door):
        with door.connect() as connection:
            connection.sendall(raw() + raw()[:30])
            assert read_answer(connection).status == 200
            assert read_answer(connection).status == 408
            assert connection.recv(1) == b""

    def test_stays_open_as_long_as_there_are_requests(self, door):
        with door.connect() as connection:
            for _ in range(8):
                connection.sendall(raw())
                assert read_answer(connection).status == 200
                time.sleep(SOON / 4)
        assert door.taken == 8


def test_it_is_counted_and_logged_like_any_other(client, door, caplog):
    seen = []

    class Listener(logging.Handler):
        def emit(self, record):
            seen.append(json.loads(JsonFormatter().format(record)))

    logger = logging.getLogger("app.access_log")
    logger.addHandler(listener := Listener())
    caplog.set_level(logging.INFO, "app.access_log")
    try:
        door.ask(raw(PATH, "X-Request-ID: short-one"))
        door.ask(raw(PATH, "If-None-Match: *"))
    finally:
        logger.removeHandler(listener)
    first, second = seen
    assert first["request_id"] == "short-one"
    assert first["message"] == f"GET {PATH}"
    assert (first["status"], second["status"]) == (200, 304)
    assert first["route"] == short_cut.ROUTE
    assert first["client"] == "127.0.0.1"
    told = client.get("/metrics").text
    for status in (200, 304):
        labels = f'method="GET",route="{short_cut.ROUTE}",status="{status}"'
        assert f"projectionist_http_requests_total{{{labels}}} 1.0" in told
