"""One row's entries, laid out as the operations on vectors want them: in whole groups."""

from __future__ import annotations

import numpy as np

from recommender.compiling import kernel
from recommender.solvers.vectors import GROUP

AHEAD = 8 * GROUP
"""How many rows before their turn vectors are fetched: memory takes as long as some groups do."""


@kernel
def load_entries(begin, n, indices, codes, roots, goals, baselines, chosen, scale, target):
    """Lay out the n entries from ``begin`` on, and return n rounded up to whole groups.

    With w the weight and g the goal of an entry, less its baseline, the row's loss is
    ``Σ (√w x·y - √w g)²``. Written are: in ``chosen`` the row of each x, in ``scale`` √w, in
    ``target`` √w g. What fills up the last group has the weight 0; ``chosen`` goes on for
    ``AHEAD`` more.
    """
    for m in range(n):
        column, code = indices[begin + m], codes[begin + m]
        goal = goals[code]
        if len(baselines) > 0:
            goal -= baselines[column]
        chosen[m], scale[m], target[m] = column, roots[code], roots[code] * goal
    return fill_up(n, chosen, scale, target)


@kernel
def fill_up(n, chosen, scale, target):
    """Fill up the last group with entries that weigh nothing; return n in whole groups."""
    whole = -(-n // GROUP) * GROUP
    for m in range(n, whole + AHEAD):
        chosen[m] = chosen[n - 1]
    for m in range(n, whole):
        scale[m] = target[m] = np.float32(0)
    return whole


@kernel
def clear(x):
    """x = 0. A loop: Numba takes long to compile an assignment to a slice."""
    for i in range(len(x)):
        x[i] = 0


@kernel
def count_up(x):
    """x = 0, 1, 2 and so on."""
    for i in range(len(x)):
        x[i] = i
