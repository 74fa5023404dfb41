"""Lists in pages: whatever happens between two, none repeats a movie and none skips one."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from app.api import cursors
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

    @pytest.mark.parametrize("text", ["", "x", "%%", "A" * 2000, "é" * 10, "AAAAAAAAAAAAAAAA"])
    def test_made_up(self, client, text):
        self.refused(client, text)

    def test_cut_short_or_continued(self, client, cursor):
        self.refused(client, cursor[:-1])
        self.refused(client, cursor + "A")

    def test_of_a_generation_that_is_gone(self, client, cursor, retrain):
        retrain()
        client.look()
        self.refused(client, cursor, status=410)

    def test_with_a_vector_that_is_none(self, client):
        serving = client.rooms.current.take()
        listed = "recommendations user u00 True "
        for vector in (np.full(2, np.nan), np.full(2, np.inf), np.ones(3), np.ones(0)):
            position = Position(0.5, 1, vector.astype(np.float32), False)
            self.refused(client, cursors.encode_position(listed, serving, position))

    def test_a_row_that_is_none_is_a_place_all_the_same(self, client):
        """Newcomers come and go, and their rows with them."""
        serving = client.rooms.current.take()
        for popular, user in ((False, "u00"), (True, "nobody")):
            listed = f"recommendations user {user} True "
            position = Position(0.0, 10**9, None, popular)
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
