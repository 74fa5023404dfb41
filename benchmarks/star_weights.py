"""What stars should weigh when movies are ranked: the table of docs/decisions/0004.

Run as ``python -m benchmarks.star_weights --data FOLDER``, where FOLDER is a MovieLens folder or
zip of any era. A rating of r stars gets the weight (r / mean)^p for several powers p: p = 0 weighs
all ratings alike, p = 2 is what ``weighting="stars"`` does. Each user's last fifth by time is held
out, and the full catalogue without the user's training movies is ranked. NDCG@10 is shown twice:
with every held-out rating as relevant, and with those of four stars or more alone.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import machine
from recommender import ImplicitALS, Ratings
from recommender.data.dataset import read_dataset
from recommender.data.splitting import Split, last_of_each_user
from recommender.evaluation.protocols import Ranker, full_ranking
from recommender.models.baselines import Popularity
from recommender.models.objective import ImplicitObjective
from recommender.training import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

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


def fit(ratings: Ratings, power: float) -> Ranker:
    """Fit the recipe's factorization with weights of (r / mean)^power."""
    relative = ratings.values / ratings.values.mean(dtype=np.float64)
    # The weight is the square of what is handed in.
    values = np.power(relative, power / 2).astype(np.float32)
    return PlainSquares(**Recipe().ranking.options()).fit(with_values(ratings, values))


def quality(ranker: Ranker, split: Split) -> tuple[float, float]:
    """Return NDCG@10 with all held-out ratings as relevant, and with the liked ones alone."""
    liked = Split(split.train, split.test.select(split.test.values >= LIKED))
    every, chosen = (full_ranking(ranker, part)["ndcg"].mean() for part in (split, liked))
    return float(every), float(chosen)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder or zip of MovieLens")
    given = parser.parse_args()
    ratings = Ratings.from_frame(read_dataset(given.data).ratings, timestamp="timestamp")
    split = last_of_each_user(ratings)
    print(f"{ratings} · {Recipe().ranking}\n{machine.in_one_line()}\n")
    print(f"| weight of r stars | NDCG@10 | relevant: {LIKED:g} stars or more |\n|---|---|---|")
    contenders: dict[str, Ranker] = {"popularity": Popularity.fit(split.train)}
    contenders |= {f"(r / mean)^{power:g}": fit(split.train, power) for power in POWERS}
    for name, ranker in contenders.items():
        every, liked = quality(ranker, split)
        print(f"| {name} | {every:.4f} | {liked:.4f} |")


if __name__ == "__main__":
    main()
