"""What stars should weigh when movies are ranked: the table of docs/decisions/0004.

Run as ``python -m benchmarks.star_weights --data FOLDER``, where FOLDER is a MovieLens folder or
zip of any era. A rating of r stars gets the weight (r / mean)^p for several powers p: p = 0 weighs
all ratings alike, p = 2 is what ``weighting="stars"`` does. Each user's last fifth by time is held
out, and the full catalogue without the user's training movies is ranked. NDCG@10 is shown twice:
with every held-out rating as relevant, and with those of four stars or more alone; each as the
mean over ``--seeds`` starts with the 95 % interval over users, and how far it is behind the square.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from benchmarks import machine
from recommender import ImplicitALS, Ratings
from recommender.data.dataset import read_dataset
from recommender.data.splitting import Split, last_of_each_user
from recommender.evaluation.protocols import Ranker, full_ranking
from recommender.evaluation.significance import (
    Difference,
    Interval,
    bootstrap_mean,
    paired_difference,
)
from recommender.models.baselines import Popularity
from recommender.models.objective import ImplicitObjective
from recommender.training import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Weigh: TypeAlias = "Callable[[Ratings], Ratings]"

POWERS = (0.0, 0.5, 1.0, 2.0, 3.0)
LIKED = 4.0


@dataclass(frozen=True)
class PlainSquares(ImplicitALS):
    """Weigh each rating by the square of its value, in no other unit than the value's own."""

    def objective(self, ratings: Ratings) -> ImplicitObjective:  # noqa: ARG002 - no unit to find
        """Return the loss with 1 as the value that counts as 1."""
        return ImplicitObjective(
            self.regularization,
            self.unobserved_weight,
            self.frequency_scaling,
            self.weighting,
            typical_value=1.0,
        )


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
    given = parser.parse_args()
    ratings = Ratings.from_frame(read_dataset(given.data).ratings, timestamp="timestamp")
    split = last_of_each_user(ratings)
    print(f"{ratings} · {Recipe().ranking}\n{machine.in_one_line()}\n")
    found = {"popularity": gains(Popularity.fit(split.train), split)}
    for name, weigh in WEIGHINGS.items():
        options = Recipe().ranking.options()
        runs = [
            gains(PlainSquares(**options | {"seed": seed}).fit(weigh(split.train)), split)
            for seed in range(given.seeds)
        ]
        every, chosen = (np.mean(parts, axis=0) for parts in zip(*runs, strict=True))
        found[name] = every, chosen
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
