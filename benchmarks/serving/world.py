"""The ratings and the model that are served: made once, for every part of the benchmark."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from app.store import open_store
from benchmarks.star_prediction import generated
from recommender.data.vocabulary import Vocabulary
from recommender.generations import publish, write_generation
from recommender.models.implicit_als import ImplicitALS
from recommender.training import Recipe, prepare, recipe_for

if TYPE_CHECKING:
    from pathlib import Path

    from recommender import FactorModel, Ratings

STRANGERS = 50
"""Ratings of somebody whom training never saw."""

GENRES = (
    "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama",
    "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War",
    "Western",
)  # fmt: skip
FIRST = ("The Last", "A Quiet", "My Other", "Beyond the", "Night of the", "The Secret", "Return to")
SECOND = ("Garden", "Station", "Lighthouse", "Winter", "Parade", "Orchestra", "River", "Projection")
THIRD = ("", " of Stone", " in the Rain", " Without End", ": The Beginning", " (Director’s Cut)")


@dataclass(frozen=True, eq=False)
class World:
    """Planted ratings, and what is learnt from them.

    Attributes
    ----------
    ratings
        With whole numbers as ids.
    recipe
        What `projectionist train` would take for so many ratings, with the factors asked for.
    """

    ratings: Ratings
    recipe: Recipe

    @classmethod
    def like(cls, name: str, factors: int) -> World:
        """Generate the ratings of a known shape."""
        ratings = generated(name)
        prepare()
        recipe = recipe_for(ratings)
        options = recipe.ranking.options() | {"factors": factors}
        return cls(ratings, replace(recipe, ranking=ImplicitALS(**options)))

    @cached_property
    def ranking(self) -> FactorModel:
        """The factors that rank."""
        return self.recipe.ranking.fit(self.ratings)

    @cached_property
    def stars(self) -> FactorModel:
        """The factors that predict stars."""
        return self.recipe.stars.fit(self.ratings)


@dataclass(frozen=True)
class Served:
    """A data directory, ready for the service.

    Attributes
    ----------
    ratings
        With the ids that the service has: text.
    stored_users
        How many users have their ratings in the database as well.
    stored_ratings
        How many ratings those are.
    """

    ratings: Ratings
    stored_users: int
    stored_ratings: int


def as_text(ratings: Ratings) -> Ratings:
    """Return the same ratings with text for ids: numbers from 1, as long as the longest.

    All of one length they sort as the numbers do, so that no row moves.
    """

    def named(vocabulary: Vocabulary) -> Vocabulary:
        width = len(str(len(vocabulary)))
        return Vocabulary.from_ids([f"{row:0{width}}" for row in range(1, len(vocabulary) + 1)])

    return replace(ratings, users=named(ratings.users), items=named(ratings.items))


def write_data_directory(world: World, folder: Path, stored_users: int) -> Served:
    """Store every movie and the ratings of some users, and publish the models of all.

    The models' watermark is the version that the store then has: they know all that it holds,
    and no request has anything to fold in until somebody rates.
    """
    ratings = as_text(world.ratings)
    users = min(stored_users, ratings.n_users)
    frame = ratings_of_first(ratings, users)
    with open_store(None, folder) as store:
        store.import_dataset(frame, movies(ratings))
        watermark = store.version()
    number = write_generation(
        folder / "models",
        replace(world.ranking, ratings=ratings),
        replace(world.stars, ratings=ratings),
        watermark=watermark,
        metrics={},
        options=world.recipe.options(),
        trained_at="2026-01-01T00:00:00Z",
    )
    publish(folder / "models", number)
    return Served(ratings, users, frame.height)


def ratings_of_first(ratings: Ratings, users: int) -> pl.DataFrame:
    """Return the ratings of the first users as a table for the store."""
    end = int(ratings.indptr[users])
    who = np.repeat(np.arange(users), np.diff(ratings.indptr[: users + 1]))
    columns: dict[str, Any] = {
        "user": ratings.users.ids[who],
        "item": ratings.items.ids[ratings.indices[:end]],
        "rating": ratings.values[:end],
    }
    frame = pl.DataFrame(
        {
            "user": pl.Series(columns["user"].tolist(), dtype=pl.String),
            "item": pl.Series(columns["item"].tolist(), dtype=pl.String),
            "rating": columns["rating"],
        }
    )
    if ratings.timestamps is None:
        return frame
    return frame.with_columns(timestamp=pl.Series(ratings.timestamps[:end]))


def movies(ratings: Ratings) -> pl.DataFrame:
    """Make up a title, a year and one to four genres for every item."""
    draws = np.random.default_rng(2)
    n = ratings.n_items
    words = [draws.integers(0, len(part), n).tolist() for part in (FIRST, SECOND, THIRD)]
    kinds = draws.integers(1, 5, n).tolist()
    return pl.DataFrame(
        {
            "movie_id": ratings.items.ids.tolist(),
            "title": [f"{FIRST[a]} {SECOND[b]}{THIRD[c]}" for a, b, c in zip(*words, strict=True)],
            "year": draws.integers(1920, 2016, n).tolist(),
            "genres": [sorted(draws.choice(GENRES, kind, replace=False)) for kind in kinds],
        },
        schema_overrides={"genres": pl.List(pl.String)},
    )


def strangers(model: FactorModel) -> list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Draw ratings of people who are not there: movies as people rate them, stars at random."""
    draws = np.random.default_rng(1)
    counts = np.diff(model.ratings.by_item.indptr)
    size = min(STRANGERS, int((counts > 0).sum()))
    return [
        (
            np.sort(draws.choice(len(counts), size, replace=False, p=counts / counts.sum())),
            (draws.integers(1, 11, size) / 2).astype(np.float32),
        )
        for _ in range(500)
    ]
