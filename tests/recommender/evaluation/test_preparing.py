"""Before the clock: nothing is compiled, or loaded from the cache, while it runs."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from recommender import Ratings
from recommender.arrays import SparseRows
from recommender.data.experiment_files import Fold
from recommender.data.vocabulary import Vocabulary
from recommender.evaluation import preparing, running
from recommender.evaluation.experiment import PROTOCOLS, Experiment, FoldFiles
from recommender.models.by_name import MODELS
from tests.recommender.worlds import low_rank_stars

SHORT = {"epochs": 5, "samples": 3}


def kernels():
    """Every function of this package that is compiled."""
    found = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("recommender."):
            for thing in vars(module).values():
                if isinstance(thing, Dispatcher):
                    found[f"{thing.py_func.__module__}.{thing.py_func.__qualname__}"] = thing
    return found


def signatures():
    return {(name, sign) for name, each in kernels().items() for sign in each.overloads}


@pytest.fixture
def afresh():
    """Forget all machine code, as in a new process."""
    for each in kernels().values():
        if not each.targetoptions.get("forceinline"):
            each.overloads.clear()
            each._reset_overloads()


def world(text=False, timestamps=True, n_users=150, n_items=120):
    """Rows shorter and longer than the factors, in 16 bits."""
    ratings = low_rank_stars(n_users, n_items, noise=0.3)
    part = np.random.default_rng(1).integers(0, 4, ratings.n_ratings)
    stars = np.clip(np.round(2 * ratings.values) / 2, 0.5, 5)

    def of(chosen, first=0, last=n_users):
        there = np.isin(part, chosen) & (ratings.user_rows >= first) & (ratings.user_rows < last)
        users, items = ratings.user_rows[there], ratings.indices[there]
        if text:
            users, items = (np.char.add("n", ids.astype(str)).tolist() for ids in (users, items))
        times = 1_600_000_000 + 3_600 * np.arange(there.sum()) if timestamps else None
        return Ratings.from_arrays(users, items, stars[there], times)

    return of


def wide(ratings):
    """The same in a world of so many users and items that their numbers take 32 bits."""
    n = (1 << 16) + 10
    ids = Vocabulary(np.arange(n))
    rows = ratings.by_user
    indptr = np.append(rows.indptr, np.full(n - ratings.n_users, rows.indptr[-1]))
    return Ratings(
        ids, ids,
        SparseRows(indptr, rows.indices.astype(np.int32), rows.codes, rows.levels, n),
        ratings.timestamps,
    )  # fmt: skip


def fold_for(protocol, of):
    if protocol == "strong-generalization":
        return Fold(of([0, 1, 2, 3], 0, 100), of([3], 100), fold_in=of([0, 1, 2], 100))
    negatives = of([2]) if protocol == "leave-one-out" else None
    return Fold(of([0, 1]), of([3]), negatives=negatives)


def experiment_for(protocol, model, options=None):
    """An experiment whose files are never read: the fold is at hand."""
    path = __file__
    files = FoldFiles(
        path, path,
        path if protocol == "leave-one-out" else None,
        path if protocol == "strong-generalization" else None,
    )  # fmt: skip
    known = {option.name for option in MODELS[model].options}
    return Experiment(
        protocol, model, (files,), {k: v for k, v in SHORT.items() if k in known} | (options or {})
    )


def run(experiment, fold):
    running._Once(experiment, fold, 0, running._unheard).run().resampled(3)


PAIRS = [(p, m) for p in PROTOCOLS for m in MODELS if getattr(MODELS[m], PROTOCOLS[p].needs)]


def new_while_running(experiment, fold):
    """Which kernels get machine code while the clock runs."""
    running._prepare(experiment, fold, running._unheard)
    before = signatures()
    run(experiment, fold)
    return signatures() - before


@pytest.mark.parametrize(("protocol", "model"), PAIRS)
def test_no_kernel_is_new_while_the_clock_runs(protocol, model, afresh):
    assert new_while_running(experiment_for(protocol, model), fold_for(protocol, world())) == set()


@pytest.mark.parametrize(("protocol", "model"), PAIRS)
def test_nor_where_ids_are_text_and_there_are_no_times(protocol, model, afresh):
    fold = fold_for(protocol, world(text=True, timestamps=False))
    assert new_while_running(experiment_for(protocol, model), fold) == set()


@pytest.mark.parametrize(
    ("protocol", "model"),
    [("full-ranking", "implicit-als"), ("rating", "biased-als"), ("full-ranking", "popularity")],
)
def test_nor_where_numbers_are_wide(protocol, model, afresh):
    fold = fold_for(protocol, world())
    fold = replace(fold, train=wide(fold.train), test=wide(fold.test))
    options = {"factors": 3} if model != "popularity" else {}
    assert new_while_running(experiment_for(protocol, model, options), fold) == set()


@pytest.mark.parametrize("solver", ["cholesky", "conjugate_gradient", "subspace"])
def test_nor_with_any_solver(solver, afresh):
    experiment = experiment_for("full-ranking", "implicit-als", {"solver": solver, "factors": 20})
    assert new_while_running(experiment, fold_for("full-ranking", world())) == set()


def test_what_a_small_world_refuses_is_left_to_the_real_one(afresh):
    def refuse(_fold, _options):
        raise preparing.RecommenderError("too small")

    preparing.prepare(fold_for("full-ranking", world()), {}, refuse)


def test_a_large_model_is_cut_short():
    told = []
    preparing.prepare(
        fold_for("rating", world()), {"epochs": 900, "factors": 7}, lambda f, o: told.append((f, o))
    )
    (fold, options), (fewer, _) = told
    assert fewer.train.n_ratings < fold.train.n_ratings
    assert options == {"epochs": 6, "factors": 7}
    assert fold.train.n_ratings < 1_000
    assert not set(zip(fold.train.user_rows, fold.train.indices, strict=True)) & set(
        zip(fold.test.user_rows, fold.test.indices, strict=True)
    )
