"""How well stars are predicted, and how long that takes, beside Surprise's SVD.

Run as ``python -m benchmarks.star_prediction [--data FOLDER | --like ml-1m] [--folds 5]``. Random
folds; predictions are clipped to the scale. Everybody is fitted on each fold with each of
``--seeds`` seeds; the RMSE is the mean over all, ± the standard deviation of the folds' means over
the seeds. ``bayesian-mf, with moments`` learns from timestamps and is told the moment of each
rating that it predicts; plain ``bayesian-mf`` sees no timestamps at all. The 80 % column says how
many ratings lay in the intervals that should hold 80 %. Surprise takes part when the ``bench``
extra is installed; the last line then says how soon ``biased-als`` is as good.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from benchmarks import machine
from benchmarks.latest_small import LATEST_SMALL, ratings_in
from recommender import BayesianMF, BiasedALS, Ratings
from recommender.data.splitting import Split, k_fold
from recommender.data.synthetic import named_shape, planted_ratings
from recommender.evaluation.metrics import rmse
from recommender.training import prepare, recipe_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SURPRISE = "surprise SVD"


@dataclass
class Found:
    """What the folds said of one program: by seed, then by fold."""

    seconds: list[float] = field(default_factory=list)
    errors: dict[int, list[float]] = field(default_factory=dict)
    inside: list[float] = field(default_factory=list)

    def line(self, name: str) -> str:
        """Return it as a row of the table."""
        means = [statistics.mean(errors) for errors in self.errors.values()]
        spread = f" ± {statistics.stdev(means):.4f}" if len(means) > 1 else ""
        inside = f"{100 * statistics.mean(self.inside):.1f} %" if self.inside else "–"
        folds = [statistics.mean(fold) for fold in zip(*self.errors.values(), strict=True)]
        each = " ".join(f"{error:.4f}" for error in folds)
        seconds = f"{statistics.median(self.seconds):.2f}"
        return f"| {name} | {seconds} | {statistics.mean(means):.4f}{spread} | {each} | {inside} |"


Run: TypeAlias = "Callable[[Ratings, Ratings, int, Found], NDArray[np.float32]]"


def ours(make: Callable[[Ratings], BiasedALS | BayesianMF], timed: bool = False) -> Run:
    """Return a fit of one of our models, and how it is asked."""

    def run(train: Ratings, test: Ratings, seed: int, found: Found) -> NDArray[np.float32]:
        als = replace(make(train), seed=seed)
        seen = train if timed else Ratings(train.users, train.items, train.by_user)
        started = perf_counter()
        model = als.fit(seen)
        found.seconds.append(perf_counter() - started)
        users, items = test.users.ids[test.user_rows], test.items.ids[test.indices]
        times = test.timestamps if timed else None
        if model.uncertainty is not None:
            low, high = model.predict_interval(users, items, 0.8, times)
            found.inside.append(float(np.mean((test.values >= low) & (test.values <= high))))
        return model.predict(users, items, times)

    return run


def sized(train: Ratings, **options: Any) -> BiasedALS:
    """Return what `projectionist train` takes for ratings of this size."""
    stars = recipe_for(train).stars
    assert isinstance(stars, BiasedALS)
    return replace(stars, **options)


def surprise(train: Ratings, test: Ratings, seed: int, found: Found) -> NDArray[np.float32]:
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
    model = SVD(random_state=seed)
    started = perf_counter()
    model.fit(data)
    found.seconds.append(perf_counter() - started)
    asked = zip(test.user_rows.tolist(), test.indices.tolist(), strict=True)
    return np.array([model.estimate(user, item) for user, item in asked], np.float32)


def contenders() -> dict[str, Run]:
    """List who takes part."""
    listed: dict[str, Run] = {
        "biased-als": ours(lambda _: BiasedALS()),
        "biased-als, λ by size": ours(sized),
        "bayesian-mf": ours(lambda _: BayesianMF()),
        "bayesian-mf, with moments": ours(lambda _: BayesianMF(), timed=True),
    }
    if find_spec("surprise") is None:
        sys.stderr.write("surprise is not installed (`make bench` installs it)\n")
        return listed
    return {SURPRISE: surprise, **listed}


def first_as_good(split: Split, error: float, clip: Callable[..., Any]) -> tuple[float, int]:
    """Return the seconds and epochs in which `biased-als` falls to an error; infinite if never."""
    for epochs in range(1, sized(split.train).epochs + 1):
        found = Found()
        run = ours(partial(sized, epochs=epochs))
        predicted = clip(run(split.train, split.test, 0, found))
        if rmse(predicted, split.test.values) <= error:
            return found.seconds[0], epochs
    return float("inf"), 0


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
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--shuffle", type=int, default=0, help="seed of the folds")
    given = parser.parse_args()
    ratings = generated(given.like) if given.like else ratings_in(given.data)
    prepare(wide=True)
    low, high = float(ratings.values.min()), float(ratings.values.max())
    clip = partial(np.clip, a_min=low, a_max=high)
    splits = list(islice(k_fold(ratings, given.folds, given.shuffle), given.first))
    found = {name: Found() for name in contenders()}
    for seed in range(given.seeds):
        for split in splits:
            for name, run in contenders().items():
                predicted = clip(run(split.train, split.test, seed, found[name]))
                errors = found[name].errors.setdefault(seed, [])
                errors.append(rmse(predicted, split.test.values))
    print(f"{ratings} · {given.folds} folds · {machine.in_one_line()}\n")
    print("| program | fit, s | RMSE | folds | in 80 % |\n|---|---|---|---|---|")
    for name, one in found.items():
        print(one.line(name))
    if SURPRISE in found:
        peer = found[SURPRISE]
        soon = [
            first_as_good(split, error, clip)
            for split, error in zip(splits, peer.errors[0], strict=True)
        ]
        seconds = statistics.median(one[0] for one in soon)
        share = seconds / statistics.median(peer.seconds)
        epochs = ", ".join(str(one[1]) for one in soon)
        print(
            f"\nbiased-als is as good in {seconds:.3f} s ({epochs} epochs): {share:.3f} of its time"
        )


if __name__ == "__main__":
    main()
