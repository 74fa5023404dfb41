"""A user's list if ratings were other ones: what it says is what would come to pass."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api.schemas.what_if import WhatIf, WhatIfBody
from recommender.generations import load_generation
from tests.app.conftest import plant
from tests.app.test_bad_input import assert_problem
from tests.app.test_newcomers import add, rate
from tests.app.test_recommendations import ask, ids, naive_scores

PATH = "/v1/recommendations/what-if"
WORLD = plant()


def stars(**ratings):
    return [{"movie_id": movie, "rating": rating} for movie, rating in ratings.items()]


def suppose(client, user, **body):
    response = client.post(PATH, json={"user_id": user, **body})
    assert response.status_code == 200, response.text
    WhatIf.model_validate(response.json())
    return response.json()


@pytest.fixture
def generation(data_dir):
    return load_generation(data_dir / "models")


def moved(line):
    """What such a list says of a movie and a plain one does not."""
    ours = ("rank", "rank_before", "score_before", "predicted_rating_before")
    return {name: value for name, value in line.items() if name not in ours}


def naive_ranks(scores, seen):
    """Every movie that may be in the list, lined up."""
    left = sorted((m for m in scores if m not in seen), key=lambda m: (-scores[m], m))
    return {movie: place for place, movie in enumerate(left, 1)}


def test_every_rank_and_score_is_that_of_the_full_sort(client, world, generation):
    ranking = generation.ranking
    before = naive_scores(generation, "u00")
    seen = world.seen("u00")
    now = {**seen, "m02": 1.0, "m01": 5.0, "m03": 5.0}
    gone = next(movie for movie in seen if world.taste(movie) == 0)
    del now[gone]
    folded = ranking.fold_in(list(now), list(now.values()))
    after = dict(zip(world.movies, folded.predict(world.movies).tolist(), strict=True))
    ranks_before, ranks = naive_ranks(before, seen), naive_ranks(after, now)
    answer = suppose(client, "u00", set=stars(m02=1, m01=5, m03=5), remove=[gone], n=500)
    assert ids(answer) == list(ranks)
    assert answer["matched"] == len(ranks)
    for line in answer["movies"]:
        movie = line["movie_id"]
        assert line["rank"] == ranks[movie]
        assert line["rank_before"] == ranks_before.get(movie)
        assert line["score"] == pytest.approx(after[movie], abs=2e-6)
        if movie == gone:  # it was seen, and had no place
            assert line["rank_before"] is line["score_before"] is None
            assert line["predicted_rating_before"] is not None
        else:
            assert line["score_before"] == pytest.approx(before[movie], abs=2e-6)
    few = suppose(client, "u00", set=stars(m02=1, m01=5, m03=5), remove=[gone], n=4)
    assert few["movies"] == answer["movies"][:4]
    best_before = list(ranks_before)[:4]
    assert [line["movie_id"] for line in few["left"]] == [
        movie for movie in best_before if ranks.get(movie, 99) > 4
    ]
    for line in few["left"]:
        assert line["rank_before"] == ranks_before[line["movie_id"]]
        assert line["rank"] == ranks.get(line["movie_id"])
    assert few["left"]


def test_what_it_says_comes_to_pass(client, world):
    """Asked, then done: the list is the one that was foretold, to the last digit."""
    listed = {line["movie_id"]: line for line in ask(client, "u04", n=500)["movies"]}
    gone, lowered = list(world.seen("u04"))[:2]
    movie = next(iter(listed))
    changes = {"set": stars(**{movie: 4.5, lowered: 0.5}), "remove": [gone]}
    answer = suppose(client, "u04", **changes, n=500, explain=True)
    assert answer["model"]["fresh_ratings"] == 0
    rate(client, "u04", movie, 4.5)
    rate(client, "u04", lowered, 0.5)
    assert client.delete(f"/v1/users/u04/ratings/{gone}").status_code == 200
    now = ask(client, "u04", n=500, explain="true")
    assert [moved(line) for line in answer["movies"]] == now["movies"]
    assert answer["matched"] == now["matched"]
    for line in answer["movies"]:
        was = listed.get(line["movie_id"])
        assert line["score_before"] == (was["score"] if was else None)
        if was:
            assert line["predicted_rating_before"] == was["predicted_rating"]
    assert answer["left"] == [
        {**{k: listed[movie][k] for k in ("movie_id", "title", "year", "genres")},
         "rank_before": 1, "rank": None}
    ]  # fmt: skip
    # From fresh ratings on it goes the same way, and takes nothing back.
    again = suppose(client, "u04", remove=[movie], n=500)
    assert again["model"]["fresh_ratings"] == 3
    assert client.delete(f"/v1/users/u04/ratings/{movie}").status_code == 200
    assert [moved(line) for line in again["movies"]] == ask(client, "u04", n=500)["movies"]


def test_the_other_taste_comes_up_when_it_is_loved(client, world):
    other = world.of_taste(1)
    loved = sorted(other)[:4]
    removed = [movie for movie in world.seen("u00") if movie not in loved]
    changes = {"set": stars(**dict.fromkeys(loved, 5)), "remove": removed}
    answer = suppose(client, "u00", **changes, n=8)
    assert set(ids(answer)) <= other - set(loved)
    assert all(line["rank_before"] is None or line["rank_before"] > 3 for line in answer["movies"])
    assert {world.taste(line["movie_id"]) for line in answer["left"]} >= {0}


@given(data=st.data())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_changed_the_ranks_are_those_of_the_lists(shared_client, data):
    client = shared_client
    user = data.draw(st.sampled_from([*WORLD.users[:8], "nobody"]))
    movies = data.draw(
        st.lists(st.sampled_from(WORLD.movies), min_size=1, max_size=12, unique=True)
    )
    cut = data.draw(st.integers(0, len(movies)))
    rating = st.sampled_from([0.5, 1, 3, 5])
    changes = {
        "set": [{"movie_id": m, "rating": data.draw(rating)} for m in movies[:cut]],
        "remove": movies[cut:],
        "exclude_seen": data.draw(st.booleans()),
    }
    n = data.draw(st.integers(1, 24))
    seen = str(changes["exclude_seen"]).lower()
    before = ask(client, user, n=500, exclude_seen=seen)
    places = {} if "fallback" in before else {m: at for at, m in enumerate(ids(before), 1)}
    whole = suppose(client, user, **changes, n=500)
    answer = suppose(client, user, **changes, n=n)
    assert answer["movies"] == whole["movies"][:n]
    now = {line["movie_id"]: line["rank"] for line in whole["movies"]}
    assert list(now.values()) == list(range(1, len(now) + 1))
    assert all(line["rank_before"] == places.get(line["movie_id"]) for line in whole["movies"])
    expected = [(m, at, now.get(m)) for m, at in places.items() if at <= n < now.get(m, 99)]
    found = [(line["movie_id"], line["rank_before"], line["rank"]) for line in answer["left"]]
    assert found == expected
    rated = WORLD.seen(user)
    assert answer["not_rated"] == [m for m in movies[cut:] if m not in rated]
    assert answer["unknown_movies"] == []


def test_without_a_change_that_the_model_sees_nothing_moves(client):
    before = ask(client, "u00", n=500)["movies"]
    unseen = before[0]["movie_id"]
    answer = suppose(client, "u00", set=stars(what=5), remove=[unseen, "who"], n=500)
    assert answer["unknown_movies"] == ["what", "who"]
    assert answer["not_rated"] == [unseen]
    assert [moved(line) for line in answer["movies"]] == before
    assert all(line["rank"] == line["rank_before"] for line in answer["movies"])
    assert all(line["score"] == line["score_before"] for line in answer["movies"])
    assert answer["left"] == []


def test_somebody_of_whom_nothing_was_known(client, world):
    answer = suppose(client, "nobody", set=stars(m01=5, m03=5), n=10)
    assert "fallback" not in answer
    assert {world.taste(movie) for movie in ids(answer)} == {1}
    assert all(line["rank_before"] is line["score_before"] is None for line in answer["movies"])
    assert answer["left"] == []
    rate(client, "nobody", "m01", 5)
    rate(client, "nobody", "m03", 5)
    assert [moved(line) for line in answer["movies"]] == ask(client, "nobody")["movies"]


def test_somebody_of_whom_nothing_would_be_known(client, world):
    answer = suppose(client, "u00", remove=list(world.seen("u00")), n=5)
    popular = ask(client, "nobody", n=5)
    assert answer["fallback"] == "popular"
    assert ids(answer) == ids(popular)
    assert answer["matched"] == popular["matched"]
    assert [line["score"] for line in answer["movies"]] == [
        line["score"] for line in popular["movies"]
    ]
    ranks = {movie: place for place, movie in enumerate(ids(ask(client, "nobody", n=500)), 1)}
    before = {movie: place for place, movie in enumerate(ids(ask(client, "u00", n=500)), 1)}
    for line in answer["movies"]:
        assert line["rank_before"] == before.get(line["movie_id"])
    assert [(line["movie_id"], line["rank"]) for line in answer["left"]] == [
        (movie, ranks[movie]) for movie, place in before.items() if place <= 5 < ranks[movie]
    ]
    neither = suppose(client, "nobody", remove=["m01"], n=5)
    assert (neither["fallback"], neither["left"], neither["not_rated"]) == ("popular", [], ["m01"])


def test_a_newcomer_that_would_be_seen_is_left_out_and_comes_back(client):
    add(client, "new", ["Art"])
    place = ids(ask(client, "u00", n=500)).index("new") + 1
    answer = suppose(client, "u00", set=stars(new=5), n=place)
    assert "new" not in ids(answer)
    assert answer["unknown_movies"] == ["new"]
    (line,) = answer["left"]
    assert (line["movie_id"], line["rank_before"], line["rank"]) == ("new", place, None)
    rate(client, "u00", "new", 5)
    assert "new" not in ids(ask(client, "u00", n=500))
    back = suppose(client, "u00", remove=["new"], n=500)
    (line,) = (line for line in back["movies"] if line["movie_id"] == "new")
    assert (line["rank"], line["rank_before"]) == (place, None)
    assert back["unknown_movies"] == ["new"]


def test_reasons_are_those_of_the_changed_ratings(client):
    answer = suppose(client, "nobody", set=stars(m01=5), n=2, explain=True)
    for line in answer["movies"]:
        assert [reason["movie_id"] for reason in line["because"]] == ["m01"]
        assert line["because"][0]["contribution"] == pytest.approx(line["score"], abs=1e-4)
    assert "because" not in suppose(client, "nobody", set=stars(m01=5), n=2)["movies"][0]


def test_filter_fields_and_what_may_not_be_shown(client):
    body = {"title": "Film m02", "available": False}
    assert client.put("/v1/movies/m02", json=body).status_code == 200
    whole = suppose(client, "u01", set=stars(m04=5), n=500)
    assert "m02" not in ids(whole)
    early = suppose(client, "u01", set=stars(m04=5), n=500, filter="year < 1990")
    kept = [line for line in whole["movies"] if line["year"] < 1990]
    assert [line["movie_id"] for line in kept] == ids(early)
    assert [line["rank"] for line in early["movies"]] == list(range(1, len(kept) + 1))
    chosen = suppose(client, "u01", set=stars(m04=5), n=1, fields=["rank", "because", "title"])
    assert list(chosen["movies"][0]) == ["movie_id", "title", "rank", "because"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"set": [{"movie_id": "m01", "rating": 5}]}, "body.user_id"),
        ({"user_id": "", "remove": ["m01"]}, "body.user_id"),
        ({"user_id": "u00"}, "body.set"),
        ({"user_id": "u00", "set": [], "remove": []}, "body.set"),
        ({"user_id": "u00", "set": None}, "body.set"),
        ({"user_id": "u00", "set": [{"movie_id": "m01"}]}, "body.set[0].rating"),
        ({"user_id": "u00", "set": stars(m01=9)}, "body.set[0].rating"),
        ({"user_id": "u00", "set": stars(m01=True)}, "body.set[0].rating"),
        ({"user_id": "u00", "set": stars(m01=5) + stars(m01=4)}, "body.set[1].movie_id"),
        ({"user_id": "u00", "set": stars(popular=4)}, "body.set[0].movie_id"),
        ({"user_id": "u00", "set": stars(m01=4), "remove": ["m02", "m01"]}, "body.remove[1]"),
        ({"user_id": "u00", "remove": ["m02", "m01", "m02"]}, "body.remove[2]"),
        ({"user_id": "u00", "remove": ["m02", ""]}, "body.remove[1]"),
        ({"user_id": "u00", "remove": "m02"}, "body.remove"),
        ({"user_id": "u00", "remove": [f"x{i}" for i in range(1001)]}, "body.remove"),
        ({"user_id": "u00", "set": stars(**{f"x{i}": 4 for i in range(1001)})}, "body.set"),
        ({"user_id": "u00", "remove": ["m01"], "n": 0}, "body.n"),
        ({"user_id": "u00", "remove": ["m01"], "n": 501}, "body.n"),
        ({"user_id": "u00", "remove": ["m01"], "n": 10**9}, "body.n"),
        ({"user_id": "u00", "remove": ["m01"], "filter": "year >="}, "body.filter"),
        ({"user_id": "u00", "remove": ["m01"], "fields": ["cAnArY7"]}, "body.fields"),
        ({"user_id": "u00", "remove": ["m01"], "novelty": 0.5}, "body"),
        ({"user_id": "u00", "remove": ["m01"], "cursor": "x"}, "body"),
    ],
)
def test_bad_input(client, body, field):
    assert_problem(client.post(PATH, json=body), 422, field)


def test_nothing_is_stored_nor_remembered(client):
    store = client.rooms.store
    before = store.counts(), store.version(), ask(client, "u00", n=500)
    suppose(client, "u00", set=stars(m01=5, what=4), remove=["m00", "m02", "m04"])
    suppose(client, "nobody", set=stars(m01=5))
    assert (store.counts(), store.version(), ask(client, "u00", n=500)) == before
    assert client.get("/v1/users/nobody").status_code == 404


def test_min_version_is_honoured(client):
    body = {"user_id": "u00", "remove": ["m01"]}
    assert client.post(PATH, json=body, headers={"Min-Version": "1"}).status_code == 200
    assert client.post(PATH, json=body, headers={"Min-Version": "9" * 9}).status_code == 503


def test_the_examples_are_what_is_taken_and_given():
    WhatIfBody.model_validate(WhatIfBody.model_config["json_schema_extra"]["examples"][0])
    WhatIf.model_validate(WhatIf.model_config["json_schema_extra"]["examples"][0])
