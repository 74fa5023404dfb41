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
from recommender.models.alternation import Side
from recommender.solvers import cholesky
from recommender.solvers.threads import available_threads, single_threaded_blas
from recommender.training import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.models.objective import AnyObjective


def half_step(
    side: Side, other: NDArray[np.float32], objective: AnyObjective, dual: bool
) -> tuple[float, NDArray[np.float32]]:
    """Solve one side; return the seconds, preparation included, and the vectors."""
    baselines = np.zeros(len(other), dtype=np.float32)
    targets = objective.targets(side.matrix.values, baselines[side.matrix.indices])
    out = np.empty((side.matrix.n_rows, other.shape[1]), dtype=np.float32)
    started = perf_counter()
    prepare = cholesky.Standing.for_many_rows if dual else cholesky.Standing.for_one_row
    standing = prepare(other, objective.gram(other))
    cholesky.solve_rows(side.matrix, side.weights, targets, standing, side.ridge, out, side.shares)
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
    cholesky.prepare()
    print(f"{ratings} · {als.factors} factors, {given.threads} threads\n{machine.in_one_line()}\n")
    print("| side | rows | short rows | dual, s | normal, s | largest difference |")
    print("|---|---|---|---|---|---|")
    sides = {
        "users": (ratings.by_user, model.item_factors),
        "movies": (ratings.by_item, model.user_factors),
    }
    for name, (matrix, other) in sides.items():
        side = Side.of(matrix, objective, given.threads)
        with single_threaded_blas():
            runs = [
                (half_step(side, other, objective, True), half_step(side, other, objective, False))
                for _ in range(given.runs)
            ]
        short = int((np.diff(matrix.indptr) <= als.factors // 2).sum())
        dual, normal = (statistics.median(run[which][0] for run in runs) for which in (0, 1))
        apart = float(np.abs(runs[0][0][1] - runs[0][1][1]).max())
        print(f"| {name} | {matrix.n_rows} | {short} | {dual:.3f} | {normal:.3f} | {apart:.1e} |")


if __name__ == "__main__":
    main()
