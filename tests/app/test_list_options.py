"""How a list is asked for: fields, reranking, tags of answers, and the short way to an answer."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from app.api.schemas.recommendations import AnonymousRecommendations, Recommendations
from tests.app.test_bad_input import assert_problem
from tests.app.test_recommendations import ask, ids

USUAL = ["movie_id", "title", "year", "genres", "score", "predicted_rating"]


class TestFields:
    @pytest.mark.parametrize(
        "names",
        [["movie_id"], ["title"], ["score", "title"], ["attributes", "year"], USUAL[1:]],
        ids=",".join,
    )
    def test_are_what_was_asked_for(self, client, names):
        usual = ask(client, "u00", n=20)["movies"]
        client.put("/v1/movies/m08", json={"title": "Film m08", "attributes": {"director": "Ö"}})
        for user in ("u00", "nobody"):
            for line in ask(client, user, n=20, fields=",".join(names))["movies"]:
                assert set(line) == {"movie_id", *names}
        chosen = ask(client, "u00", n=20, fields=",".join(names))["movies"]
        for line, whole in zip(chosen, usual, strict=True):
            known = {"attributes": {"director": "Ö"} if line["movie_id"] == "m08" else {}}
            if line["movie_id"] != "m08":
                known |= whole
                assert line == {name: known[name] for name in line}
        Recommendations.model_validate(ask(client, "u00", fields=",".join(names)))

    def test_reasons_are_given_when_they_are_asked_for(self, client):
        line = ask(client, "u00", n=1, fields="because")["movies"][0]
        assert len(line.pop("because")) == 3
        assert list(line) == ["movie_id"]

    def test_in_other_lists(self, client):
        lists = {
            "/v1/movies/popular?fields=n_ratings": {"movie_id", "n_ratings"},
            "/v1/movies/m01/similar?fields=title,score": {"movie_id", "title", "score"},
        }
        for path, expected in lists.items():
            for line in client.get(path).json()["movies"]:
                assert set(line) == expected
        body = {"ratings": [], "fields": ["title"]}
        answer = client.post("/v1/recommendations", json=body).json()
        assert {tuple(line) for line in answer["movies"]} == {("movie_id", "title")}
        AnonymousRecommendations.model_validate(answer)

    @pytest.mark.parametrize(
        "text", ["", ",", "titel", "title,", "title, year", "TITLE", "n_ratings"]
    )
    def test_others_are_refused(self, client, text):
        path = "/v1/users/u00/recommendations"
        assert_problem(client.get(path, params={"fields": text}), 422, "query.fields")

    def test_others_are_refused_in_a_body(self, client):
        for fields in (["titel"], [""], ["title"] * 30):
            body = {"ratings": [], "fields": fields}
            assert_problem(client.post("/v1/recommendations", json=body), 422, "body.fields")


def cosine(one, other):
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


class TestReranking:
    def vectors(self, client, answer):
        model = client.rooms.current.take().generation.ranking
        return [model.item_factors[model.item_row(m)].astype(float) for m in ids(answer)]

    def test_diversity_is_measured_and_grows(self, client):
        found = []
        for weight in (0, 0.3, 0.6, 0.9):
            answer = ask(client, "u03", n=2, diversity=weight)
            Recommendations.model_validate(answer)
            pairs = itertools.combinations(self.vectors(client, answer), 2)
            found.append(np.mean([1 - cosine(*pair) for pair in pairs]))
            if weight:
                assert answer["effect"]["after"]["diversity"] == pytest.approx(found[-1], abs=1e-5)
                assert answer["effect"]["before"]["diversity"] == pytest.approx(found[0], abs=1e-5)
                assert answer["effect"]["pool"] == answer["matched"] == 15
        assert found == sorted(found)
        assert found[-1] > found[0] + 0.5

    def test_novelty_prefers_what_few_know(self, client, world):
        plain = ask(client, "u03", n=5)
        answer = ask(client, "u03", n=5, novelty=1)
        counts = {movie: sum(m == movie for _, m in world.ratings) for movie in world.movies}
        rarest = sorted(counts[m] for m in set(world.movies) - set(world.seen("u03")))[:5]
        assert sorted(counts[movie] for movie in ids(answer)) == rarest
        assert answer["effect"]["after"]["novelty"] > answer["effect"]["before"]["novelty"]
        bits = [-np.log2((counts[movie] + 1) / 41) for movie in ids(answer)]
        assert answer["effect"]["after"]["novelty"] == pytest.approx(np.mean(bits), abs=1e-5)
        missing = set(ids(answer)) - set(ids(plain))
        assert answer["effect"]["replaced"] == len(missing)

    def test_calibration_brings_the_genres_of_the_user(self, client):
        ratings = [{"movie_id": m, "rating": 5} for m in ("m00", "m02", "m01", "m03")]

        def asked(weight):
            body = {"ratings": ratings, "n": 8, "calibration": weight}
            return client.post("/v1/recommendations", json=body).json()

        answer = asked(0.99)
        kids = sum(line["genres"] == ["Kids"] for line in answer["movies"])
        assert kids == 4  # half of what was liked is for children, so half of the list is
        effect = answer["effect"]
        assert effect["after"]["miscalibration"] < effect["before"]["miscalibration"]

    def test_nothing_is_reranked_unless_asked(self, client):
        assert "effect" not in ask(client, "u03")
        assert ask(client, "u03", diversity=0, novelty="0.0") == ask(client, "u03")

    def test_nobody_is_known_well_enough_to_rerank_for(self, client):
        answer = ask(client, "nobody", diversity=1)
        assert answer["fallback"] == "popular"
        assert "effect" not in answer

    @pytest.mark.parametrize("name", ["diversity", "novelty", "calibration"])
    @pytest.mark.parametrize("weight", ["2", "-0.1", "nan", "inf", "1e9", "much", "", "1.0000001"])
    def test_a_weight_lies_between_nought_and_one(self, client, name, weight):
        path = f"/v1/users/u00/recommendations?{name}={weight}"
        assert_problem(client.get(path), 422, f"query.{name}")

    @pytest.mark.parametrize("weight", [2, -1, "0.5", None, True, [0.5]])
    def test_in_a_body_it_is_a_number(self, client, weight):
        body = {"ratings": [], "diversity": weight}
        assert_problem(client.post("/v1/recommendations", json=body), 422, "body.diversity")


PATHS = [
    "/v1/users/u00/recommendations",
    "/v1/users/u00/recommendations?explain=true",
    "/v1/users/nobody/recommendations",
    "/v1/movies/popular",
    "/v1/movies/m01/similar",
    "/v1/movies/m01",
]


@pytest.mark.parametrize("path", PATHS)
def test_who_has_an_answer_is_not_sent_it_again(client, world, path):
    first = client.get(path)
    tag = first.headers["etag"]
    assert tag.startswith('"')
    for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": header})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == tag
        assert again.headers["x-content-type-options"] == "nosniff"
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == first.content
    for movie in world.movies:
        client.put(f"/v1/movies/{movie}", json={"title": "Another title"})
    changed = client.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_head_has_the_headers_alone(client):
    path = "/v1/users/u00/recommendations"
    head, whole = client.request("HEAD", path), client.get(path)
    assert head.status_code == 200
    assert head.headers["etag"] == whole.headers["etag"]
    assert head.headers["content-length"] == whole.headers["content-length"]
