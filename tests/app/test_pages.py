"""Lists in pages: whatever happens between two, none repeats a movie and none skips one."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from app.api import cursors
from app.limits import LIMITS
from app.problems import ProblemError
from app.serving.wanted import Position
from tests.app.test_bad_input import assert_problem
from tests.app.test_recommendations import ask, ids


def pages(client, user, n, between=lambda _page: None, **params):
    """Follow the cursors from the first page to the last."""
    found, cursor = [], {}
    for _ in range(100):
        answer = ask(client, user, n=n, **params, **cursor)
        found.append(answer)
        if answer["next_cursor"] is None:
            return found
        cursor = {"cursor": answer["next_cursor"]}
        between(answer)
    raise AssertionError("the pages have no end")


def all_ids(found):
    return [movie for answer in found for movie in ids(answer)]


@pytest.mark.parametrize("n", [1, 4, 5, 7, 15, 16])
@pytest.mark.parametrize("params", [{}, {"exclude_seen": "false"}, {"filter": "year < 1995"}])
def test_pages_are_the_list_in_parts(client, n, params):
    for user in ("u00", "nobody"):
        whole = ask(client, user, n=500, **params)
        found = pages(client, user, n, **params)
        assert all_ids(found) == ids(whole)
        assert [line for answer in found for line in answer["movies"]] == whole["movies"]
        assert {answer["matched"] for answer in found} == {whole["matched"]}
        assert all(len(answer["movies"]) == n for answer in found[:-1])
        assert 1 <= len(found[-1]["movies"]) <= n


def rate(client, user, movie, stars):
    response = client.put(f"/v1/users/{user}/ratings/{movie}", json={"rating": stars})
    assert response.status_code == 200


@pytest.mark.parametrize("user", ["u00", "nobody"])
@pytest.mark.parametrize("rated_before", [False, True])
def test_what_is_rated_between_pages_moves_nothing(client, world, user, rated_before):
    """The list turns over with every rating of a first page; its pages go on as they began."""
    if rated_before:
        rate(client, user, "m23", 5)
    begun = ids(ask(client, user, n=500))

    def rate_what_was_shown(answer):
        for movie in ids(answer)[:1]:
            rate(client, user, movie, 1)

    found = pages(client, user, 4, rate_what_was_shown)
    assert all_ids(found) == begun
    assert ids(ask(client, user, n=500)) != begun


def test_what_was_seen_since_is_not_shown(client):
    first = ask(client, "u00", n=3)
    later = ids(ask(client, "u00", n=500))[5]
    rate(client, "u00", later, 5)
    rest = all_ids([first]) + ids(ask(client, "u00", n=500, cursor=first["next_cursor"]))
    assert later not in rest
    assert len(rest) == len(set(rest)) == 14


def test_a_user_who_takes_every_rating_back_keeps_the_list_that_was_begun(client, world):
    begun = ids(ask(client, "u00", n=500))
    first = ask(client, "u00", n=2)
    for movie in world.seen("u00"):
        assert client.delete(f"/v1/users/u00/ratings/{movie}").status_code == 200
    assert ask(client, "u00", n=2)["fallback"] == "popular"
    rest = ask(client, "u00", n=500, cursor=first["next_cursor"])
    assert "fallback" not in rest
    assert [movie for movie in ids(rest) if movie in begun] == begun[2:]


def test_movies_that_come_and_go_between_pages_move_nothing_else(client):
    begun = ids(ask(client, "u00", n=500))

    def hide_the_next(_answer):
        body = {"title": "Gone", "available": False}
        assert client.put(f"/v1/movies/{begun[6]}", json=body).status_code == 200
        assert client.put("/v1/movies/new", json={"title": "New"}).status_code == 201

    first = ask(client, "u00", n=3)
    hide_the_next(first)
    rest = ids(ask(client, "u00", n=500, cursor=first["next_cursor"]))
    assert ids(first) + rest == begun[:6] + begun[7:]


@pytest.mark.parametrize("user", ["nobody", "u00"])
def test_newcomers_that_come_and_go_shift_nobody(client, user):
    """They stand in the order of their ids, and most have one score: none."""
    for number in range(1, 8):
        client.put(f"/v1/movies/n{number}", json={"title": "New", "genres": ["Kids"]})
    begun = ids(ask(client, user, n=500))
    places = [begun.index(f"n{number}") for number in range(1, 8)]
    assert places == list(range(places[0], places[0] + 7))
    first = ask(client, user, n=places[3] + 1)
    assert ids(first)[-1] == "n4"
    client.put("/v1/movies/n0", json={"title": "New", "genres": ["Kids"]})
    assert ids(ask(client, user, n=500, cursor=first["next_cursor"])) == begun[places[4] :]
    client.delete("/v1/movies/n2")
    client.delete("/v1/movies/n4")
    assert ids(ask(client, user, n=500, cursor=first["next_cursor"])) == begun[places[4] :]


def test_the_list_that_is_the_same_for_all_leaves_out_what_was_seen_since(client):
    first = ask(client, "nobody", n=2)
    later = ids(ask(client, "nobody", n=500))[4]
    rate(client, "nobody", later, 5)
    rest = ask(client, "nobody", n=500, cursor=first["next_cursor"])
    assert later not in ids(rest)
    assert rest["matched"] == 23
    assert rest["fallback"] == "popular"
    assert rest["model"]["fresh_ratings"] == 0


def test_what_is_said_of_a_later_page_is_of_the_list_that_was_begun(client, world):
    rate(client, "u00", "m23", 5)
    first = ask(client, "u00", n=3, explain="true")
    same = ask(client, "u00", n=3, explain="true", cursor=first["next_cursor"])
    assert same["model"]["fresh_ratings"] == 1
    assert all(line["because"] for line in same["movies"])
    rate(client, "u00", ids(first)[0], 1)
    moved = ask(client, "u00", n=3, explain="true", cursor=first["next_cursor"])
    assert ids(moved) == ids(same)
    assert [line["score"] for line in moved["movies"]] == [line["score"] for line in same["movies"]]
    assert moved["model"]["fresh_ratings"] == 1
    # What was rated since is no reason for a score that does not hold it.
    assert all(line["because"] == [] for line in moved["movies"])


def test_visitors_have_pages_too(client):
    ratings = [{"movie_id": "m04", "rating": 5}, {"movie_id": "m07", "rating": 2}]

    def asked(**more):
        return client.post("/v1/recommendations", json={"ratings": ratings, **more})

    whole = ids(asked(n=500).json())
    first = asked(n=6).json()
    second = asked(n=6, cursor=first["next_cursor"]).json()
    assert ids(first) + ids(second) == whole[:12]
    ratings[0]["rating"] = 1
    assert_problem(asked(n=6, cursor=first["next_cursor"]), 422)


class TestCursorsThatAreRefused:
    @pytest.fixture
    def cursor(self, client):
        return ask(client, "u00", n=3)["next_cursor"]

    def refused(self, client, cursor, user="u00", status=422, **params):
        path = f"/v1/users/{user}/recommendations"
        response = client.get(path, params={"cursor": cursor, **params})
        name = {422: "invalid-cursor", 410: "expired-cursor"}[status]
        assert assert_problem(response, status)["type"] == f"/problems/{name}"

    def test_of_another_list(self, client, cursor):
        self.refused(client, cursor, user="u01")
        self.refused(client, cursor, exclude_seen="false")
        self.refused(client, cursor, filter="year > 1990")

    def test_altered_in_any_place(self, client, cursor):
        for place in range(len(cursor)):
            other = "A" if cursor[place] != "A" else "B"
            self.refused(client, cursor[:place] + other + cursor[place + 1 :])

    @pytest.mark.parametrize("text", ["", "x", "%%", "A" * 12_000, "é" * 10, "AAAAAAAAAAAAAAAA"])
    def test_made_up(self, client, text):
        self.refused(client, text)

    def test_cut_short_or_continued(self, client, cursor):
        self.refused(client, cursor[:-1])
        self.refused(client, cursor + "A")

    def test_of_a_generation_that_is_gone(self, client, cursor, retrain):
        retrain()
        client.look()
        self.refused(client, cursor, status=410)

    LISTED = "recommendations user u00 True "

    @pytest.mark.parametrize(
        "vector", [np.full(2, np.nan), np.full(2, np.inf), np.ones(3), np.ones(0), np.ones(2_048)]
    )
    def test_with_a_vector_that_is_none_of_the_model(self, client, vector):
        serving = client.rooms.current.take()
        position = Position(0.5, "m01", vector.astype(np.float32))
        cursor = cursors.encode_position(self.LISTED, serving, position)
        assert len(cursor) <= LIMITS.cursor_length  # no model is too wide for a cursor
        self.refused(client, cursor)

    def test_with_a_score_that_is_none(self, client):
        serving = client.rooms.current.take()
        for score in (float("nan"), float("inf")):
            position = Position(score, "m01")
            self.refused(client, cursors.encode_position(self.LISTED, serving, position))

    @pytest.mark.parametrize("rest", [b"x", b"xxxx", b"xxxxxxx"])
    def test_with_more_than_belongs_there(self, client, rest):
        """There is no secret: whoever knows the code can make a checksum."""
        serving = client.rooms.current.take()
        good = cursors.encode_position(self.LISTED, serving, Position(0.5, "m01"))
        payload = cursors._unseal(self.LISTED, good)
        assert cursors._seal(self.LISTED, payload) == good
        self.refused(client, cursors._seal(self.LISTED, payload + rest))
        for length in range(len(payload)):
            self.refused(client, cursors._seal(self.LISTED, payload[:length]))

    def test_a_movie_that_is_none_is_a_place_all_the_same(self, client):
        serving = client.rooms.current.take()
        for popular, user in ((False, "u00"), (True, "nobody")):
            listed = f"recommendations user {user} True "
            position = Position(0.0, "gone since", None, popular)
            cursor = cursors.encode_position(listed, serving, position)
            assert ask(client, user, cursor=cursor)["matched"] in {15, 24}

    def test_together_with_reranking(self, client, cursor):
        for weight in ("diversity", "novelty", "calibration"):
            params = {"cursor": cursor, weight: "0.5"}
            response = client.get("/v1/users/u00/recommendations", params=params)
            assert_problem(response, 422, "query.cursor")
            answer = ask(client, "u00", n=3, **{weight: "0.5"})
            assert answer["next_cursor"] is None


def test_the_cursor_of_one_list_of_records_is_refused_by_another():
    cursor = cursors.encode("movies", "318")
    assert cursors.decode("movies", cursor) == "318"
    for listed, text in (("users", cursor), ("movies", cursor[:-2] + "AA"), ("movies", "AAAA")):
        with pytest.raises(ProblemError):
            cursors.decode(listed, text)
    packed = base64.urlsafe_b64encode(b"12345678" + b'"318"').decode().rstrip("=")
    with pytest.raises(ProblemError):
        cursors.decode("movies", packed)
