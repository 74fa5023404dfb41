"""What every answer carries, and what is logged."""

from __future__ import annotations

import json
import logging

import pytest

from app.limits import LIMITS
from app.settings import Settings
from app.size_gate import DRAIN_BYTES
from app.telemetry import SECURITY_HEADERS, JsonFormatter, PlainFormatter, configure_logging


@pytest.fixture
def client(shared_client):
    return shared_client


ANSWERS = [
    ("GET", "/livez", {}),
    ("GET", "/", {}),
    ("GET", "/static/style.css", {}),
    ("GET", "/openapi.json", {}),
    ("GET", "/v1/users/u00/recommendations", {}),
    ("GET", "/v1/users/u00/recommendations?x=1", {}),
    ("GET", "/nothing", {}),
    ("PATCH", "/livez", {}),
    ("GET", "/v1/movies/%00", {}),
    ("GET", "/livez", {"headers": {"host": "evil.example"}}),
    ("PUT", "/v1/users/u00/ratings/m01", {"content": b"x" * (LIMITS.body_bytes + 1)}),
    ("DELETE", "/v1/movies/m01", {}),
]


@pytest.mark.parametrize(("method", "path", "options"), ANSWERS)
def test_security_headers_are_on_every_answer(client, method, path, options):
    response = client.request(method, path, **options)
    for name, value in SECURITY_HEADERS.items():
        assert response.headers.get_list(name) == [value]
    policy = response.headers["content-security-policy"]
    for part in ("default-src 'self'", "object-src 'none'", "base-uri 'none'"):
        assert part in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-request-id"]


def test_what_the_api_answers_is_kept_by_nobody_unless_it_says_so(client):
    def told(path):
        return client.get(path).headers.get_list("cache-control")

    assert told("/v1/users/u00/recommendations") == ["private, no-cache"]
    assert told("/v1/nothing") == ["private, no-cache"]
    assert told("/livez") == []
    version = client.get("/v1/map/meta?model=course").json()["version"]
    (given,) = told(f"/v1/map/points?model=course&version={version}")
    assert "immutable" in given


def test_a_request_id_is_taken_over(client):
    response = client.get("/livez", headers={"x-request-id": "abc-123_X.7"})
    assert response.headers["x-request-id"] == "abc-123_X.7"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, 'a"b', "a;b", "ä".encode()])
def test_unless_it_could_forge_a_line(client, given):
    response = client.get("/livez", headers={"x-request-id": given})
    minted = response.headers["x-request-id"]
    assert minted != given
    assert len(minted) == 16
    assert client.get("/livez").headers["x-request-id"] != minted


def test_one_line_a_request_without_the_query(client, caplog):
    caplog.set_level(logging.INFO)
    client.get("/v1/movies?q=secret", headers={"authorization": "Bearer canary"})
    (record,) = [r for r in caplog.records if r.name == "app.access_log"]
    assert record.getMessage() == "GET /v1/movies"
    assert record.fields["status"] == 200
    assert record.fields["route"] == "/v1/movies"
    assert record.fields["milliseconds"] > 0
    ours = [r for r in caplog.records if r.name != "httpx"]
    lines = " ".join(JsonFormatter().format(record) for record in ours)
    assert "/v1/movies" in lines
    assert "secret" not in lines
    assert "canary" not in lines


def test_the_template_of_the_route_is_logged(client, caplog):
    caplog.set_level(logging.INFO)
    client.get("/v1/users/a%2Fb/recommendations")
    (record,) = [r for r in caplog.records if r.name == "app.access_log"]
    assert record.fields["route"] == "/v1/users/{user_id}/recommendations"


def test_the_unexpected_is_logged_with_the_request_id_and_told_without_details(
    client, caplog, monkeypatch
):
    def broken(*_):
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("app.serving.current.Current.take", broken)
    lines = []
    monkeypatch.setattr(
        "app.telemetry.middleware._errors.exception", lambda text: lines.append(formatted(text))
    )
    response = client.get("/v1/users/u00/recommendations", headers={"x-request-id": "find-me"})
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "/problems/internal-error"
    assert "secret" not in response.text
    assert response.headers["x-request-id"] == "find-me"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert json.loads(lines[0])["request_id"] == "find-me"
    assert client.get("/livez").status_code == 200


def formatted(text, formatter=None, **extra):
    record = logging.LogRecord("x", logging.INFO, "f", 1, text, (), None)
    for name, value in extra.items():
        setattr(record, name, value)
    return (formatter or JsonFormatter()).format(record)


@pytest.mark.parametrize("formatter", [JsonFormatter(), PlainFormatter()])
def test_no_id_forges_a_line(formatter):
    evil = 'a\nb\r\x1b[31m\u2028{"level":"error"}'
    line = formatted(evil, formatter, fields={"path": evil})
    assert len(line.splitlines()) == 1 or isinstance(formatter, JsonFormatter)
    assert "\n" not in line
    assert "\x1b" not in line


def test_a_line_is_one_object():
    line = json.loads(formatted("hello", fields={"status": 200}))
    assert line["message"] == "hello"
    assert line["status"] == 200
    assert line["level"] == "info"
    assert line["time"].endswith("+00:00")


@pytest.fixture
def root():
    """The root logger, as it was afterwards."""
    logger = logging.getLogger()
    before, level = logger.handlers[:], logger.level
    uvicorn = logging.getLogger("uvicorn.error").level
    yield logger
    logger.handlers[:] = before
    logger.setLevel(level)
    logging.getLogger("uvicorn.error").setLevel(uvicorn)


def test_logging_is_configured_once(no_settings, root):
    for _ in range(2):
        configure_logging(Settings.load(log_level="warning", log_format="plain"))
    assert len(root.handlers) == 1
    assert isinstance(root.handlers[0].formatter, PlainFormatter)
    assert root.level == logging.WARNING


class TestSizes:
    def test_a_body_that_says_it_is_too_large(self, client):
        response = client.put("/v1/movies/big", content=b"x" * (LIMITS.body_bytes + 1))
        assert response.status_code == 413
        assert response.json()["type"] == "/problems/body-too-large"
        assert response.headers["connection"] == "close"

    def test_a_body_that_does_not_say(self, client):
        taken = 0

        async def endless():
            nonlocal taken
            for _ in range(1000):
                taken += 1
                yield b" " * 65536

        headers = {"content-type": "application/json"}
        response = client.put("/v1/movies/big", content=endless(), headers=headers)
        assert response.status_code == 413
        assert taken <= (LIMITS.body_bytes + DRAIN_BYTES) // 65536 + 2

    def test_a_body_within_the_limit(self, client):
        pad = " " * (LIMITS.body_bytes - 20)
        response = client.put(
            "/v1/movies/ok",
            content=f'{{"title": "a"}}{pad}'[: LIMITS.body_bytes],
            headers={"content-type": "application/json"},
        )
        assert response.status_code == 201

    @pytest.mark.parametrize("length", ["-1", "x", "1e3", "9" * 5000])
    def test_a_length_that_is_none(self, client, length):
        response = client.put("/v1/movies/x", content=b"{}", headers={"content-length": length})
        assert response.status_code == 413

    def test_packed_bodies_are_not_unpacked(self, client):
        headers = {"content-encoding": "gzip", "content-type": "application/json"}
        response = client.put("/v1/movies/x", content=b"{}", headers=headers)
        assert response.status_code == 415

    def test_long_addresses_and_headers(self, client):
        response = client.get("/v1/movies?q=" + "x" * LIMITS.url_bytes)
        assert response.status_code == 414
        response = client.get("/livez", headers={"x-long": "x" * LIMITS.header_bytes})
        assert response.status_code == 431
        assert response.headers["content-type"] == "application/problem+json"
