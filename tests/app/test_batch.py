"""Lists for many users: each line is the list that its user gets, and half an answer looks half."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import queue

import pytest
import uvicorn

from app.api.schemas.batch import BatchBody, BatchLine
from app.limits import LIMITS
from app.receiving import punctual_protocol
from app.server import Server
from tests.app.test_bad_input import assert_problem
from tests.app.test_newcomers import add, rate
from tests.app.test_recommendations import ask

PATH = "/v1/recommendations/batch"


def batch(client, user_ids, **body):
    response = client.post(PATH, json={"user_ids": user_ids, **body})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.content.endswith(b"\n")
    lines = [json.loads(line) for line in response.content.splitlines()]
    for line in lines[:50]:
        BatchLine.model_validate(line)
    return lines


def one_by_one(client, user_ids, **params):
    answers = [ask(client, user, **params) for user in user_ids]
    for answer in answers:
        del answer["next_cursor"]
    return answers


@pytest.mark.parametrize(
    ("body", "params"),
    [
        ({}, {}),
        ({"n": 500, "explain": True}, {"n": 500, "explain": "true"}),
        ({"n": 3, "exclude_seen": False}, {"n": 3, "exclude_seen": "false"}),
        ({"filter": "year < 1990"}, {"filter": "year < 1990"}),
        ({"fields": ["title", "because"]}, {"fields": "title,because"}),
        (
            {"n": 4, "diversity": 0.5, "novelty": 0.3, "calibration": 0.2},
            {"n": 4, "diversity": 0.5, "novelty": 0.3, "calibration": 0.2},
        ),
    ],
    ids=lambda given: " ".join(given),
)
def test_each_line_is_the_users_list(client, world, body, params):
    rate(client, "u03", "m00", 5)
    add(client, "new", ["Kids"])
    user_ids = [*reversed(world.users), "nobody", "m01", "u03"]
    assert batch(client, user_ids, **body) == one_by_one(client, user_ids, **params)


def test_ten_thousand_users_come_in_the_order_asked(client, world):
    user_ids = [world.users[i * 7 % 40] if i % 3 else f"new {i}" for i in range(LIMITS.batch_users)]
    lines = batch(client, user_ids, n=1, fields=["movie_id"])
    assert [line["user_id"] for line in lines] == user_ids
    first = {}
    for line in lines:
        assert first.setdefault(line["user_id"], line) == line


def test_ids_may_be_as_long_as_ids_may_be(client):
    user_ids = [f"{i:0128}" for i in range(LIMITS.batch_users)]
    assert len(json.dumps(user_ids)) > LIMITS.body_bytes
    lines = batch(client, user_ids, n=1, fields=["movie_id"])
    assert [line["user_id"] for line in lines] == user_ids


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.user_ids"),
        ({"user_ids": []}, "body.user_ids"),
        ({"user_ids": ["u00"] * 10_001}, "body.user_ids"),
        ({"user_ids": ["u00", "u01", "u02", ""]}, "body.user_ids[3]"),
        ({"user_ids": ["u00", "a\x00"]}, "body.user_ids[1]"),
        ({"user_ids": ["u00", "x" * 129]}, "body.user_ids[1]"),
        ({"user_ids": ["u00", ".."]}, "body.user_ids[1]"),
        ({"user_ids": [0]}, "body.user_ids[0]"),
        ({"user_ids": "u00"}, "body.user_ids"),
        ({"user_ids": ["u00"], "n": 0}, "body.n"),
        ({"user_ids": ["u00"], "n": 501}, "body.n"),
        ({"user_ids": ["u00"], "n": 10**9}, "body.n"),
        ({"user_ids": ["u00"], "filter": "year >="}, "body.filter"),
        ({"user_ids": ["u00"], "fields": ["cAnArY7"]}, "body.fields"),
        ({"user_ids": ["u00"], "diversity": 1.1}, "body.diversity"),
        ({"user_ids": ["u00"], "cursor": "x"}, "body"),
        ({"user_ids": ["u00"], "cAnArY7": 1}, "body"),
    ],
)
def test_bad_input(client, body, field):
    assert_problem(client.post(PATH, json=body), 422, field)


def test_nothing_is_stored(client):
    store = client.rooms.store
    before = store.counts(), store.version()
    batch(client, ["u00", "nobody"], n=1)
    assert (store.counts(), store.version()) == before


def test_min_version_is_honoured(client):
    asked = {"user_ids": ["u00"]}
    assert client.post(PATH, json=asked, headers={"Min-Version": "1"}).status_code == 200
    assert client.post(PATH, json=asked, headers={"Min-Version": "9" * 9}).status_code == 503


def stream(client, body, on_first_piece, leaves=False):
    """Ask as a server asks; do something when the first piece of the answer is there.

    Returns the status and the lines that were sent.
    """
    first, sent = asyncio.Event(), []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8000"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 5),
        "server": ("127.0.0.1", 8000),
    }
    content = json.dumps(body).encode()
    requests = iter([{"type": "http.request", "body": content, "more_body": False}])

    async def receive():
        for message in requests:
            return message
        await first.wait()
        if not leaves:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)
        if message.get("body") and not first.is_set():
            first.set()
            await on_first_piece()

    client.call(client.app(scope, receive, send))
    return sent[0]["status"], b"".join(one.get("body", b"") for one in sent).splitlines()


def test_all_lines_are_of_one_generation(client, world, retrain):
    """Another one is taken up while the answer is on its way."""
    retrain(seed=3)
    many = world.users * 20
    before = batch(client, many, n=24)
    status, lines = stream(client, {"user_ids": many, "n": 24}, client.rooms.loader.look)
    assert client.rooms.current.serving.number == 2
    assert status == 200
    assert [json.loads(line) for line in lines] == before
    assert batch(client, ["u00"])[0]["model"]["generation"] == 2


def test_a_client_that_goes_away_ends_the_work(client, world):
    async def nothing():
        pass

    body = {"user_ids": world.users * 250, "n": 24}
    status, lines = stream(client, body, nothing, leaves=True)
    assert status == 200
    assert 0 < len(lines) < 1_000  # of 10,000


def test_others_are_answered_meanwhile(client, world):
    many = world.users * 200

    async def both():
        asked = asyncio.ensure_future(client.http.post(PATH, json={"user_ids": many, "n": 24}))
        answered = 0
        while not asked.done():
            await asyncio.sleep(0.001)
            assert (await client.http.get("/v1/users/u00/recommendations")).status_code == 200
            answered += not asked.done()
        return (await asked).content.count(b"\n"), answered

    n_lines, answered = client.call(both())
    assert n_lines == len(many)
    assert answered > 10


@contextlib.contextmanager
def listening(client):
    """Let a real server answer for an application that runs already."""
    config = uvicorn.Config(
        client.app,
        port=0,
        http=punctual_protocol(15.0),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
    )
    ready = queue.Queue()
    server = Server(config, ready.put)
    served = asyncio.run_coroutine_threadsafe(server.serve(), client.loop)
    try:
        yield ready.get(timeout=30).removeprefix("http://")
    finally:
        server.should_exit = True
        served.result(30)


class TestWhenTheStoreGoesAwayOnTheWay:
    """A user with too many changes to keep is read from the store, which is closed by then."""

    @pytest.fixture
    def broken(self, client):
        rate(client, "u39", "m00", 5)
        client.rooms.current.serving.fresh._let_go_of("u39")
        client.rooms.store.close()
        return client

    def test_before_the_first_byte_it_is_a_problem(self, broken):
        response = broken.post(PATH, json={"user_ids": ["u39", "u00"]})
        assert response.status_code == 503
        assert response.json()["type"] == "/problems/store-unavailable"

    def test_after_it_the_answer_is_cut_and_looks_it(self, broken, world):
        user_ids = [*world.users[:39] * 2, "u39", *world.users[:39] * 2]
        body = json.dumps({"user_ids": user_ids, "n": 24, "explain": True})
        with listening(broken) as address:
            connection = http.client.HTTPConnection(address, timeout=30)
            connection.request("POST", PATH, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            assert response.status == 200
            with pytest.raises(http.client.IncompleteRead) as cut:
                response.read()
            connection.close()
            lines = cut.value.partial.splitlines()
            assert 0 < len(lines) < 79
            assert [json.loads(line)["user_id"] for line in lines] == user_ids[: len(lines)]
            # The server goes on.
            connection = http.client.HTTPConnection(address, timeout=30)
            connection.request("GET", "/v1/users/u00/recommendations")
            assert connection.getresponse().status == 200
            connection.close()


def test_the_examples_are_what_is_taken_and_given():
    BatchBody.model_validate(BatchBody.model_config["json_schema_extra"]["examples"][0])
    BatchLine.model_validate(BatchLine.model_config["json_schema_extra"]["examples"][0])
