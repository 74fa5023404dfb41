"""What stars should weigh when movies are ranked: the table of docs/decisions/0004.

Run as ``python -m benchmarks.star_weights --data FOLDER``, where FOLDER is a MovieLens folder or
zip of any era. A rating of r stars gets the weight (r / mean)^p for several powers p
(``weight_power``); two more ways of weighing stand beside them. Each user's last fifth by time is
held out, and the full catalogue without the user's training movies is ranked. NDCG@10 is shown
twice: with every held-out rating as relevant, and with those of four stars or more alone; each as
the mean over ``--seeds`` starts with the 95 % interval over users, and how far it is behind the
square.
Other options are those for ratings of this size, or what is given, as in ``--unobserved-weight 1``.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from benchmarks import machine
from benchmarks.latest_small import ratings_in
from recommender import ImplicitALS, Ratings
from recommender.data.splitting import Split, last_of_each_user
from recommender.evaluation.protocols import Ranker, full_ranking
from recommender.evaluation.significance import (
    Difference,
    Interval,
    bootstrap_mean,
    paired_difference,
)
from recommender.models.baselines import Popularity
from recommender.training import recipe_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recommender.models.objective import ImplicitObjective

Weigh: TypeAlias = "Callable[[Ratings], Ratings]"

POWERS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
LIKED = 4.0
OPTIONS = ("factors", "regularization", "unobserved_weight")


@dataclass(frozen=True)
class PlainSquares(ImplicitALS):
    """Weigh each rating by the square of its value, in no other unit than the value's own."""

    def objective(self, ratings: Ratings) -> ImplicitObjective:
        """Return the loss with 1 as the value that counts as 1."""
        return replace(super().objective(ratings), typical_value=1.0, weight_power=2.0)


def with_values(ratings: Ratings, values: NDArray[np.float32]) -> Ratings:
    """Return the same ratings with other values."""
    return Ratings(ratings.users, ratings.items, ratings.by_user.with_values(values))


def weighed(ratings: Ratings, relative: NDArray[np.floating], power: float) -> Ratings:
    """Return values whose squares are ``relative^power``."""
    return with_values(ratings, np.power(relative, power / 2).astype(np.float32))


def by_power(power: float) -> Weigh:
    """Weigh by (r / mean)^power."""
    return lambda r: weighed(r, r.values / r.values.mean(dtype=np.float64), power)


def centred(ratings: Ratings) -> Ratings:
    """Weigh by (r / the user's own mean)²: four stars of a strict user count like five."""
    counts = np.bincount(ratings.user_rows, minlength=ratings.n_users)
    sums = np.bincount(ratings.user_rows, weights=ratings.values, minlength=ratings.n_users)
    means = sums / np.maximum(counts, 1)
    return weighed(ratings, ratings.values / means[ratings.user_rows], 2.0)


def liked(ratings: Ratings) -> Ratings:
    """Only ratings of four stars or more count, all alike; the user has still seen the others."""
    return weighed(ratings, (ratings.values >= LIKED).astype(np.float32), 1.0)


WEIGHINGS: dict[str, Weigh] = {
    **{f"(r / mean)^{power:g}": by_power(power) for power in POWERS},
    "(r / mean of the user)^2": centred,
    f"1 from {LIKED:g} stars on, else 0": liked,
}
CHOSEN = "(r / mean)^2"


def gains(ranker: Ranker, split: Split) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each user's NDCG@10 with all held-out ratings as relevant, and with the liked ones."""
    few = Split(split.train, split.test.select(split.test.values >= LIKED))
    every, chosen = (full_ranking(ranker, part)["ndcg"] for part in (split, few))
    return every, chosen


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder or zip of MovieLens")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--factors", type=int)
    parser.add_argument("--regularization", type=float)
    parser.add_argument("--unobserved-weight", type=float)
    given = parser.parse_args()
    ratings = ratings_in(given.data)
    split = last_of_each_user(ratings)
    chosen = {name: getattr(given, name) for name in OPTIONS if getattr(given, name) is not None}
    options = recipe_for(split.train).ranking.options() | chosen
    print(f"{ratings} · {ImplicitALS(**options)}\n{machine.in_one_line()}\n")
    found = {"popularity": gains(Popularity.fit(split.train), split)}
    for name, weigh in WEIGHINGS.items():
        runs = [
            gains(PlainSquares(**options | {"seed": seed}).fit(weigh(split.train)), split)
            for seed in range(given.seeds)
        ]
        every, good = (np.mean(parts, axis=0) for parts in zip(*runs, strict=True))
        found[name] = every, good
    print(f"| weight of r stars | NDCG@10 | behind | relevant: {LIKED:g} stars or more | behind |")
    print("|---|---|---|---|---|")
    for name, parts in found.items():
        cells = [
            cell
            for mine, best in zip(parts, found[CHOSEN], strict=True)
            for cell in (in_words(bootstrap_mean(mine)), in_words(paired_difference(best, mine)))
        ]
        print(f"| {name} | {' | '.join(cells)} |")


def in_words(interval: Interval | Difference) -> str:
    """Write a mean with its ends."""
    return f"{interval.mean:.4f} [{interval.low:.4f}, {interval.high:.4f}]"


if __name__ == "__main__":
    main()
