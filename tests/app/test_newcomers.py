"""Movies that are newer than the model: listed by what is known of them, from the next request."""

from __future__ import annotations

import numpy as np
import pytest

from recommender.generations import load_generation
from recommender.models.item_vector import ItemVector
from tests.app.test_recommendations import ask, ids


def add(client, movie, genres=(), **more):
    body = {"title": f"Film {movie}", "genres": list(genres), **more}
    response = client.put(f"/v1/movies/{movie}", json=body)
    assert response.status_code in {200, 201}, response.text


def rate(client, user, movie, stars):
    response = client.put(f"/v1/users/{user}/ratings/{movie}", json={"rating": stars})
    assert response.status_code == 200, response.text


def line_of(client, user, movie, **params):
    lines = ask(client, user, n=500, **params)["movies"]
    return next((line for line in lines if line["movie_id"] == movie), None)


@pytest.fixture
def generation(data_dir):
    return load_generation(data_dir / "models")


def fans(world, taste):
    return [user for user in world.users if world.taste(user) == taste]


class TestOfGenresThatTheModelKnows:
    def test_it_is_listed_for_those_who_like_its_kind(self, client, world):
        add(client, "new", ["Kids"], year=1999)
        for user in world.users:
            answer = ask(client, user, n=500)
            assert answer["matched"] == 16
            place = ids(answer).index("new")
            own_left = len(world.of_taste(world.taste(user)) - set(world.seen(user)))
            assert (place <= own_left) is (world.taste(user) == 1)

    def test_its_score_is_the_product_with_the_predicted_vector(self, client, world, generation):
        add(client, "new", ["Kids"])
        serving = client.rooms.current.take()
        vector = serving.vectors(np.array([24]))[0].astype(float)
        kids = [i for i, movie in enumerate(world.movies) if world.taste(movie)]
        # One genre and no year tell no more than what the mean of such movies is, less a little.
        mean = generation.ranking.item_factors[kids].mean(axis=0)
        assert vector @ mean > 0.8 * mean @ mean
        for number, user in enumerate(world.users[:6]):
            line = line_of(client, user, "new")
            expected = float(generation.ranking.user_factors[number].astype(float) @ vector)
            assert line["score"] == pytest.approx(expected, abs=2e-6)
            planted = 5.0 if world.taste(user) == 1 else 1.0
            assert line["predicted_rating"] == pytest.approx(planted, abs=1.2)

    def test_each_rating_moves_it_from_there(self, client, world, generation):
        """The training said that it is for children; those who saw it say that it is not."""
        add(client, "new", ["Kids"])
        serving = client.rooms.current.take()
        raters = fans(world, 0)[:8]
        place = np.array([24])
        before = serving.vectors(place)[0]
        reader = fans(world, 0)[-1]
        scores = [line_of(client, reader, "new")["score"]]
        for user in raters:
            rate(client, user, "new", 5)
            scores.append(line_of(client, reader, "new")["score"])
        assert scores == sorted(scores)
        assert scores[-1] > scores[0] + 0.2
        rows = np.array([generation.ranking.user_row(user) for user in raters])
        expected = generation.ranking.fold_in_item_rows(
            rows, np.full(len(rows), 5, np.float32), ItemVector(before, 0.0)
        ).vector
        assert client.rooms.current.take().vectors(place)[0] == pytest.approx(expected, abs=1e-6)
        # Other genres are another beginning, and no vector that was worked out before stays.
        add(client, "new", ["Art", "Noir"])
        assert line_of(client, reader, "new")["score"] > scores[-1]

    def test_every_list_knows_it(self, client, world):
        add(client, "new", ["Kids"])
        assert "new" in ids(client.get("/v1/movies/m01/similar", params={"n": 500}).json())
        similar = client.get("/v1/movies/new/similar", params={"n": 6}).json()
        assert {world.taste(movie) for movie in ids(similar)} == {1}
        assert "new" in ids(client.get("/v1/movies/popular", params={"n": 500}).json())
        assert "new" in ids(ask(client, "nobody", n=500))
        body = {"ratings": [{"movie_id": "m01", "rating": 5}], "n": 500}
        assert "new" in ids(client.post("/v1/recommendations", json=body).json())
        for weight in ("diversity", "novelty", "calibration"):
            assert "new" in ids(ask(client, "u00", n=500, **{weight: "0.7"}))

    def test_reasons_add_up_to_its_score(self, client, generation):
        add(client, "new", ["Kids"])
        serving = client.rooms.current.take()
        vectors = serving.vectors(np.array([24]))
        for user in ("u01", "u03"):
            line = line_of(client, user, "new", explain="true")
            parts = generation.ranking.folded(generation.ranking.user_row(user))
            assert parts.contributions_to(vectors).sum() == pytest.approx(line["score"], abs=1e-5)
            assert all(reason["contribution"] > 0 for reason in line["because"])

    def test_filters_and_pages_take_it_in(self, client):
        add(client, "new", ["Kids"], year=2020)
        assert ids(ask(client, "u00", filter="year == 2020")) == ["new"]
        assert ids(ask(client, "u00", filter='"Kids" in genres', n=500)).count("new") == 1
        whole = ids(ask(client, "u01", n=500))
        first = ask(client, "u01", n=5)
        rest = ask(client, "u01", n=500, cursor=first["next_cursor"])
        assert ids(first) + ids(rest) == whole

    def test_it_goes_as_it_came(self, client):
        before = ask(client, "u00", n=500)
        add(client, "new", ["Kids"])
        add(client, "new", ["Kids"], available=False)
        assert "new" not in ids(ask(client, "u00", n=500))
        add(client, "new", ["Kids"])
        assert client.delete("/v1/movies/new").status_code == 204
        assert ask(client, "u00", n=500) == before

    def test_what_was_rated_is_seen(self, client):
        add(client, "new", ["Kids"])
        rate(client, "u00", "new", 5)
        answer = ask(client, "u00", n=500)
        assert "new" not in ids(answer)
        assert answer["matched"] == 15
        assert answer["model"]["fresh_ratings"] == 0
        assert "new" in ids(ask(client, "u00", n=500, exclude_seen="false"))
        rate(client, "nobody", "new", 5)
        answer = ask(client, "nobody", n=500)
        assert answer["fallback"] == "popular"
        assert "new" not in ids(answer)
        assert answer["matched"] == 24
        body = {"ratings": [{"movie_id": "new", "rating": 5}], "n": 500}
        visitor = client.post("/v1/recommendations", json=body).json()
        assert visitor["unknown_movies"] == ["new"]
        assert "new" not in ids(visitor)

    def test_many_at_once(self, client):
        for number in range(7):
            add(client, f"new{number}", ["Kids"] if number % 2 else ["Art"], year=1990 + number)
        listed = ids(ask(client, "u01", n=500))
        assert {f"new{number}" for number in range(7)} <= set(listed)
        assert client.delete("/v1/movies/new3").status_code == 204
        assert "new3" not in ids(ask(client, "u01", n=500))


class TestOfWhichNothingIsKnown:
    def test_no_list_of_recommendations_holds_it(self, client, world):
        before = [ask(client, user, n=500) for user in world.users[:4]]
        add(client, "new", ["Never heard of"])
        assert [ask(client, user, n=500) for user in world.users[:4]] == before
        assert client.get("/v1/movies/new/similar").json()["movies"] == []
        assert "new" not in ids(client.get("/v1/movies/m01/similar", params={"n": 500}).json())

    def test_popular_ones_hold_it_last(self, client):
        add(client, "a-new", ["Never heard of"])
        listed = client.get("/v1/movies/popular", params={"n": 500}).json()
        assert ids(listed)[-1] == "a-new"
        assert listed["movies"][-1]["n_ratings"] == 0

    @pytest.mark.parametrize("stars", [5, 1])
    def test_ratings_tell_what_it_is(self, client, world, generation, stars):
        add(client, "new")
        raters = fans(world, 1)[:6]
        for user in raters[:2]:
            rate(client, user, "new", stars)
        assert line_of(client, "u01", "new", exclude_seen="false") is None
        for user in raters[2:]:
            rate(client, user, "new", stars)
        rows = [generation.ranking.user_row(user) for user in raters]
        expected = generation.ranking.fold_in_item_rows(
            np.array(rows), np.full(len(rows), stars, np.float32)
        ).vector
        reader = fans(world, 1)[-1]
        line = line_of(client, reader, "new")
        vector = generation.ranking.user_factors[generation.ranking.user_row(reader)]
        assert line["score"] == pytest.approx(float(vector @ expected), abs=2e-6)
        if stars == 5:
            assert line["predicted_rating"] > 3.5
        else:
            assert line["predicted_rating"] < 3

    def test_a_rating_that_is_taken_back_is_not_counted(self, client, world):
        add(client, "new")
        for user in fans(world, 1)[:3]:
            rate(client, user, "new", 5)
        assert line_of(client, fans(world, 1)[-1], "new")
        assert client.delete(f"/v1/users/{fans(world, 1)[0]}/ratings/new").status_code == 200
        assert line_of(client, fans(world, 1)[-1], "new") is None

    def test_ratings_of_people_whom_the_model_does_not_know_are_none(self, client, world):
        add(client, "new")
        for number in range(5):
            rate(client, f"stranger{number}", "new", 5)
        assert line_of(client, "u01", "new") is None


def test_after_the_next_training_it_is_a_movie_like_others(client, world, retrain):
    add(client, "new", ["Kids"])
    for user in fans(world, 1)[:6]:
        rate(client, user, "new", 5)
    retrain()
    client.look()
    serving = client.rooms.current.take()
    assert serving.n_items == 25
    assert len(serving.newcomers) == 0
    assert len(serving.fresh) == 0
    assert line_of(client, fans(world, 1)[-1], "new")


def test_a_model_that_learned_nothing_of_attributes_serves_all_the_same(client, retrain):
    retrain(attributes=False)
    client.look()
    add(client, "new", ["Kids"])
    assert "new" not in ids(ask(client, "u01", n=500))
    assert "new" in ids(client.get("/v1/movies/popular", params={"n": 500}).json())


def test_very_many_are_scanned_as_few_are(client, monkeypatch):
    for number in range(12):
        add(client, f"new{number}", ["Kids"] if number % 2 else ["Art"], year=1985 + number)
    few = [ask(client, user, n=500) for user in ("u00", "u01", "nobody")]
    monkeypatch.setattr("app.serving.newcomers._MANY", 10)
    client.rooms.current.restock()
    assert client.rooms.current.take().newcomers.order is not None
    assert [ask(client, user, n=500) for user in ("u00", "u01", "nobody")] == few


def test_a_rating_of_one_leaves_the_masks_of_filters_alone(client):
    add(client, "new", ["Kids"])
    ask(client, "u00", filter="year > 1990")
    before = client.rooms.current.take()
    rate(client, "u01", "new", 5)
    after = client.rooms.current.take()
    assert after.newcomers is not before.newcomers
    assert after.masks is before.masks
    add(client, "new", ["Art"])
    assert client.rooms.current.take().masks is not before.masks


def test_ratings_that_come_while_another_generation_is_loaded_count_in_it(client, world):
    add(client, "new")
    serving, _ = client.rooms.loader._prepare(1)
    for user in fans(world, 1)[:4]:
        rate(client, user, "new", 5)
    current = client.rooms.current
    current.swap(serving, current.catalogue.revision)
    assert line_of(client, fans(world, 1)[-1], "new")
