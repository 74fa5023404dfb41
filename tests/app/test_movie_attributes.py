from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from app.movie_attributes import attributes_of
from app.store import open_store
from app.store.records import Movie
from app.trainer.training_run import run_training
from recommender import load_generation
from recommender.attributes import ItemAttributes


def test_genres_years_and_tags_are_read():
    said = attributes_of(
        [Movie("1", "Heat", 1995, ("Crime",), True, {"tags": ["Heist"]}), None, Movie("2", "X")]
    )
    assert said.genres == (("crime",), (), ())
    assert said.years == (1995, None, None)
    assert said.tags == (("heist",), (), ())


@pytest.mark.parametrize("tags", ["heist", None, 3, {"heist": 1}, ["heist", 3], [["heist"]]])
def test_what_is_no_list_of_text_is_no_tags(tags):
    assert attributes_of([Movie("1", "Heat", attributes={"tags": tags})]).tags == ((),)


@pytest.mark.parametrize("year", [-1, 10_000, 2**40])
def test_what_is_no_year_of_a_film_is_unknown(year):
    assert attributes_of([Movie("1", "Heat", year)]).years == (None,)


def test_a_training_learns_from_the_catalogue(tmp_path):
    """Movies with even numbers are comedies, and users with even numbers rate these."""
    rows = [(f"u{u}", f"m{m}", 4.0) for u in range(12) for m in range(12) if (u + m) % 2 == 0]
    rows = [row for row in rows if row[0][1:] != row[1][1:]]
    movies = pl.DataFrame(
        {
            "movie_id": [f"m{m}" for m in range(12)],
            "title": [f"Film {m}" for m in range(12)],
            "year": [1990] * 12,
            "genres": [["Comedy"] if m % 2 == 0 else ["Drama"] for m in range(12)],
        }
    )
    with open_store(None, tmp_path) as store:
        store.import_dataset(pl.DataFrame(rows, ["user", "item", "rating"], orient="row"), movies)
        run_training(
            store,
            tmp_path / "models",
            lambda: datetime(2026, 11, 24, tzinfo=UTC),
            evaluate=False,
        )
    generation = load_generation(tmp_path / "models")
    new = ItemAttributes.from_movies([["Comedy"], ["Drama"]], [None] * 2, [[], []])
    vectors = generation.attributes.ranking.predict(new)[:, :-1]
    scores = generation.ranking.user_factors @ vectors.T
    even = np.array([int(user[1:]) % 2 == 0 for user in generation.ranking.user_ids])
    np.testing.assert_array_equal(scores[:, 0] > scores[:, 1], even)
