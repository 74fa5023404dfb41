"""Lists for users and visitors: every value against the planted truth or a naive twin."""

from __future__ import annotations

import numpy as np
import pytest

from app.api.schemas.recommendations import AnonymousRecommendations, Recommendations
from recommender.generations import load_generation


def ask(client, user, **params):
    response = client.get(f"/v1/users/{user}/recommendations", params=params)
    assert response.status_code == 200, response.text
    return response.json()


def ids(answer):
    return [line["movie_id"] for line in answer["movies"]]


@pytest.fixture
def generation(data_dir):
    return load_generation(data_dir / "models")


def naive_scores(generation, user):
    """Six lines that cannot be wrong: every dot product, one at a time."""
    model = generation.ranking
    row = list(model.user_ids).index(user)
    return {
        str(item): float(
            sum(model.user_factors[row][k] * model.item_factors[i][k] for k in range(2))
        )
        for i, item in enumerate(model.item_ids)
    }


@pytest.mark.parametrize("number", range(0, 40, 5))
def test_the_list_is_the_full_sort_of_the_dot_products_without_what_was_seen(
    client, world, generation, number
):
    user = world.users[number]
    scores = naive_scores(generation, user)
    left = sorted(set(world.movies) - set(world.seen(user)), key=lambda m: (-scores[m], m))
    answer = ask(client, user, n=500)
    assert ids(answer) == left
    assert answer["matched"] == len(left) == 15
    assert [line["score"] for line in answer["movies"]] == pytest.approx(
        [scores[movie] for movie in left], abs=2e-6
    )
    assert answer["model"] == {
        "generation": 1,
        "trained_at": "2026-11-23T10:00:00Z",
        "fresh_ratings": 0,
    }
    assert "fallback" not in answer


def test_everybody_gets_the_own_taste_first(client, world):
    for user in world.users:
        own_left = world.of_taste(world.taste(user)) - set(world.seen(user))
        assert set(ids(ask(client, user, n=5))) == own_left


def test_titles_years_and_genres_are_those_of_the_movie(client, world):
    for line in ask(client, "u00", n=20)["movies"]:
        movie = line["movie_id"]
        assert line["title"] == f"Film {movie}"
        assert line["year"] == 1980 + int(movie[1:])
        assert line["genres"] == (["Kids"] if world.taste(movie) else ["Art", "Noir"])


def test_predicted_ratings_are_the_stars_that_were_planted(client, world):
    errors = []
    for user in world.users[:8]:
        for line in ask(client, user, n=500)["movies"]:
            planted = 5.0 if world.taste(line["movie_id"]) == world.taste(user) else 1.0
            assert 0.5 <= line["predicted_rating"] <= 5.0
            assert round(line["predicted_rating"], 2) == line["predicted_rating"]
            errors.append(abs(line["predicted_rating"] - planted))
    assert np.mean(errors) < 0.8  # the mean of all stars, for everybody, would be off by two


def test_seen_movies_come_back_when_they_are_asked_for(client, world):
    answer = ask(client, "u00", n=500, exclude_seen="false")
    assert set(ids(answer)) == set(world.movies)
    assert answer["matched"] == 24


def test_reasons_are_the_three_strongest_parts_of_the_score(client, world, generation):
    for line in ask(client, "u03", n=15, explain="true")["movies"]:
        whole = generation.ranking.explain("u03", line["movie_id"])
        assert whole.contributions.sum() == pytest.approx(line["score"], abs=1e-5)
        expected = [
            (str(item), float(part))
            for item, part in zip(whole.item_ids, whole.contributions, strict=True)
            if part > 0
        ][:3]
        assert [reason["movie_id"] for reason in line["because"]] == [item for item, _ in expected]
        assert [reason["contribution"] for reason in line["because"]] == pytest.approx(
            [part for _, part in expected], abs=2e-6
        )
        for reason in line["because"]:
            assert reason["movie_id"] in world.seen("u03")
            assert reason["title"] == f"Film {reason['movie_id']}"
    best = ask(client, "u03", n=1, explain="true")["movies"][0]
    assert len(best["because"]) == 3
    assert all(world.taste(r["movie_id"]) == world.taste("u03") for r in best["because"])


def test_no_reasons_unless_asked(client):
    assert "because" not in ask(client, "u03")["movies"][0]


def test_ten_is_the_default_and_n_is_kept(client):
    assert len(ask(client, "u00")["movies"]) == 10
    assert len(ask(client, "u00", n=1)["movies"]) == 1
    longer, shorter = ids(ask(client, "u00", n=12)), ids(ask(client, "u00", n=4))
    assert longer[:4] == shorter


def test_an_unknown_user_gets_what_most_people_rated(client, world):
    answer = ask(client, "nobody", n=5)
    counts = dict.fromkeys(world.movies, 0)
    for _, movie in world.ratings:
        counts[movie] += 1
    expected = sorted(world.movies, key=lambda movie: (-counts[movie], movie))[:5]
    assert answer["fallback"] == "popular"
    assert ids(answer) == expected
    assert answer["matched"] == 24
    assert [line["score"] for line in answer["movies"]] == pytest.approx(
        [counts[movie] / 40 for movie in expected], abs=1e-6
    )
    assert client.get("/v1/users/nobody").status_code == 404


def test_a_visitor_gets_the_list_of_a_user_with_the_same_ratings(client, world):
    ratings = [{"movie_id": m, "rating": s} for m, s in world.seen("u07").items()]
    response = client.post("/v1/recommendations", json={"ratings": ratings, "n": 15})
    assert response.status_code == 200, response.text
    visitor, user = response.json(), ask(client, "u07", n=15)
    assert ids(visitor) == ids(user)
    for one, other in zip(visitor["movies"], user["movies"], strict=True):
        assert one["score"] == pytest.approx(other["score"], abs=1e-3)
        assert one["predicted_rating"] == pytest.approx(other["predicted_rating"], abs=0.02)
    assert visitor["unknown_movies"] == []
    assert visitor["matched"] == 15
    AnonymousRecommendations.model_validate(visitor)


def test_a_visitor_may_name_movies_that_nobody_knows(client):
    ratings = [{"movie_id": "m01", "rating": 5}, {"movie_id": "what?", "rating": 5}]
    answer = client.post("/v1/recommendations", json={"ratings": ratings}).json()
    assert answer["unknown_movies"] == ["what?"]
    assert "fallback" not in answer
    assert "m01" not in ids(answer)


@pytest.mark.parametrize("ratings", [[], [{"movie_id": "what?", "rating": 5}]])
def test_a_visitor_of_whom_nothing_is_known_gets_what_is_popular(client, ratings):
    answer = client.post("/v1/recommendations", json={"ratings": ratings}).json()
    assert answer["fallback"] == "popular"
    assert ids(answer) == ids(ask(client, "nobody"))


@pytest.mark.parametrize("stars", [1e308, -1e308, 0, 0.4, 5.01, 1e9])
def test_a_visitor_rates_on_the_scale(client, stars):
    for path, body in (
        ("/v1/recommendations", {"ratings": [{"movie_id": "m01", "rating": stars}]}),
        (
            "/v1/recommendations/what-if",
            {"user_id": "u00", "set": [{"movie_id": "m01", "rating": stars}]},
        ),
    ):
        response = client.post(path, json=body)
        assert response.status_code == 422, response.text
        assert response.json()["errors"][0]["field"].endswith("[0].rating")


def test_a_visitor_is_not_stored(client):
    before = client.rooms.store.counts()
    client.post("/v1/recommendations", json={"ratings": [{"movie_id": "m01", "rating": 5}]})
    assert client.rooms.store.counts() == before


def test_answers_are_what_the_document_says(client):
    Recommendations.model_validate(ask(client, "u00", explain="true"))
    Recommendations.model_validate(ask(client, "nobody", explain="true"))
    assert Recommendations.model_validate(
        Recommendations.model_config["json_schema_extra"]["examples"][0]
    )


def test_neighbours_are_of_the_same_taste_and_sorted_by_cosine(client, world, generation):
    answer = client.get("/v1/movies/m02/similar", params={"n": 23}).json()
    factors = generation.ranking.item_factors.astype(float)
    unit = factors / np.linalg.norm(factors, axis=1, keepdims=True)
    cosines = dict(zip(world.movies, unit @ unit[2], strict=True))
    expected = sorted(set(world.movies) - {"m02"}, key=lambda movie: -cosines[movie])
    assert ids(answer) == expected
    assert [line["score"] for line in answer["movies"]] == pytest.approx(
        [cosines[movie] for movie in expected], abs=1e-5
    )
    assert {world.taste(movie) for movie in ids(answer)[:11]} == {0}
    assert client.get("/v1/movies/none/similar").status_code == 404


def test_neighbours_by_dot_product_are_sorted_by_it(client, world, generation):
    answer = client.get("/v1/movies/m02/similar", params={"n": 23, "by": "dot"}).json()
    factors = generation.ranking.item_factors.astype(float)
    products = dict(zip(world.movies, factors @ factors[2], strict=True))
    expected = sorted(set(world.movies) - {"m02"}, key=lambda movie: -products[movie])
    assert ids(answer) == expected
    assert [line["score"] for line in answer["movies"]] == pytest.approx(
        [products[movie] for movie in expected], abs=1e-5
    )
    refused = client.get("/v1/movies/m02/similar", params={"by": "euclid"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "query.by"


def test_popular_movies_are_counted(client, world):
    answer = client.get("/v1/movies/popular", params={"n": 24}).json()
    counts = [line["n_ratings"] for line in answer["movies"]]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == len(world.ratings)
    assert answer["matched"] == 24


class TestWhatMustNotBeShown:
    """A movie that is not available, or gone, never appears, whichever way one asks."""

    @pytest.fixture(params=["unavailable", "deleted"])
    def hidden(self, request, client):
        if request.param == "deleted":
            assert client.delete("/v1/movies/m02").status_code == 204
        else:
            body = {"title": "Film m02", "available": False}
            assert client.put("/v1/movies/m02", json=body).status_code == 200
        return "m02"

    def test_through_any_list(self, client, world, hidden):
        lists = [ask(client, user, n=500, exclude_seen="false") for user in [*world.users, "new"]]
        lists += [ask(client, user, n=500) for user in world.users]
        lists.append(client.get("/v1/movies/popular", params={"n": 500}).json())
        lists += [
            client.get(f"/v1/movies/{movie}/similar", params={"n": 500}).json()
            for movie in world.movies
            if movie != hidden
        ]
        body = {"ratings": [{"movie_id": "m04", "rating": 5}], "n": 500}
        lists.append(client.post("/v1/recommendations", json=body).json())
        for answer in lists:
            assert hidden not in ids(answer)
            assert len(ids(answer)) > 10

    def test_as_a_reason(self, client, world, hidden):
        fans = [user for user in world.users if hidden in world.seen(user)]
        assert fans
        for user in fans:
            for line in ask(client, user, n=24, explain="true")["movies"]:
                assert hidden not in [reason["movie_id"] for reason in line["because"]]

    def test_and_the_count_knows(self, client, hidden):
        assert ask(client, "u00", exclude_seen="false")["matched"] == 23

    def test_and_it_comes_back(self, client, hidden):
        status = client.put("/v1/movies/m02", json={"title": "Film m02"}).status_code
        assert status in {200, 201}
        assert "m02" in ids(ask(client, "new", n=500))
