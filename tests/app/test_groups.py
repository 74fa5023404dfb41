"""Lists for groups: every value against the planted truth or a naive twin."""

from __future__ import annotations

import numpy as np
import pytest

from app.api.schemas.groups import GroupBody, GroupRecommendations
from recommender.generations import load_generation
from tests.app.test_bad_input import assert_problem
from tests.app.test_newcomers import add, rate
from tests.app.test_recommendations import ask, ids, naive_scores

PATH = "/v1/recommendations/group"
GROUPS = [["u00"], ["u00", "u02"], ["u00", "u01"], ["u05", "u03", "u08", "u11"]]


def together(client, *members, **body):
    response = client.post(PATH, json={"user_ids": members, **body})
    assert response.status_code == 200, response.text
    GroupRecommendations.model_validate(response.json())
    return response.json()


@pytest.fixture
def generation(data_dir):
    return load_generation(data_dir / "models")


def left_for(world, members):
    return [m for m in world.movies if not any(m in world.seen(user) for user in members)]


def naive_order(scores, left, smallest):
    """Every movie's scores, put together one by one, and sorted."""
    of_group = {m: [own[m] for own in scores.values()] for m in left}
    value = {m: min(own) if smallest else sum(own) / len(own) for m, own in of_group.items()}
    return sorted(left, key=lambda m: (-value[m], m)), value


def naive_fair(scores, left, n, relevant=20):
    """GFAR: of the first relevant movie that each member meets, as the paper has it."""
    p = {}
    for user, own in scores.items():
        best = sorted(left, key=lambda m: -own[m])[: min(relevant, len(left))]
        points = {movie: len(best) - place for place, movie in enumerate(best, 1)}
        total = sum(points.values()) or 1
        p[user] = {m: points.get(m, 0) / total for m in left}
    chosen = []
    while len(chosen) < min(n, len(left)):
        unserved = {u: np.prod([1 - own[m] for m in chosen] or [1.0]) for u, own in p.items()}
        gain = {m: sum(unserved[u] * p[u][m] for u in p) for m in left if m not in chosen}
        mean = {m: sum(own[m] for own in scores.values()) for m in gain}
        chosen.append(max(gain, key=lambda m: (round(gain[m], 9), mean[m])))
    return chosen


@pytest.mark.parametrize("strategy", ["average", "least_misery"])
@pytest.mark.parametrize("members", GROUPS, ids=len)
def test_the_list_is_the_full_sort_of_what_members_scores_make(
    client, world, generation, members, strategy
):
    scores = {user: naive_scores(generation, user) for user in members}
    left = left_for(world, members)
    order, value = naive_order(scores, left, strategy == "least_misery")
    answer = together(client, *members, strategy=strategy, n=500)
    assert ids(answer) == order
    assert answer["matched"] == len(left)
    for line in answer["movies"]:
        movie = line["movie_id"]
        assert line["score"] == pytest.approx(value[movie], abs=2e-6)
        assert [one["user_id"] for one in line["members"]] == members
        assert [one["score"] for one in line["members"]] == pytest.approx(
            [scores[user][movie] for user in members], abs=2e-6
        )
    assert (answer["user_ids"], answer["strategy"]) == (members, strategy)
    assert answer["unknown_users"] == []
    assert "fallback" not in answer
    few = together(client, *members, strategy=strategy, n=3)
    assert few["movies"] == answer["movies"][:3]
    assert few["matched"] == len(left)


@pytest.mark.parametrize("n", [1, 4, 500])
@pytest.mark.parametrize("members", GROUPS, ids=len)
def test_a_fair_list_is_chosen_as_the_paper_says(client, world, generation, members, n):
    scores = {user: naive_scores(generation, user) for user in members}
    left = left_for(world, members)
    answer = together(client, *members, strategy="fair", n=n)
    assert ids(answer) == naive_fair(scores, left, n)
    assert answer["matched"] == len(left)
    for line in answer["movies"]:
        mean = np.mean([scores[user][line["movie_id"]] for user in members])
        assert line["score"] == pytest.approx(mean, abs=2e-6)


def test_average_is_the_default(client):
    assert together(client, "u00", "u01") == together(client, "u00", "u01", strategy="average")
    assert together(client, "u00", "u01")["strategy"] == "average"


def test_a_group_of_one_taste_gets_it_and_a_fair_list_serves_both(client, world):
    of_one = ["u00", "u02"]
    own_left = set(left_for(world, of_one)) & world.of_taste(0)
    assert own_left
    answer = together(client, *of_one, n=len(own_left))
    assert set(ids(answer)) == own_left
    mixed = ["u01", "u03", "u00"]  # two of one taste would have the whole of an average
    first = ids(together(client, *mixed, strategy="fair", n=3))
    assert {world.taste(movie) for movie in first} == {0, 1}


@pytest.mark.parametrize("strategy", ["average", "least_misery", "fair"])
def test_predicted_stars_are_those_that_each_member_is_told(client, world, strategy):
    members = ["u00", "u01", "u06"]
    alone = {
        user: {
            line["movie_id"]: line["predicted_rating"]
            for line in ask(client, user, n=500, exclude_seen="false")["movies"]
        }
        for user in members
    }
    for line in together(client, *members, strategy=strategy, n=500)["movies"]:
        stars = [one["predicted_rating"] for one in line["members"]]
        assert stars == [alone[user][line["movie_id"]] for user in members]
        of_group = min(stars) if strategy == "least_misery" else round(sum(stars) / 3, 2)
        assert line["predicted_rating"] == of_group


def test_what_members_have_seen_comes_back_when_it_is_asked_for(client, world):
    for strategy in ("average", "least_misery", "fair"):
        answer = together(client, "u00", "u01", strategy=strategy, n=500, exclude_seen=False)
        assert set(ids(answer)) == set(world.movies)
        assert answer["matched"] == 24


@pytest.mark.parametrize("strategy", ["average", "least_misery", "fair"])
def test_a_rating_counts_at_once(client, world, strategy):
    members = ["u00", "u01"]
    movie = ids(together(client, *members, strategy=strategy))[0]
    rate(client, "u00", movie, 5)
    rate(client, "somebody new", "m01", 5)
    answer = together(client, *members, "somebody new", strategy=strategy, n=500)
    assert movie not in ids(answer)
    assert "m01" not in ids(answer)
    assert answer["model"]["fresh_ratings"] == 2
    for user in (*members, "somebody new"):
        alone = {
            line["movie_id"]: line["score"]
            for line in ask(client, user, n=500, exclude_seen="false")["movies"]
        }
        for line in answer["movies"]:
            (own,) = (one["score"] for one in line["members"] if one["user_id"] == user)
            assert own == alone[line["movie_id"]]


@pytest.mark.parametrize("strategy", ["average", "least_misery", "fair"])
def test_members_of_whom_nothing_is_known_are_named_and_do_not_count(client, strategy):
    with_them = together(client, "nobody", "u00", "who", "u01", strategy=strategy)
    assert with_them["unknown_users"] == ["nobody", "who"]
    without = together(client, "u00", "u01", strategy=strategy)
    assert with_them["movies"] == without["movies"]


def test_a_group_of_strangers_gets_what_is_popular(client):
    answer = together(client, "nobody", "who", n=5)
    popular = ask(client, "nobody", n=5)
    assert answer["fallback"] == "popular"
    assert answer["unknown_users"] == ["nobody", "who"]
    assert ids(answer) == ids(popular)
    assert answer["matched"] == popular["matched"] == 24
    for line, known in zip(answer["movies"], popular["movies"], strict=True):
        assert line == {**known, "members": []}


def test_newcomers_are_in_it_and_not_when_a_stranger_has_seen_them(client, world):
    add(client, "new", ["Kids"])
    for strategy in ("average", "least_misery", "fair"):
        answer = together(client, "u01", "u03", "nobody", strategy=strategy, n=500)
        assert "new" in ids(answer)
        line = next(line for line in answer["movies"] if line["movie_id"] == "new")
        expected = {
            user: next(
                one["score"]
                for one in ask(client, user, n=500)["movies"]
                if one["movie_id"] == "new"
            )
            for user in ("u01", "u03")
        }
        assert {one["user_id"]: one["score"] for one in line["members"]} == expected
    assert "new" in ids(together(client, "nobody", n=500))
    rate(client, "nobody", "new", 5)
    for strategy in ("average", "least_misery", "fair"):
        answer = together(client, "u01", "u03", "nobody", strategy=strategy, n=500)
        assert "new" not in ids(answer)
        assert answer["unknown_users"] == ["nobody"]
    assert "new" not in ids(together(client, "nobody", n=500))


def test_a_movie_of_which_nothing_is_known_is_popular_at_most(client):
    add(client, "blank")
    for strategy in ("average", "least_misery", "fair"):
        answer = together(client, "u00", "nobody", strategy=strategy, n=500)
        assert "blank" not in ids(answer)
        assert answer["matched"] == 15
    assert "blank" in ids(together(client, "nobody", n=500))


def test_what_may_not_be_shown_is_not(client):
    body = {"title": "Film m02", "available": False}
    assert client.put("/v1/movies/m02", json=body).status_code == 200
    for strategy in ("average", "least_misery", "fair"):
        for members in (["u00", "u01"], ["nobody"]):
            answer = together(client, *members, strategy=strategy, n=500, exclude_seen=False)
            assert "m02" not in ids(answer)
            assert answer["matched"] == 23


def test_a_filter_is_applied_before_the_best_are_chosen(client, world):
    for strategy in ("average", "least_misery"):
        whole = together(client, "u00", "u01", strategy=strategy, n=500)["movies"]
        answer = together(client, "u00", "u01", strategy=strategy, n=2, filter="year < 1990")
        early = [line for line in whole if line["year"] < 1990]
        assert answer["movies"] == early[:2]
        assert answer["matched"] == len(early)
    fair = together(client, "u00", "u01", strategy="fair", n=500, filter="year < 1990")
    assert set(ids(fair)) == {line["movie_id"] for line in early}
    none = together(client, "u00", strategy="fair", filter="n_ratings < 0")
    assert (none["movies"], none["matched"]) == ([], 0)
    assert together(client, "u00", filter="n_ratings < 0")["movies"] == []


def test_fields_say_what_is_told(client):
    answer = together(client, "u00", "u01", fields=["title", "members"], n=1)
    (line,) = answer["movies"]
    assert list(line) == ["movie_id", "title", "members"]
    response = client.post(PATH, json={"user_ids": ["u00"], "fields": ["because"]})
    assert_problem(response, 422, "body.fields")


MANY = [f"u{i}" for i in range(51)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.user_ids"),
        ({"user_ids": []}, "body.user_ids"),
        ({"user_ids": MANY}, "body.user_ids"),
        ({"user_ids": "u00"}, "body.user_ids"),
        ({"user_ids": ["u00", "u01", "u00"]}, "body.user_ids[2]"),
        ({"user_ids": ["u00", ""]}, "body.user_ids[1]"),
        ({"user_ids": ["u00", " a"]}, "body.user_ids[1]"),
        ({"user_ids": ["u00", "."]}, "body.user_ids[1]"),
        ({"user_ids": ["u00", "x" * 129]}, "body.user_ids[1]"),
        ({"user_ids": ["u00", 5]}, "body.user_ids[1]"),
        ({"user_ids": ["u00"], "strategy": "cAnArY7"}, "body.strategy"),
        ({"user_ids": ["u00"], "strategy": None}, "body.strategy"),
        ({"user_ids": ["u00"], "n": 0}, "body.n"),
        ({"user_ids": ["u00"], "n": 501}, "body.n"),
        ({"user_ids": ["u00"], "n": 10**9}, "body.n"),
        ({"user_ids": ["u00"], "n": "5"}, "body.n"),
        ({"user_ids": ["u00"], "n": True}, "body.n"),
        ({"user_ids": ["u00"], "filter": "year >="}, "body.filter"),
        ({"user_ids": ["u00"], "filter": "x" * 1001}, "body.filter"),
        ({"user_ids": ["u00"], "exclude_seen": "true"}, "body.exclude_seen"),
        ({"user_ids": ["u00"], "diversity": 0.5}, "body"),
        ({"user_ids": ["u00"], "explain": True}, "body"),
        ({"user_ids": ["u00"], "cursor": "x"}, "body"),
        ({"user_ids": ["u00"], "cAnArY7": 1}, "body"),
        ([], "body"),
    ],
)
def test_bad_input(client, body, field):
    assert_problem(client.post(PATH, json=body), 422, field)


def test_a_movie_is_no_user_and_fifty_are_not_too_many(client):
    assert together(client, "m01")["unknown_users"] == ["m01"]
    answer = together(client, *MANY[:50])
    assert len(answer["user_ids"]) == 50


def test_many_movies_are_scored_in_pieces_that_make_one_list(client, monkeypatch):
    whole = together(client, "u00", "u01", n=500)
    monkeypatch.setattr("app.serving.groups._AT_ONCE", 5)
    assert together(client, "u00", "u01", n=500) == whole


def test_nothing_is_stored(client):
    store = client.rooms.store
    before = store.counts(), store.version()
    together(client, "u00", "nobody", strategy="fair")
    assert (store.counts(), store.version()) == before


def test_min_version_is_honoured(client):
    response = client.post(PATH, json={"user_ids": ["u00"]}, headers={"Min-Version": str(10**9)})
    assert response.status_code == 503
    assert response.json()["type"] == "/problems/version-not-reached"


def test_the_examples_are_what_is_taken_and_given():
    GroupBody.model_validate(GroupBody.model_config["json_schema_extra"]["examples"][0])
    GroupRecommendations.model_validate(
        GroupRecommendations.model_config["json_schema_extra"]["examples"][0]
    )
