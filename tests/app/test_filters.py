"""A filter lets through what it says, before the best are chosen: no list comes back short."""

import pytest

EXPRESSIONS = [
    "year >= 1990", "year < 1990", '"Comedy" in genres', 'not ("Comedy" in genres)',
    "n_ratings >= 1 and year != null", "year in [1990, 1991, 1995]", "n_ratings < 0",
]  # fmt: skip


def lists(client, world, **params):
    """Every way to get a list, with what it says."""
    user, movie = world.users[0], world.movies[0]
    rated = [{"movie_id": movie, "rating": 5}]
    answers = {
        "user": client.get(f"/v1/users/{user}/recommendations", params=params),
        "stranger": client.get("/v1/users/nobody/recommendations", params=params),
        "visitor": client.post("/v1/recommendations", json={"ratings": rated, **params}),
        "popular": client.get("/v1/movies/popular", params=params),
        "similar": client.get(f"/v1/movies/{movie}/similar", params=params),
    }
    for answer in answers.values():
        assert answer.status_code == 200, answer.text
    return {name: answer.json() for name, answer in answers.items()}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_each_list_is_the_whole_list_without_what_is_not_let_through(client, world, expression):
    years = {movie: 1985 + place for place, movie in enumerate(world.movies)}
    for place, movie in enumerate(world.movies):
        body = {"title": movie, "year": years[movie], "genres": ["Comedy"] * (place % 3 == 0)}
        assert client.put(f"/v1/movies/{movie}", json=body).status_code == 200
    hidden = world.movies[5]
    body = {"title": hidden, "year": 1990, "genres": ["Comedy"], "available": False}
    client.put(f"/v1/movies/{hidden}", json=body)
    through = {
        "year >= 1990": lambda line: line["year"] >= 1990,
        "year < 1990": lambda line: line["year"] < 1990,
        '"Comedy" in genres': lambda line: "Comedy" in line["genres"],
        'not ("Comedy" in genres)': lambda line: "Comedy" not in line["genres"],
        "n_ratings >= 1 and year != null": lambda _: True,
        "year in [1990, 1991, 1995]": lambda line: line["year"] in (1990, 1991, 1995),
        "n_ratings < 0": lambda _: False,
    }[expression]
    every = lists(client, world, n=500)
    chosen = lists(client, world, n=500, filter=expression)
    few = lists(client, world, n=3, filter=expression)
    for name, answer in chosen.items():
        expected = [line for line in every[name]["movies"] if through(line)]
        assert answer["movies"] == expected, name
        assert few[name]["movies"] == expected[:3], name
        if "matched" in answer:
            assert answer["matched"] == few[name]["matched"] == len(expected), name


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("year >=", "at character 7: expected"),
        ("rating > 3", "at character 0: this is no field; fields are movie_id, title, year"),
        ("year == 'secret'", "at character 8: expected"),
        ("(" * 60, "at character 50: at most 50"),
    ],
)
def test_what_is_no_filter_is_said_to_be_where(client, world, expression, said):
    user, movie = world.users[0], world.movies[0]
    asked = {"filter": expression}
    answers = {
        "query.filter": [
            client.get(f"/v1/users/{user}/recommendations", params=asked),
            client.get("/v1/users/nobody/recommendations", params=asked),
            client.get("/v1/movies/popular", params=asked),
            client.get(f"/v1/movies/{movie}/similar", params=asked),
        ],
        "body.filter": [client.post("/v1/recommendations", json={"ratings": [], **asked})],
    }
    for field, of_field in answers.items():
        for answer in of_field:
            assert answer.status_code == 422
            (error,) = answer.json()["errors"]
            assert (error["field"], error["code"]) == (field, "filter")
            assert error["message"].startswith(said)
            assert "secret" not in answer.text  # nothing that was sent comes back


def test_a_filter_has_a_length(client, world):
    answer = client.get("/v1/movies/popular", params={"filter": "year < 1 or " * 90 + "year < 1"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "query.filter"


def test_a_movie_that_changed_is_seen_by_a_filter_that_was_asked_before(client, world):
    movie = world.movies[0]
    asked = {"filter": '"Brand new" in genres', "n": 500}
    assert client.get("/v1/movies/popular", params=asked).json()["movies"] == []
    client.put(f"/v1/movies/{movie}", json={"title": "x", "genres": ["Brand new"]})
    (line,) = client.get("/v1/movies/popular", params=asked).json()["movies"]
    assert line["movie_id"] == movie
