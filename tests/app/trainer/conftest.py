"""A store with planted tastes, rated in the order of time, and a quick training of it."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from app.store import open_store
from app.trainer.training_run import run_training
from recommender import BiasedALS, ImplicitALS
from recommender.training import Recipe

N_USERS, N_MOVIES = 60, 40

RECIPE = Recipe(
    ImplicitALS(factors=4, regularization=0.01, epochs=2, threads=1),
    BiasedALS(factors=2, epochs=2, threads=1),
)


def now() -> datetime:
    return datetime(2026, 11, 24, tzinfo=UTC)


def planted(shuffled: bool = False) -> pl.DataFrame:
    """Users like the movies of their own group; shuffled, nobody likes anything."""
    chance = np.random.default_rng(3)
    rows = []
    for user in range(N_USERS):
        own = np.arange(user % 4, N_MOVIES, 4)
        movies = np.arange(N_MOVIES) if shuffled else own
        for when, movie in enumerate(chance.choice(movies, 8, replace=False)):
            rows.append((f"u{user:02}", f"m{movie:02}", 4.0 + movie % 2, 1_600_000_000 + when))
    return pl.DataFrame(rows, ["user", "item", "rating", "timestamp"], orient="row")


@pytest.fixture
def data_dir(tmp_path):
    with open_store(None, tmp_path / "var") as store:
        store.import_dataset(planted())
    return tmp_path / "var"


@pytest.fixture
def models(data_dir):
    return data_dir / "models"


@pytest.fixture
def train(data_dir, models):
    def training(**options):
        given = {"recipe": lambda _: RECIPE, **options}
        with open_store(None, data_dir, read_only=True) as store:
            return run_training(store, models, now, **given)

    return training
