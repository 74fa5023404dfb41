"""Lists in process: one user, everyone, and someone new, beside implicit with the same factors.

Both programs rank with the very same vectors, without the movies that a user has rated. One call is
timed for each of 2,000 users, in turn, and again for each run; the medians of all calls are shown.
Every list of ours is compared with a full sort of all scores in double precision. implicit takes
part when the ``bench`` extra is installed.
"""

from __future__ import annotations

import statistics
import sys
from functools import partial
from importlib.util import find_spec
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix

from benchmarks.serving.world import STRANGERS, strangers
from recommender.solvers.threads import available_threads, single_threaded_blas

if TYPE_CHECKING:
    from collections.abc import Callable

    from recommender import FactorModel

N = 10
ASKED = 2_000


def measure(model: FactorModel, runs: int) -> None:
    """Measure and print."""
    asked = np.random.default_rng(0).choice(
        len(model.users), min(ASKED, len(model.users)), replace=False
    )
    with single_threaded_blas():
        check(model, asked[:200])
        work = ours(model, asked)
        theirs = implicit(model, asked) if find_spec("implicit") else {}
        if not theirs:
            sys.stderr.write("implicit is not installed (`make bench` installs it)\n")
        print("| work | projectionist | implicit | ratio |\n|---|---|---|---|")
        for name, run in work.items():
            mine, peer = in_turn(run, theirs.get(name), runs)
            print(f"| {name} | {told(mine, name)} | {told(peer, name)} | {compared(mine, peer)} |")


def check(model: FactorModel, asked: np.ndarray[Any, Any]) -> None:
    """Compare lists with a full sort."""
    for row in asked.tolist():
        user = model.folded(row)
        rows, scores = user.best_rows(N, True, None)
        exact = model.item_factors.astype(np.float64) @ user.vector.astype(np.float64)
        all_scores = exact.astype(np.float32)
        all_scores[user.rated] = -np.inf
        best = np.lexsort((np.arange(len(all_scores)), -all_scores))[:N]
        if (best != rows).any() or (all_scores[best] != scores).any():
            raise SystemExit(f"the list of the user in row {row} is not that of a full sort")


ONE, EVERYONE, NEW = "top 10, one user", "top 10, everyone", f"{STRANGERS} new ratings + top 10"


def ours(model: FactorModel, asked: np.ndarray[Any, Any]) -> dict[str, Callable[[], list[float]]]:
    """Return what is timed of ours."""
    ids = [model.users.id(int(row)) for row in asked]
    histories = strangers(model)

    def one() -> list[float]:
        return [timed(partial(model.recommend, user, N)) for user in ids]

    def everyone() -> list[float]:
        return [timed(lambda: model.recommend_batch(model.user_ids, N))]

    def new() -> list[float]:
        return [timed(partial(fold_in_and_rank, model, *history)) for history in histories]

    return {ONE: one, EVERYONE: everyone, NEW: new}


def implicit(
    model: FactorModel, asked: np.ndarray[Any, Any]
) -> dict[str, Callable[[], list[float]]]:
    """Return what is timed of implicit, which is given our vectors."""
    from implicit.als import AlternatingLeastSquares

    ratings = model.ratings
    ones = np.ones(ratings.n_ratings, np.float32)
    places = ratings.indices.astype(np.int32), ratings.indptr.copy()
    rated = csr_matrix((ones, *places), shape=(ratings.n_users, ratings.n_items))
    peer = AlternatingLeastSquares(factors=model.n_factors, num_threads=available_threads())
    peer.user_factors, peer.item_factors = model.user_factors.copy(), model.item_factors.copy()
    rows = [rated[int(row)] for row in asked]
    new = [
        csr_matrix((values, (np.zeros(len(items), np.int64), items)), shape=(1, ratings.n_items))
        for items, values in strangers(model)
    ]

    def one() -> list[float]:
        return [
            timed(partial(peer.recommend, int(user), row, N))
            for user, row in zip(asked, rows, strict=True)
        ]

    def everyone() -> list[float]:
        users = np.arange(ratings.n_users)
        return [timed(lambda: peer.recommend(users, rated, N))]

    def stranger() -> list[float]:
        return [timed(partial(peer.recommend, 0, row, N, recalculate_user=True)) for row in new]

    return {ONE: one, EVERYONE: everyone, NEW: stranger}


def fold_in_and_rank(
    model: FactorModel, rows: np.ndarray[Any, Any], values: np.ndarray[Any, Any]
) -> None:
    """Do what a request of somebody new needs."""
    model.fold_in_rows(rows, values).best_rows(N, True, None)


def timed(call: Callable[[], object]) -> float:
    """Return the seconds of one call."""
    started = perf_counter()
    call()
    return perf_counter() - started


def in_turn(
    mine: Callable[[], list[float]], peer: Callable[[], list[float]] | None, runs: int
) -> tuple[list[float], list[float]]:
    """Run both again and again, the first call of each uncounted."""
    mine()
    found: tuple[list[float], list[float]] = [], []
    if peer is not None:
        peer()
    for _ in range(runs):
        found[0].extend(mine())
        found[1].extend(peer() if peer else [])
    return found


def told(seconds: list[float], name: str) -> str:
    """Write a median, and how far calls spread."""
    if not seconds:
        return "–"
    if name == EVERYONE:
        return f"{statistics.median(seconds):.2f} s"
    low, middle, high = np.percentile(np.array(seconds) * 1e6, [5, 50, 95])
    return f"{middle:.1f} µs ({low:.1f} to {high:.1f})"


def compared(mine: list[float], peer: list[float]) -> str:
    """Say how many times as quick ours is."""
    return f"{statistics.median(peer) / statistics.median(mine):.1f}" if peer else "–"
