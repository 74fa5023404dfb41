"""Planted worlds: ratings of any number, as skewed as MovieLens, with a truth that can be found.

What is planted, in the order in which it is drawn (:mod:`recommender.data.synthetic_plan`):

1. How many ratings each user gives: the quantiles of ML-20M (from 20 up, half of the users below
   68, one with more than 9,000), stretched so that the sum is right.
2. How many raters each item should find: the curve of ML-20M (a flat head, then a long tail, a
   quarter of the items with three raters or fewer), raised to the power at which the most popular
   item finds just under half of the users, as in nearly every release of MovieLens.
3. Tastes: 12 normal factors of every user and item. The *fit* of an item to a user is their dot
   product; its variance is 1, to which each factor adds 0.8 of what the one before it adds.
4. Every item's first rater, so that no item is without: n_items of the n_ratings places, drawn
   uniformly, and the items dealt to them by random swaps until a deal is as probable as the
   product of the pulls below.
5. All other picks: a user takes one item after the other, none twice, an unseen item i with a
   probability in proportion to ``weight_i · exp(1.5 · min(fit_ui, 2))``. (This is Plackett and
   Luce's distribution, the same as the largest of log weight + pull + Gumbel noise.) The draw is
   exact; the weights are chosen so that the expected number of raters is close to step 2.
6. Stars: ``3.53 + b_u + b_i + 0.7 · fit_ui + noise``, rounded to half stars from 0.5 to 5. The fit
   counts from its mean among all picks; more popular items are liked a little more.
7. Times: a user comes on some day in twenty years and stays for ten minutes to five years.

The same shape and seed give the same ratings, with the same version of NumPy on one machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recommender.data.synthetic_picks import draw_ratings
from recommender.data.synthetic_plan import RANK, plan_world
from recommender.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from recommender.data.synthetic_picks import Plan

BLOCK_SIZE = 1_000_000
"""About how many ratings a block has: 20 MB."""

_LARGEST = 2**31 - 1  # rows are int32


@dataclass(frozen=True, slots=True)
class Shape:
    """How many users, items and ratings a world has.

    Raises
    ------
    InvalidOptionError
        When there is no such world: each user and each item has a rating, and no pair has two.

    Examples
    --------
    >>> Shape(610, 9_724, 100_836).density
    0.016999683055613623
    >>> Shape(3, 4, 13)
    Traceback (most recent call last):
    recommender.errors.InvalidOptionError: 3 users by 4 items are 12 pairs, too few for 13 ratings
    """

    n_users: int
    n_items: int
    n_ratings: int

    def __post_init__(self) -> None:
        """Refuse a shape that no ratings can have."""
        for what in ("ratings", "users", "items"):
            n = getattr(self, f"n_{what}")
            if not _is_whole(n) or n < 1:
                raise InvalidOptionError(f"a world has 1 or more {what}; found {n!r}")
            if n > _LARGEST and what != "ratings":
                raise InvalidOptionError(f"a world has at most {_LARGEST:,} {what}; found {n:,}")
            if n > self.n_ratings:
                raise InvalidOptionError(
                    f"{n:,} {what} with at least one rating each need as many ratings; "
                    f"found {self.n_ratings:,}"
                )
        if self.n_ratings > self.n_users * self.n_items:
            raise InvalidOptionError(
                f"{self.n_users:,} users by {self.n_items:,} items are "
                f"{self.n_users * self.n_items:,} pairs, too few for {self.n_ratings:,} ratings"
            )

    @property
    def density(self) -> float:
        """The part of all pairs that has a rating."""
        return self.n_ratings / (self.n_users * self.n_items)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


SHAPES = {
    "ml-100k": Shape(943, 1_682, 100_000),
    "ml-latest-small": Shape(610, 9_724, 100_836),
    "ml-1m": Shape(6_040, 3_706, 1_000_209),
    "5m": Shape(34_623, 13_372, 5_000_000),
    "ml-10m": Shape(69_878, 10_677, 10_000_054),
    "ml-20m": Shape(138_493, 26_744, 20_000_263),
    "ml-25m": Shape(162_541, 59_047, 25_000_095),
    "100m": Shape(692_456, 59_801, 100_000_000),
}
"""Sizes by name: those of MovieLens releases, as published, and two for benchmarks.

``5m`` and ``100m`` are ml-20m made smaller and larger: as many ratings a user (144), so that users
grow with the ratings, and items with their square root, as a catalogue grows slower than its
audience.
"""


def named_shape(name: str) -> Shape:
    """Return the shape of :data:`SHAPES` with this name.

    Raises
    ------
    InvalidOptionError
        When there is none.
    """
    if name not in SHAPES:
        raise InvalidOptionError(f"there is no shape {name!r}; known are: {', '.join(SHAPES)}")
    return SHAPES[name]


@dataclass(frozen=True, eq=False)
class PlantedRatings:
    """Ratings as one array a column, by user and, within a user, by item.

    Attributes
    ----------
    users, items
        (n,) int32, counted from 0.
    ratings
        (n,) float32 stars: 0.5 to 5 in half steps.
    timestamps
        (n,) int64 seconds since 1970, or ``None``.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    ratings: NDArray[np.float32]
    timestamps: NDArray[np.int64] | None

    def to_frame(self) -> pl.DataFrame:
        """Return columns ``user``, ``item``, ``rating`` and ``timestamp``, if there are any.

        Ids count from 1, as those of MovieLens.
        """
        frame = pl.DataFrame(
            {"user": self.users + 1, "item": self.items + 1, "rating": self.ratings}
        )
        if self.timestamps is None:
            return frame
        return frame.with_columns(timestamp=pl.Series(self.timestamps))


@dataclass(frozen=True, eq=False)
class PlantedWorld:
    """A world that is planted, and whose ratings are drawn when they are asked for.

    Attributes
    ----------
    shape
        How many users, items and ratings.
    plan
        What was planted.

    Examples
    --------
    >>> world = PlantedWorld.plant(Shape(30, 20, 400), seed=1)
    >>> world.user_tastes.shape, world.item_tastes.shape
    ((30, 12), (20, 12))
    >>> sum(len(block.users) for block in world.blocks(size=150))
    400
    """

    shape: Shape
    plan: Plan

    @classmethod
    def plant(cls, shape: Shape, seed: int = 0) -> PlantedWorld:
        """Plant a world: all that its ratings are drawn from.

        Parameters
        ----------
        seed
            A whole number of at least 0.

        Raises
        ------
        InvalidOptionError
            When the seed is none.
        """
        if not _is_whole(seed) or seed < 0:
            raise InvalidOptionError(f"seed must be a whole number of at least 0; found {seed!r}")
        return cls(shape, plan_world(shape.n_users, shape.n_items, shape.n_ratings, seed))

    @property
    def user_tastes(self) -> NDArray[np.float32]:
        """(n_users, 12) float32: the planted factors of the users."""
        return self.plan.user_tastes[:, :RANK]

    @property
    def item_tastes(self) -> NDArray[np.float32]:
        """(n_items, 12) float32: the planted factors of the items."""
        return self.plan.item_tastes[:, :RANK]

    def stars(self, users: ArrayLike, items: ArrayLike) -> NDArray[np.float32]:
        """(n,) float32: the stars of pairs of users and items before noise and rounding."""
        users, items = np.asarray(users), np.asarray(items)
        fits = np.einsum("ij,ij->i", self.user_tastes[users], self.item_tastes[items])
        felt: NDArray[np.float32] = (
            self.plan.user_stars[users] + self.plan.item_stars[items] + self.plan.slope * fits
        )
        return felt

    def blocks(self, size: int = BLOCK_SIZE, timestamps: bool = True) -> Iterator[PlantedRatings]:
        """Draw the ratings of some users after those of others, in bounded memory.

        Parameters
        ----------
        size
            How many ratings a block may have; a user's ratings stay together even so.
        timestamps
            Whether to draw them; all else is the same with and without.
        """
        indptr = self.plan.indptr
        first = 0
        while first < self.shape.n_users:
            full = int(np.searchsorted(indptr, indptr[first] + size, side="right")) - 1
            last = max(full, first + 1)
            n = int(indptr[last] - indptr[first])
            items, stars = np.empty(n, np.int32), np.empty(n, np.float32)
            times = np.empty(n if timestamps else 0, np.int64)
            draw_ratings(self.plan, first, last, items, stars, times)
            counts = np.diff(indptr[first : last + 1])
            users = np.repeat(np.arange(first, last, dtype=np.int32), counts)
            yield PlantedRatings(users, items, stars, times if timestamps else None)
            first = last


def planted_ratings(shape: Shape, seed: int = 0, timestamps: bool = False) -> PlantedRatings:
    """Return all ratings of a world at once: 12 bytes each, 20 with timestamps.

    Examples
    --------
    >>> ratings = planted_ratings(SHAPES["ml-100k"], seed=7)
    >>> len(ratings.users), len(np.unique(ratings.items)), ratings.users.dtype
    (100000, 1682, dtype('int32'))
    """
    n = shape.n_ratings
    users, items = np.empty(n, np.int32), np.empty(n, np.int32)
    stars = np.empty(n, np.float32)
    times = np.empty(n, np.int64) if timestamps else None
    end = 0
    for block in PlantedWorld.plant(shape, seed).blocks(timestamps=timestamps):
        begin, end = end, end + len(block.users)
        users[begin:end], items[begin:end] = block.users, block.items
        stars[begin:end] = block.ratings
        if times is not None and block.timestamps is not None:
            times[begin:end] = block.timestamps
    return PlantedRatings(users, items, stars, times)
