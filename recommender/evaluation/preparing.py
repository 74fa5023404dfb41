"""Machine code before the clock: an experiment in small, so that no second counts a compiler."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import SparseRows, pointers
from recommender.data.experiment_files import Fold
from recommender.data.ratings import Ratings
from recommender.data.vocabulary import Vocabulary
from recommender.errors import RecommenderError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

_USERS = (40, 8)
"""Enough for two threads to share, who see users in another order in memory; and too few."""

_ITEMS = 12
_MOST_ITEMS = 96
_NARROW = 1 << 16
"""Up to so many users or items are numbered in 16 bits, which is other machine code."""

_FEW = {"epochs": 6, "samples": 2}
"""Options that are cut short: some passes, so that momentum and stopping come in."""


def prepare(fold: Fold, options: Mapping[str, Any], run: Callable[..., Any]) -> None:
    """Run an experiment on next to no ratings whose arrays have the types of the real ones.

    Numba compiles on first use, or loads what it has compiled before; so this is a first use.

    Parameters
    ----------
    fold
        The real one.
    options
        Of the model.
    run
        Given a fold and options; trains and judges. What it refuses is passed over: the real
        experiment will say so.
    """
    short = {k: min(v, _FEW[k]) if k in _FEW else v for k, v in options.items()}
    for n_users in _USERS:
        with suppress(RecommenderError):
            run(_in_small(fold, n_users), short)


def _in_small(fold: Fold, n_users: int) -> Fold:
    # As many items a user as there are: what has more of them is solved in another way.
    n_items = n_users * -(-fold.train.n_items // max(fold.train.n_users, 1))
    n_items = min(max(n_items, _ITEMS), _MOST_ITEMS)

    def part(ratings: Ratings, wanted: int) -> Ratings:
        return _few(ratings, n_users, n_items, wanted)

    return Fold(
        part(fold.train, 0),
        part(fold.test, 1),
        None if fold.fold_in is None else part(fold.fold_in, 0),
        None if fold.negatives is None else part(fold.negatives, 2),
    )


def _few(real: Ratings, n_users: int, n_items: int, wanted: int) -> Ratings:
    """Return a third of all pairs of a few users and items, in the types of the real ratings.

    The first third (``wanted`` 0) is to learn from. The others have the highest value alone, which
    is relevant whatever is.
    """
    users, items = np.divmod(np.arange(n_users * n_items), n_items)
    third = (users + items) % 3
    chosen = third == wanted
    counts = np.bincount(users[chosen], minlength=n_users)
    n_codes = int(chosen.sum())
    last = len(real.by_user.levels) - 1
    codes = np.arange(n_codes) % (last + 1) if wanted == 0 else np.full(n_codes, last)
    user_ids, item_ids = _ids(real.users, n_users), _ids(real.items, n_items)
    indptr = np.append(pointers(counts), np.full(len(user_ids) - n_users, n_codes, np.int64))
    rows = SparseRows(
        indptr,
        items[chosen].astype(np.int32),
        codes.astype(real.by_user.codes.dtype),
        real.by_user.levels,
        len(item_ids),
    )
    times = None if real.timestamps is None else _times(n_codes)
    return Ratings(user_ids, item_ids, rows, times)


def _ids(real: Vocabulary, n: int) -> Vocabulary:
    """Number a few, or as many as make numbers wide; as text where the real ones are."""
    ids = np.arange(n if len(real) <= _NARROW else _NARROW + 1)
    return Vocabulary.from_ids(ids if real.holds_numbers else np.char.zfill(ids.astype(str), 6))


def _times(n: int) -> NDArray[np.int64]:
    return 1_600_000_000 + 86_400 * np.arange(n, dtype=np.int64)
