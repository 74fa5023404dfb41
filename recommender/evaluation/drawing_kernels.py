"""Drawing by lot, compiled: items for a user, and users for a resample.

Numbers come from a counter (SplitMix64), so that each user or resample has numbers of its own,
whatever is drawn before it or beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.compiling import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


@inlined
def _mixed(state: Any) -> Any:
    """SplitMix64 (Steele, Lea, Flood 2014): the number that belongs to a state."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@kernel
def draw_others(
    keys: Array, n_items: int, indptr: Array, indices: Array, out_indptr: Array, out: Array
) -> None:
    """Draw items, none twice, that are not in the user's row.

    Floyd's algorithm (Bentley, Floyd 1987) draws ranks among the items that are left; a walk along
    the sorted row turns ranks into items.

    Parameters
    ----------
    keys
        (n,) uint64: where each user's draws begin.
    indptr, indices
        What is left out, one row a user, columns increasing.
    out_indptr, out
        How many are drawn for each user, at most as many as are left; written, increasing.
    """
    drawn = np.full(n_items, -1, np.int64)
    for user in range(len(keys)):
        begin, n = out_indptr[user], out_indptr[user + 1] - out_indptr[user]
        left = n_items - (indptr[user + 1] - indptr[user])
        state = keys[user]
        for at in range(n):
            last = left - n + at
            state += _STEP
            rank = np.int64(((_mixed(state) >> _HALF) * np.uint64(last + 1)) >> _HALF)
            if drawn[rank] == user:
                rank = last
            drawn[rank] = user
            out[begin + at] = rank
        out[begin : begin + n].sort()
        entry, passed = indptr[user], 0
        for at in range(begin, begin + n):
            while entry < indptr[user + 1] and indices[entry] <= out[at] + passed:
                entry, passed = entry + 1, passed + 1
            out[at] += passed


@kernel
def count_draws(keys: Array, many: Array, counts: Array) -> None:
    """Draw users of one block with replacement, and count how often each was drawn.

    Parameters
    ----------
    keys
        (n_samples,) uint64: where the draws of each begin.
    many
        (n_samples,) how many users are drawn from this block.
    counts
        (n_samples, n_users) float64, written.
    """
    width = np.uint64(counts.shape[1])
    for sample in range(len(keys)):
        row, state = counts[sample], keys[sample]
        for user in range(len(row)):
            row[user] = 0
        for _ in range(many[sample]):
            state += _STEP
            row[((_mixed(state) >> _HALF) * width) >> _HALF] += 1
