"""How well stars are predicted, and how long that takes, beside Surprise's SVD.

Run as ``python -m benchmarks.star_prediction [--data FOLDER | --like ml-1m] [--folds 5]``. Random
folds; predictions are clipped to the scale. ``bayesian-mf`` is asked with the moment of each
rating, as the test folds have it, and again without. The 80 % column says how many ratings lay in
the intervals that should hold 80 %. Surprise takes part when the ``bench`` extra is installed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import machine
from benchmarks.latest_small import LATEST_SMALL
from recommender import BayesianMF, BiasedALS, Ratings
from recommender.data.dataset import read_dataset
from recommender.data.splitting import k_fold
from recommender.data.synthetic import named_shape, planted_ratings
from recommender.evaluation.metrics import rmse
from recommender.training import prepare

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@dataclass
class Found:
    """What the folds said of one program."""

    seconds: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)


def ours(als: BiasedALS | BayesianMF, timed: bool = False) -> Callable[..., Any]:
    """Return a fit of one of our models, and how it is asked."""

    def run(train: Ratings, test: Ratings, found: Found) -> NDArray[np.float32]:
        started = perf_counter()
        model = als.fit(train)
        found.seconds.append(perf_counter() - started)
        users, items = test.users.ids[test.user_rows], test.items.ids[test.indices]
        times = test.timestamps if timed else None
        if model.uncertainty is not None:
            low, high = model.predict_interval(users, items, 0.8, times)
            found.inside.append(float(np.mean((test.values >= low) & (test.values <= high))))
        return model.predict(users, items, times)

    return run


def surprise(train: Ratings, test: Ratings, found: Found) -> NDArray[np.float32]:
    """Fit Surprise's SVD with its defaults (100 factors, 20 epochs)."""
    from surprise import SVD
    from surprise.trainset import Trainset

    users: dict[int, list[tuple[int, float]]] = {}
    items: dict[int, list[tuple[int, float]]] = {}
    rows = zip(train.user_rows.tolist(), train.indices.tolist(), train.values.tolist(), strict=True)
    for user, item, value in rows:
        users.setdefault(user, []).append((item, value))
        items.setdefault(item, []).append((user, value))
    scale = float(train.values.min()), float(train.values.max())
    n_users, n_items = train.n_users, train.n_items
    same = {row: row for row in range(max(n_users, n_items))}
    for user in range(n_users):
        users.setdefault(user, [])
    for item in range(n_items):
        items.setdefault(item, [])
    data = Trainset(users, items, n_users, n_items, train.n_ratings, scale, same, same)
    model = SVD(random_state=0)
    started = perf_counter()
    model.fit(data)
    found.seconds.append(perf_counter() - started)
    asked = zip(test.user_rows.tolist(), test.indices.tolist(), strict=True)
    return np.array([model.estimate(user, item) for user, item in asked], np.float32)


def contenders(samples: int) -> dict[str, Callable[..., NDArray[np.float32]]]:
    """List who takes part."""
    listed: dict[str, Callable[..., NDArray[np.float32]]] = {
        "biased-als": ours(BiasedALS()),
        "bayesian-mf, with moments": ours(BayesianMF(samples=samples), timed=True),
        "bayesian-mf": ours(BayesianMF(samples=samples)),
    }
    try:
        __import__("surprise")
    except ImportError:
        sys.stderr.write("surprise is not installed (`make bench` installs it)\n")
        return listed
    return {"surprise SVD": surprise, **listed}


def generated(name: str) -> Ratings:
    """Return a planted world of a known shape."""
    world = planted_ratings(named_shape(name), timestamps=True)
    return Ratings.from_arrays(world.users, world.items, world.ratings, world.timestamps)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "--data", type=Path, default=LATEST_SMALL, help="folder or zip of MovieLens"
    )
    parser.add_argument("--like", help="generate instead, such as ml-100k or ml-1m")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--first", type=int, help="only so many of the folds")
    parser.add_argument("--samples", type=int, default=BayesianMF().samples)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    ratings = (
        generated(given.like)
        if given.like
        else Ratings.from_frame(read_dataset(given.data).ratings, timestamp="timestamp")
    )
    prepare()
    low, high = float(ratings.values.min()), float(ratings.values.max())
    found = {name: Found() for name in contenders(given.samples)}
    for number, split in enumerate(k_fold(ratings, given.folds, given.seed)):
        if given.first is not None and number >= given.first:
            break
        for name, run in contenders(given.samples).items():
            predicted = np.clip(run(split.train, split.test, found[name]), low, high)
            found[name].errors.append(rmse(predicted, split.test.values))
    print(f"{ratings} · {given.folds} folds · {machine.in_one_line()}\n")
    print("| program | fit, s | RMSE | folds | in 80 % |\n|---|---|---|---|---|")
    for name, one in found.items():
        inside = f"{100 * statistics.mean(one.inside):.1f} %" if one.inside else "–"
        each = " ".join(f"{error:.4f}" for error in one.errors)
        mean = statistics.mean(one.errors)
        print(f"| {name} | {statistics.median(one.seconds):.2f} | {mean:.4f} | {each} | {inside} |")


if __name__ == "__main__":
    main()
