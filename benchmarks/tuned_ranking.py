"""NDCG@10 on what came last, everybody tuned with the same budget on the time before.

Run as ``python -m benchmarks.tuned_ranking --data FOLDER [--trials 40] [--seeds 5] [--json]``. Each
user's last fifth by time is the test. Of the rest each user's last fifth again is the validation
part: on it Optuna searches the options of every contender, the same number of trials for each,
beginning with its own defaults; for ours by what ``projectionist tune`` does. The best options are
then fitted on everything but the test, with each of ``--seeds`` seeds.
Peers weigh ratings as their documentation does, alike or by their stars; a second row of each may
weigh them by any power of the stars, as ours may.
Intervals are of the mean over users (95 %, bootstrap); "behind" is the paired difference to ours.
Needs the extras ``bench`` and ``tune``.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import optuna
from scipy.sparse import csr_matrix

from benchmarks import machine
from benchmarks.latest_small import LATEST_SMALL, Factors, ratings_in
from recommender import ImplicitALS, Ratings
from recommender.data.splitting import last_of_each_user
from recommender.evaluation.protocols import Ranker, full_ranking
from recommender.evaluation.significance import bootstrap_mean, paired_difference
from recommender.models.baselines import Popularity
from recommender.models.ease import EASE
from recommender.models.item_neighbours import ItemNeighbours
from recommender.solvers.threads import available_threads
from recommender.tuning.exam import Exam
from recommender.tuning.search import Budget
from recommender.tuning.search import tune as tune_projectionist
from recommender.tuning.space import tunable

if TYPE_CHECKING:
    from collections.abc import Callable


OURS = "projectionist"

Suggest: TypeAlias = "Callable[[optuna.Trial], dict[str, Any]]"
Fit: TypeAlias = "Callable[[Ratings, dict[str, Any], int], Ranker]"


@dataclass(frozen=True)
class Contender:
    """Who takes part: how options are suggested, the defaults, and how a model is fitted."""

    suggest: Suggest
    defaults: dict[str, Any]
    fit: Fit


def main() -> None:
    """Tune, fit, judge, print."""
    given = arguments()
    ratings = ratings_in(given.data)
    outer = last_of_each_user(ratings)
    print(f"{ratings} · {given.trials} trials each · {machine.in_one_line()}\n", flush=True)
    rows, ours = [], None
    for name, contender in contenders(given.only).items():
        started = perf_counter()
        search = tune_ours if name == OURS else tune
        best, found = search(contender, outer.train, given.trials)
        gains = np.mean(
            [
                full_ranking(contender.fit(outer.train, best, seed), outer)["ndcg"]
                for seed in range(given.seeds)
            ],
            axis=0,
        )
        ours = gains if ours is None else ours
        interval = bootstrap_mean(gains)
        behind = paired_difference(ours, gains)
        row = {
            "name": name,
            "ndcg": interval.mean,
            "low": interval.low,
            "high": interval.high,
            "behind": asdict(behind),
            "validation": found,
            "options": best,
            "seconds": perf_counter() - started,
        }
        rows.append(row)
        print(json.dumps(row, default=float), flush=True)
    if given.json:
        print(json.dumps({"machine": machine.describe(), "rows": rows}, indent=2, default=float))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "--data", type=Path, default=LATEST_SMALL, help="folder or zip of MovieLens"
    )
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="*", help="names of contenders")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def tune_ours(_: Contender, ratings: Ratings, trials: int) -> tuple[dict[str, Any], float]:
    """Search as the command does: it holds out the same ratings for itself."""
    sized = tunable("implicit-als").sized(ratings)
    found = tune_projectionist(ratings, sized, Exam.of(sized, ratings), Budget(trials=trials))
    assert found.best.score is not None
    return dict(found.best.options), found.best.score


def tune(contender: Contender, ratings: Ratings, trials: int) -> tuple[dict[str, Any], float]:
    """Search the options that rank the validation part best."""
    split = last_of_each_user(ratings)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=0, multivariate=True)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    if contender.defaults:
        study.enqueue_trial(contender.defaults)

    def score(trial: optuna.Trial) -> float:
        options = contender.suggest(trial)
        trial.set_user_attr("options", options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # peers warn of BLAS threads
            return float(full_ranking(contender.fit(split.train, options, 0), split)["ndcg"].mean())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Optuna's experimental parts
        study.optimize(score, n_trials=trials if contender.defaults else 1)
    options: dict[str, Any] = study.best_trial.user_attrs["options"]
    return options, float(study.best_value)


def contenders(only: list[str] | None) -> dict[str, Contender]:
    """List who takes part; a peer that is not installed is named on standard error."""
    listed = {
        OURS: Contender(lambda _: {}, {}, lambda r, o, s: ImplicitALS(**o | {"seed": s}).fit(r)),
        "popularity": Contender(lambda _: {}, {}, lambda r, _o, _s: Popularity.fit(r)),
        "item neighbours": Contender(
            lambda t: {
                "neighbours": t.suggest_int("neighbours", 5, 1000, log=True),
                "shrinkage": t.suggest_float("shrinkage", 0.1, 300, log=True),
                "values": t.suggest_categorical("values", ["ones", "stars"]),
            },
            {"neighbours": 100, "shrinkage": 10.0, "values": "ones"},
            lambda r, o, _s: ItemNeighbours(**o).fit(r),
        ),
        "EASE": Contender(
            lambda t: {
                "regularization": t.suggest_float("regularization", 5, 5000, log=True),
                "values": t.suggest_categorical("values", ["ones", "stars"]),
            },
            {"regularization": 300.0, "values": "ones"},
            lambda r, o, _s: EASE(**o).fit(r),
        ),
    }  # fmt: skip
    for name, (suggest, defaults, fit) in _PEERS.items():
        listed[name] = _peer(suggest, defaults | {"power": 0.0}, fit, _ones_or_stars)
        listed[f"{name}, our weights"] = _peer(suggest, defaults | {"power": 2.0}, fit, _any_power)
    for package in _PEERS:
        if find_spec(package) is None:
            sys.stderr.write(f"{package} is not installed (`make bench` installs it)\n")
            listed = {name: who for name, who in listed.items() if not name.startswith(package)}
    return {name: who for name, who in listed.items() if not only or name in {OURS, *only}}


def _peer(suggest: Suggest, defaults: dict[str, Any], fit: Fit, weigh: Suggest) -> Contender:
    return Contender(lambda trial: suggest(trial) | weigh(trial), defaults, fit)


def _ones_or_stars(trial: optuna.Trial) -> dict[str, Any]:
    return {"power": trial.suggest_categorical("power", [0.0, 1.0])}


def _any_power(trial: optuna.Trial) -> dict[str, Any]:
    return {"power": trial.suggest_float("power", 0, 4)}


def _suggest_implicit(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "factors": trial.suggest_int("factors", 8, 256, log=True),
        "regularization": trial.suggest_float("regularization", 1e-3, 100, log=True),
        "alpha": trial.suggest_float("alpha", 0.5, 100, log=True),
        "iterations": trial.suggest_int("iterations", 3, 40, log=True),
    }


def _suggest_irspack(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "n_components": trial.suggest_int("n_components", 8, 256, log=True),
        "alpha0": trial.suggest_float("alpha0", 3e-3, 1, log=True),
        "reg": trial.suggest_float("reg", 1e-4, 0.3, log=True),
        "nu": trial.suggest_float("nu", 0, 1.5),
        "train_epochs": trial.suggest_int("train_epochs", 3, 40, log=True),
    }


def _fit_implicit(ratings: Ratings, options: dict[str, Any], seed: int) -> Ranker:
    from implicit.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(
        factors=options["factors"], regularization=options["regularization"],
        iterations=options["iterations"], use_cg=False, num_threads=available_threads(),
        random_state=seed,
    )  # fmt: skip
    model.fit(_matrix(ratings, options["power"]) * options["alpha"], show_progress=False)
    return Factors(np.asarray(model.user_factors), np.asarray(model.item_factors))


def _fit_irspack(ratings: Ratings, options: dict[str, Any], seed: int) -> Ranker:
    from irspack import IALSRecommender

    own = dict(options)
    matrix = _matrix(ratings, own.pop("power")).astype(np.float64)
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):  # bars without a switch
        model = IALSRecommender(
            matrix, solver_type="CHOLESKY", n_threads=available_threads(), random_seed=seed, **own
        ).learn()
    return Factors(
        model.get_user_embedding().astype(np.float32), model.get_item_embedding().astype(np.float32)
    )


def _matrix(ratings: Ratings, power: float) -> Any:
    """Return a power of the stars in units of their mean; 0 gives ones."""
    weights = np.power(ratings.values / ratings.values.mean(dtype=np.float64), power)
    shape = ratings.n_users, ratings.n_items
    arrays = weights.astype(np.float32), ratings.indices.astype(np.int32), ratings.indptr.copy()
    return csr_matrix(arrays, shape=shape)


_PEERS: dict[str, tuple[Suggest, dict[str, Any], Fit]] = {
    "implicit": (
        _suggest_implicit,
        {"factors": 64, "regularization": 0.01, "alpha": 1.0, "iterations": 15},
        _fit_implicit,
    ),
    "irspack": (
        _suggest_irspack,
        {"n_components": 64, "alpha0": 0.1, "reg": 1e-3, "nu": 1.0, "train_epochs": 16},
        _fit_irspack,
    ),
}


if __name__ == "__main__":
    main()
