"""Planted worlds: small matrices whose right answer is known without training."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from recommender import Ratings

COURSE = np.array([[1, 0, 1, 1, 0], [0, 1, 0, 0, 1], [1, 1, 1, 0, 0], [0, 0, 0, 1, 1]])
"""4 users by 5 movies: 1 is a tick, 0 a blank."""


def course_ticks() -> Ratings:
    """Ticks alone: a blank is unknown."""
    return Ratings.from_arrays(*np.nonzero(COURSE))


def course_likes_and_dislikes() -> Ratings:
    """Every cell: a tick is 1, a blank -1."""
    users, items = np.nonzero(np.ones_like(COURSE))
    return Ratings.from_arrays(users, items, (2 * COURSE - 1).ravel())


def checkerboard(n: int = 20) -> Ratings:
    """Even users rated even items, odd users odd ones, but nobody the item of their own number."""
    users, items = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    rated = ((users + items) % 2 == 0) & (users != items)
    return Ratings.from_arrays(users[rated], items[rated])


def low_rank_stars(n_users=60, n_items=40, rank=2, noise=0.1, density=0.5, seed=0) -> Ratings:
    """Stars from mean, biases and a few dimensions, with noise, some of them seen."""
    rng = np.random.default_rng(seed)
    stars = (
        3.5
        + 0.4 * rng.normal(size=(n_users, 1))
        + 0.4 * rng.normal(size=(1, n_items))
        + 0.8 * rng.normal(size=(n_users, rank)) @ rng.normal(size=(rank, n_items)) / rank
        + noise * rng.normal(size=(n_users, n_items))
    )
    seen = rng.random(stars.shape) < density
    users, items = np.nonzero(seen)
    return Ratings.from_arrays(users, items, stars[seen])


def random_ratings(rng, n_users=12, n_items=9, n=50) -> Ratings:
    """Anything at all, with stars on the usual scale."""
    return Ratings.from_arrays(
        rng.integers(0, n_users, n), rng.integers(0, n_items, n), rng.integers(1, 11, n) / 2
    )


seeds = st.integers(0, 2**32 - 1)
