"""The map's addresses over the real application: every number against the model or the course."""

from __future__ import annotations

import json
import struct
import threading

import numpy as np
import pytest

from app.api.schemas.map import MapMatrix, MapMeta, MapMovies, MapUserIds
from recommender.data.course import load_course
from recommender.generations import load_generation

PARTS = ("x", "y", "quality", "log_popularity", "genres")
TYPES = dict(zip(PARTS, ("<f4", "<f4", "u1", "<u2", "<u4"), strict=True))


def ask(client, part, **params):
    response = client.get(f"/v1/map/{part}", params=params)
    assert response.status_code == 200, response.text
    return response.json()


def decode(buffer: bytes):
    """Read the buffer by its description alone, without the code that wrote it."""
    magic, version, flags, users, movies, *bbox, size = struct.unpack_from("<4sHHII4fI", buffer)
    assert (magic, version, flags) == (b"MFMP", 1, 0)
    start = 36 + size
    assert start % 8 == 0
    about = json.loads(buffer[36:start])
    lengths = dict.fromkeys(PARTS, users + movies) | {"genres": movies}
    arrays = {}
    for name in PARTS:
        at = start + about["offsets"][name]
        assert at % 8 == 0, name
        arrays[name] = np.frombuffer(buffer, TYPES[name], lengths[name], at)
    assert len(buffer) == start + -(-(about["offsets"]["genres"] + 4 * movies) // 8) * 8
    return users, movies, bbox, about, arrays


def points(client, **params):
    response = client.get("/v1/map/points", params=params)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/octet-stream"
    return decode(response.content)


@pytest.fixture
def untrained(start, tmp_path):
    return start(data_dir=tmp_path / "empty")


def test_the_course_needs_no_trained_model(untrained):
    meta = ask(untrained, "meta", model="course")
    assert (meta["model"], meta["projection"], meta["generation"]) == ("course", "raw", None)
    for part in ("movies", "user-ids", "matrix"):
        ask(untrained, part, model="course")
    points(untrained, model="course")
    refused = untrained.get("/v1/map/meta")
    assert refused.status_code == 503
    assert refused.json()["type"] == "/problems/no-model"


def test_the_course_is_drawn_where_the_course_has_it(client):
    users, movies, bbox, about, arrays = points(client, model="course")
    course = load_course()
    assert (users, movies) == (4, 5)
    places = np.concatenate((course.user_factors, course.movie_factors)).astype(np.float32)
    assert np.array_equal(np.column_stack((arrays["x"], arrays["y"])), places)
    assert bbox == [-1, -1, 1, 1]
    assert np.all(arrays["quality"] == 255)
    counts = np.array([3, 2, 3, 2, 2, 2, 2, 2, 2])
    assert np.array_equal(arrays["log_popularity"], np.round(1000 * np.log1p(counts)))
    for mask, genres in zip(arrays["genres"], course.genres, strict=True):
        bits = {name for i, name in enumerate(about["genre_names"]) if mask >> i & 1}
        assert bits == set(genres)


def test_the_course_in_full(client):
    course = load_course()
    table = ask(client, "matrix", model="course")
    products = course.user_factors @ course.movie_factors.T
    assert table["products"] == products.tolist()  # every digit
    assert table["products"][0][0] == 1 * 0.9 + 0.1 * -0.2
    assert table["user_vectors"] == course.user_factors.tolist()
    assert table["movie_vectors"] == course.movie_factors.tolist()
    assert [[v is not None for v in row] for row in table["observed"]] == course.ticks.tolist()
    assert table["ticks"] is True
    meta = ask(client, "meta", model="course")
    assert meta["matrix"] is True
    assert meta["fidelity"]["variance_kept"] == 1.0
    assert meta["fidelity"]["words"] == "The plane shows every score exactly."
    assert [(a["negative"], a["positive"]) for a in meta["axes"]] == [
        ("art house", "blockbuster"),
        ("children", "adult"),
    ]


def test_the_score_plane_of_the_course_keeps_every_difference_of_scores(client):
    users, _, _, _, arrays = points(client, model="course", projection="scores")
    places = np.column_stack((arrays["x"], arrays["y"])).astype(float)
    course = load_course()
    products = course.user_factors @ course.movie_factors.T
    centred = products - products.mean(axis=1, keepdims=True)
    assert np.allclose(places[:users] @ places[users:].T, centred, atol=1e-6)


def test_the_current_model_in_its_score_plane(client, data_dir, world):
    model = load_generation(data_dir / "models").ranking
    users, movies, bbox, about, arrays = points(client)
    assert (users, movies) == (40, 24)
    assert about["projection"] == "scores"
    places = np.column_stack((arrays["x"], arrays["y"])).astype(float)
    scores = model.user_factors.astype(float) @ model.item_factors.astype(float).T
    centred = scores - scores.mean(axis=1, keepdims=True)
    assert np.allclose(places[:users] @ places[users:].T, centred, atol=1e-5)  # two factors
    low, high = np.minimum(places.min(0), 0), np.maximum(places.max(0), 0)
    assert np.allclose(bbox, [*low, *high])
    counts = [sum(m == movie for _, m in world.ratings) for movie in world.movies]
    assert np.array_equal(arrays["log_popularity"][users:], np.round(1000 * np.log1p(counts)))


def test_names_stand_in_the_order_of_the_points(client, data_dir, world):
    model = load_generation(data_dir / "models").ranking
    movies, users = ask(client, "movies"), ask(client, "user-ids")
    assert movies["movie_ids"] == [str(movie) for movie in model.item_ids]
    assert users["user_ids"] == [str(user) for user in model.user_ids]
    assert movies["titles"] == [f"Film {movie}" for movie in movies["movie_ids"]]
    assert movies["years"] == [1980 + int(movie[1:]) for movie in movies["movie_ids"]]
    for movie, mask in zip(movies["movie_ids"], movies["genres"], strict=True):
        named = {g for i, g in enumerate(movies["genre_names"]) if mask >> i & 1}
        assert named == ({"Kids"} if world.taste(movie) else {"Art", "Noir"})
    assert users["n_ratings"] == [len(world.seen(user)) for user in users["user_ids"]]
    assert movies["available"] == [True] * 24


def test_raw_axes_show_the_factors(client, data_dir):
    model = load_generation(data_dir / "models").ranking
    users, _, _, _, arrays = points(client, projection="raw")
    places = np.column_stack((arrays["x"], arrays["y"]))
    assert np.array_equal(places[:users], model.user_factors)
    assert np.array_equal(places[users:], model.item_factors)


def test_meta_tells_what_the_plane_is_worth(client):
    meta = ask(client, "meta")
    assert meta["generation"] == 1
    assert meta["notice"] == "Simulated ratings: no real person."
    fidelity = meta["fidelity"]
    assert fidelity["variance_kept"] == pytest.approx(1)  # two factors fit into a plane
    assert fidelity["top_agreement"] == pytest.approx(1)
    assert fidelity["grade"] == "good"
    assert sum(axis["share"] for axis in meta["axes"]) == pytest.approx(fidelity["variance_kept"])
    assert meta["singular_values"][0] >= meta["singular_values"][1] > 0
    assert "arrow" in meta["how_to_read"]


@pytest.mark.parametrize("model", ["course", "current"])
def test_answers_are_what_the_documentation_says(client, model):
    for part, schema in (("meta", MapMeta), ("movies", MapMovies), ("user-ids", MapUserIds)):
        schema.model_validate(ask(client, part, model=model), strict=True)
    MapMatrix.model_validate(ask(client, "matrix", model="course"), strict=True)


def test_a_large_table_is_refused_in_words(client):
    assert ask(client, "meta")["matrix"] is False
    refused = client.get("/v1/map/matrix")
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    (error,) = refused.json()["errors"]
    assert error["field"] == "query.model"
    assert "at most 400 cells; this model has 40 users times 24 movies" in error["message"]


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/v1/map/meta?model=mine", "query.model"),
        ("/v1/map/points?projection=umap", "query.projection"),
        ("/v1/map/points?axes=0,1", "query"),
        ("/v1/map/movies?projection=raw", "query"),
        ("/v1/map/meta?model=course&model=current", "query"),
        (f"/v1/map/meta?version={'v' * 65}", "query.version"),
    ],
)
def test_unknown_parameters_and_values_are_refused(client, address, field):
    refused = client.get(address)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == field
    assert "mine" not in refused.text
    assert "umap" not in refused.text


@pytest.mark.parametrize("part", ["meta", "points", "movies", "user-ids", "matrix"])
def test_what_a_client_has_is_not_sent_again(client, part):
    first = client.get(f"/v1/map/{part}?model=course")
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for tags in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = client.get(f"/v1/map/{part}?model=course", headers={"If-None-Match": tags})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
    other = client.get(f"/v1/map/{part}?model=course", headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_each_projection_has_a_tag_of_its_own(client):
    tags = {
        client.get(f"/v1/map/points?model={model}&projection={projection}").headers["etag"]
        for model in ("course", "current")
        for projection in ("raw", "scores")
    }
    assert len(tags) == 4


def test_a_named_version_never_changes_and_is_gone_with_its_model(client, retrain):
    version = ask(client, "meta")["version"]
    pinned = client.get("/v1/map/points", params={"version": version})
    assert "immutable" in pinned.headers["cache-control"]
    retrain(seed=1)
    client.look()
    gone = client.get("/v1/map/points", params={"version": version})
    assert (gone.status_code, gone.json()["type"]) == (404, "/problems/unknown-model")
    meta = ask(client, "meta")
    assert (meta["generation"], meta["version"] == version) == (2, False)
    fresh = client.get("/v1/map/points", params={"version": meta["version"]})
    assert fresh.headers["etag"] != pinned.headers["etag"]


def test_the_work_is_done_once(client, monkeypatch):
    from app.api import map as routes

    drawn = []
    draw = routes.draw
    monkeypatch.setattr(routes, "draw", lambda *args: drawn.append(args[1]) or draw(*args))
    first = client.get("/v1/map/points").content
    for _ in range(5):
        assert client.get("/v1/map/points").content == first
        ask(client, "meta")
    assert drawn == ["scores"]
    points(client, projection="raw")
    assert drawn == ["scores", "raw"]


def test_a_new_title_is_seen_and_a_film_that_is_gone_goes_by_its_id(client):
    before = client.get("/v1/map/movies")
    body = {"title": "<script>alert(1)</script> ☂", "year": None, "genres": ["Art"]}
    assert client.put("/v1/movies/m03", json=body).status_code in {200, 201, 204}
    after = client.get("/v1/map/movies")
    assert after.headers["etag"] != before.headers["etag"]
    movies = after.json()
    at = movies["movie_ids"].index("m03")
    assert (movies["titles"][at], movies["years"][at]) == (body["title"], None)
    assert client.delete("/v1/movies/m04").status_code in {200, 204}
    movies = ask(client, "movies")
    at = movies["movie_ids"].index("m04")
    assert (movies["titles"][at], movies["available"][at]) == ("m04", False)


def test_a_version_never_mixes_genres(client):
    """Which bit is which genre depends on all movies; so a version is of one catalogue."""
    pinned = ask(client, "meta")
    body = {"title": "Film", "genres": ["Zombies"]}
    for movie in ("m00", "m02", "m04", "m06", "m08", "m10", "m12", "m14", "m16"):
        assert client.put(f"/v1/movies/{movie}", json=body).status_code == 200
    for part in ("points", "movies"):
        gone = client.get(f"/v1/map/{part}", params={"version": pinned["version"]})
        assert gone.status_code == 404
    meta, movies, about = ask(client, "meta"), ask(client, "movies"), points(client)[3]
    assert meta["version"] == movies["version"] == about["version"] != pinned["version"]
    assert meta["genre_names"] == movies["genre_names"] == about["genre_names"]
    assert "Zombies" in meta["genre_names"]


def test_the_same_catalogue_is_the_same_version(client, start):
    """A movie that the map does not show changes nothing, and neither does a restart."""
    version = ask(client, "meta")["version"]
    assert client.put("/v1/movies/new", json={"title": "New"}).status_code == 201
    assert ask(client, "meta")["version"] == version
    client.close()
    assert ask(start(), "meta")["version"] == version


def test_the_thread_that_draws_ends_with_the_application(client):
    """Two applications in one process would otherwise leave theirs behind."""
    before = {thread for thread in threading.enumerate() if thread.name.startswith("map")}
    ask(client, "meta", model="course")
    own = {thread for thread in threading.enumerate() if thread.name.startswith("map")} - before
    assert len(own) == 1
    client.close()
    assert not any(thread.is_alive() for thread in own)
