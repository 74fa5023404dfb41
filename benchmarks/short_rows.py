"""What the dual form saves on rows with few ratings: the figures of docs/decisions/0006.

Run as ``python -m benchmarks.short_rows --data FOLDER [--runs 9] [--threads 2]``, where FOLDER is a
MovieLens folder or zip of any era. One half-step of each side is timed twice in turn: with the
dual form where it pays, and with the normal equations for every row. The medians are shown, and
how far the two answers lie apart.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import machine
from recommender import Ratings
from recommender.data.dataset import read_dataset
from recommender.models.alternation import equations
from recommender.solvers import cholesky
from recommender.solvers.basis import diagonalize
from recommender.solvers.equations import Equations, Standing, widened
from recommender.solvers.threads import available_threads
from recommender.training import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray


def prepared(
    other: NDArray[np.float32], unobserved_weight: float, threads: int
) -> tuple[Standing, Standing]:
    """Return the side that stands still, in its eigenvectors: as training has it, and again.

    The second does not tell that what all rows share is diagonal, which the dual form needs.
    """
    vectors = widened(other).copy()
    diagonal = diagonalize(vectors, other.shape[1], unobserved_weight, [vectors], threads)
    nothing = np.empty(0, np.float32)
    return Standing.diagonal(vectors, diagonal), Standing(
        vectors, nothing, nothing, np.diag(diagonal)
    )


def half_step(side: Equations, standing: Standing) -> tuple[float, NDArray[np.float32]]:
    """Solve one side; return the seconds and the vectors."""
    out = np.zeros((side.matrix.n_rows, standing.vectors.shape[1]), np.float32)
    started = perf_counter()
    cholesky.solve(side, standing, out)
    return perf_counter() - started, out


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder or zip of MovieLens")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--threads", type=int, default=available_threads())
    given = parser.parse_args()
    ratings = Ratings.from_frame(read_dataset(given.data).ratings, timestamp="timestamp")
    als = Recipe().ranking
    objective, model = als.objective(ratings), als.fit(ratings)
    print(f"{ratings} · {als.factors} factors, {given.threads} threads\n{machine.in_one_line()}\n")
    print("| side | rows | short rows | dual, s | normal, s | largest difference |")
    print("|---|---|---|---|---|---|")
    sides = {
        "users": (ratings.by_user, model.item_factors),
        "movies": (ratings.by_item, model.user_factors),
    }
    for name, (matrix, other) in sides.items():
        side = equations(matrix, objective, given.threads)
        ways = prepared(other, als.unobserved_weight, given.threads)
        half_step(side, ways[0])  # compiled, and in the caches
        runs = [[half_step(side, standing) for standing in ways] for _ in range(given.runs)]
        short = int((np.diff(matrix.indptr) <= cholesky._longest_dual(als.factors)).sum())
        dual, normal = (statistics.median(run[which][0] for run in runs) for which in (0, 1))
        apart = float(np.abs(runs[0][0][1] - runs[0][1][1]).max())
        print(f"| {name} | {matrix.n_rows} | {short} | {dual:.4f} | {normal:.4f} | {apart:.1e} |")


if __name__ == "__main__":
    main()
