"""Whatever is sent, the answer is a small problem that names the field and echoes nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.limits import LIMITS
from app.problems import PROBLEMS


@pytest.fixture
def client(shared_client):
    return shared_client


CANARY = "cAnArY7"
RATING = "/v1/users/u00/ratings/m01"
MOVIE = "/v1/movies/m01"
VISITOR = "/v1/recommendations"


def assert_problem(response, status=None, field=None):
    assert 400 <= response.status_code < 500, response.text
    if status is not None:
        assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert len(response.content) <= 4096
    assert CANARY not in response.text
    body = response.json()
    assert body["status"] == response.status_code
    assert PROBLEMS[body["type"].removeprefix("/problems/")].title == body["title"]
    assert body["detail"]
    assert len(body.get("errors", [])) <= 20
    if field is not None:
        assert field in [error["field"] for error in body["errors"]], body
    return body


def send(client, path, body, method="PUT", content_type="application/json"):
    content = body if isinstance(body, bytes) else body.encode()
    return client.request(method, path, content=content, headers={"content-type": content_type})


BODIES = {
    "nan": '{"rating": NaN}',
    "infinity": '{"rating": Infinity}',
    "minus infinity": '{"rating": -Infinity}',
    "beyond a double": '{"rating": 1e400}',
    "minus beyond a double": '{"rating": -1e400}',
    "5,000 digits": '{"rating": ' + "9" * 5000 + "}",
    "500 digits": '{"rating": ' + "9" * 500 + "}",
    "2^63": '{"rating": 9223372036854775808}',
    "5,000 decimals": '{"rating": 9.' + "9" * 5000 + "}",
    "true": '{"rating": true}',
    "string": '{"rating": "5"}',
    "null": '{"rating": null}',
    "list": '{"rating": [5]}',
    "zero": '{"rating": 0}',
    "minus": '{"rating": -1}',
    "too many": '{"rating": 5.5}',
    "no half": '{"rating": 4.3}',
    "almost": '{"rating": 4.5000001}',
    "missing": "{}",
    "unknown field": '{"rating": 5, "' + CANARY + '": 1}',
    "lone surrogate as a key": '{"rating": 5, "\\ud800": 1}',
    "lone surrogate": '{"rating": "\\ud800' + CANARY + '"}',
    "nul": '{"rating": "\\u0000' + CANARY + '"}',
    "twice": '{"rating": 5, "rating": 4}',
    "array": "[5]",
    "number": "5",
    "text": f'"{CANARY}"',
    "no body": "",
    "broken": '{"rating": 5',
    "trailing": '{"rating": 5} ' + CANARY,
    "comment": '{"rating": 5 /* five */}',
    "single quotes": "{'rating': 5}",
    "byte order mark": b'\xef\xbb\xbf{"rating": 5}',
    "utf-16": '{"rating": 5}'.encode("utf-16"),
    "latin-1": '{"rating": "é"}'.encode("latin-1"),
    "deep": "[" * 100_000 + "]" * 100_000,
    "deep objects": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "deep in a field": '{"rating": ' + "[" * 900 + "]" * 900 + "}",
    "wide": '{"rating": [' + ",".join(["1"] * 100_000) + "]}",
    "time without zone": '{"rating": 5, "rated_at": "2020-01-01T00:00:00"}',
    "no such day": '{"rating": 5, "rated_at": "2021-02-29T00:00:00Z"}',
    "time as number": '{"rating": 5, "rated_at": 1600000000}',
    "far future": '{"rating": 5, "rated_at": "9999-12-31T23:59:59Z"}',
    "before 1970": '{"rating": 5, "rated_at": "1969-12-31T23:59:59Z"}',
    "year 0": '{"rating": 5, "rated_at": "0000-01-01T00:00:00Z"}',
    "odd digits": '{"rating": 5, "rated_at": "\\uff12\\uff10\\uff12\\uff10-01-01T00:00:00Z"}',
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_rating_stores_nothing(client, name):
    before = client.rooms.store.version()
    body = assert_problem(send(client, RATING, BODIES[name]))
    assert body["status"] in {400, 422}
    assert client.rooms.store.version() == before


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize(
    "path",
    [
        MOVIE,
        VISITOR,
        "/v1/ratings",
        "/v1/recommendations/group",
        "/v1/recommendations/what-if",
        "/v1/recommendations/batch",
    ],
)
def test_no_body_breaks_another_route(client, path, name):
    method = "PUT" if path == MOVIE else "POST"
    assert_problem(send(client, path, BODIES[name], method))


def test_the_field_is_named(client):
    assert_problem(send(client, RATING, '{"rating": "5"}'), 422, "body.rating")
    body = assert_problem(send(client, RATING, BODIES["unknown field"]), 422, "body")
    assert "rating, rated_at" in body["errors"][0]["message"]
    ratings = [{"movie_id": "m01", "rating": 5}, {"movie_id": "m02", "rating": 9}]
    assert_problem(client.post(VISITOR, json={"ratings": ratings}), 422, "body.ratings[1].rating")
    ratings[1] = {"movie_id": "m01", "rating": 3}
    assert_problem(client.post(VISITOR, json={"ratings": ratings}), 422, "body.ratings[1].movie_id")


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"]
)
def test_only_json_is_read(client, kind):
    response = send(client, RATING, '{"rating": 5}', content_type=kind)
    assert_problem(response, 415)


def test_json_with_parameters_is_json(client):
    response = send(client, RATING, '{"rating": 5}', content_type="application/json; charset=utf-8")
    assert response.status_code == 200


MOVIES = {
    "no title": {},
    "empty title": {"title": ""},
    "long title": {"title": "x" * (LIMITS.title_length + 1)},
    "title with a bell": {"title": "a\x07"},
    "title with nul": {"title": "a\x00"},
    "title as number": {"title": 5},
    "year as text": {"title": "a", "year": "1994"},
    "year as float": {"title": "a", "year": 1994.5},
    "year as bool": {"title": "a", "year": True},
    "year far": {"title": "a", "year": 10**20},
    "year early": {"title": "a", "year": 1000},
    "genres as text": {"title": "a", "genres": "Drama"},
    "genres of numbers": {"title": "a", "genres": [1]},
    "empty genre": {"title": "a", "genres": [""]},
    "many genres": {"title": "a", "genres": ["x"] * 51},
    "available as number": {"title": "a", "available": 1},
    "available as text": {"title": "a", "available": "true"},
    "attributes as list": {"title": "a", "attributes": []},
    "integer beyond 64 bits": {"title": "a", "attributes": {CANARY: 2**64}},
    "many attributes": {"title": "a", "attributes": {f"{CANARY}{i}": 1 for i in range(51)}},
    "long attribute name": {"title": "a", "attributes": {CANARY * 20: 1}},
    "large attributes": {"title": "a", "attributes": {CANARY: "x" * 20_000}},
    "nul in an attribute": {"title": "a", "attributes": {CANARY: "\x00"}},
    "unknown field": {"title": "a", CANARY: 1},
}


@pytest.mark.parametrize("name", MOVIES)
def test_a_bad_movie_changes_nothing(client, name):
    before = client.get(MOVIE).json()
    assert_problem(client.put(MOVIE, json=MOVIES[name]), 422)
    assert client.get(MOVIE).json() == before


@pytest.mark.parametrize(("depth", "status"), [(14, 200), (15, 400), (100, 400), (900, 400)])
def test_json_may_be_nested_sixteen_deep(client, depth, status):
    nested = "[" * depth + "]" * depth
    body = f'{{"title": "Film m01", "attributes": {{"a": {nested}}}}}'
    response = send(client, MOVIE, body)
    assert response.status_code == status, response.text


@pytest.mark.parametrize(
    "n", ["0", "-1", "501", "1000000000", "9" * 30, "ten", "1.0", "1_0", "+1", "", "٣", "true"]
)
@pytest.mark.parametrize(
    "path",
    [
        "/v1/users/u00/recommendations",
        "/v1/movies/popular",
        "/v1/movies/m01/similar",
        "/v1/users/u00/similar",
    ],
)
def test_n_is_a_whole_number_up_to_500(client, path, n):
    assert_problem(client.get(path, params={"n": n}), 422, "query.n")


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x"])
@pytest.mark.parametrize("path", ["/v1/users", "/v1/movies", "/v1/users/u00/ratings"])
def test_limit_is_a_whole_number_up_to_500(client, path, limit):
    assert_problem(client.get(path, params={"limit": limit}), 422, "query.limit")


@pytest.mark.parametrize("q", ["", "\x00", "a\nb", "x" * 201])
@pytest.mark.parametrize("path", ["/v1/users", "/v1/movies"])
def test_q_is_a_short_text(client, path, q):
    assert_problem(client.get(path, params={"q": q}), 422, "query.q")


@pytest.mark.parametrize("query", [f"{CANARY}=1", "n=1&n=2", "N=5", "exclude_seen=2"])
def test_what_is_not_understood_is_not_ignored(client, query):
    body = assert_problem(client.get(f"/v1/users/u00/recommendations?{query}"), 422)
    if "exclude" not in query:
        message = body["errors"][0]["message"]
        assert "exclude_seen, explain, fields, filter, n" in message or "more than once" in message


def test_every_route_refuses_unknown_parameters(client):
    for path in ("/livez", "/version", "/v1/models", "/v1/users/u00", "/v1/movies/m01"):
        assert_problem(client.get(f"{path}?x=1"), 422, "query")


CURSORS = ["", "x", "%00", "AAAA", "W10", "WzEsMl0", "bnVsbA", "é", "!!!!", "A" * 900, "a=b", "=="]


@pytest.mark.parametrize("cursor", CURSORS)
@pytest.mark.parametrize("path", ["/v1/users", "/v1/movies", "/v1/users/u00/ratings"])
def test_an_invented_cursor(client, path, cursor):
    response = client.get(path, params={"cursor": cursor})
    body = assert_problem(response, 422)
    assert body["type"] == "/problems/invalid-cursor"


def test_a_cursor_of_another_list(client):
    cursor = client.get("/v1/movies", params={"limit": 1}).json()["next_cursor"]
    for path, params in (("/v1/users", {}), ("/v1/movies", {"q": "film"})):
        body = assert_problem(client.get(path, params={"cursor": cursor, **params}), 422)
        assert body["type"] == "/problems/invalid-cursor"


def test_an_error_in_each_of_many_rows_is_a_small_answer(client):
    ratings = [{"movie_id": CANARY, "rating": CANARY} for _ in range(900)]
    body = assert_problem(client.post(VISITOR, json={"ratings": ratings}), 422)
    assert len(body["errors"]) == 20
    assert body["more_errors"] == 880


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(body=json_like | st.fixed_dictionaries({"rating": json_like}))
@example(body={"rating": 5, "rated_at": "2020-01-01T00:00:00+24:00"})
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_body_at_all_is_the_servers_fault(client, body):
    response = send(client, RATING, json.dumps(body))
    if response.status_code != 200:
        assert_problem(response)


@given(raw=st.binary(max_size=60))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_bytes_are_the_servers_fault(client, raw):
    assert_problem(send(client, VISITOR, raw, "POST"))
