"""Users drawn again and again, with all that is theirs: the bootstrap (Efron 1979).

Every interval of this package comes from here: of a figure in a report, of a mean, of a difference.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import as_count, frozen
from recommender.data.seeds import generator_of
from recommender.evaluation.drawing_kernels import count_draws
from recommender.solvers.threads import available_threads, run_shares, single_threaded_blas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recommender.arrays import Rows

CONFIDENCE = 0.95
"""Part of the resamples that lies in an interval, unless said otherwise."""

SAMPLES = 1000
"""How often as many users are drawn as there are, unless said otherwise."""

_USERS = 4096
"""Users at a time: what counts how often each was drawn stays near the processor."""

_SAMPLES = 64
"""Resamples at a time: with the users at a time, 2 MB of weights for each thread."""

_DRAWS_FOR_A_THREAD = 500_000
"""Draws that take as long as a thread takes to start."""


def resampled_sums(
    columns: Sequence[NDArray[np.float64]], samples: int = SAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """Draw n of n users with replacement, ``samples`` times, and add up every column.

    To draw one user after the other is the same as to draw first how many come from each block of
    users (a multinomial), and then so many within it. How often each was drawn is a matrix of
    weights, and one product with it gives the sums of a block for all columns. So memory does not
    grow with the number of users.

    Parameters
    ----------
    columns
        (n_users,) float64 each, at least one column of at least one user.
    samples
        How often.
    seed
        Where the draws come from. Columns of as many users see the same draws.

    Returns
    -------
    (n_columns, samples) float64: the sums over the same draws, whatever the number of cores.

    Raises
    ------
    InvalidInputError
        When ``samples`` is no whole number of at least 1, or ``seed`` none of at least 0.
    """
    n, generator = len(columns[0]), generator_of(seed)
    n_blocks = -(-n // _USERS)
    bounds = [n * block // n_blocks for block in range(n_blocks + 1)]
    n_samples = as_count(samples, "samples")
    counts = frozen(generator.multinomial(n, np.diff(bounds) / n, size=n_samples))
    keys = frozen(generator.integers(0, 2**64, counts.shape, np.uint64))
    sums = np.zeros((len(columns), n_samples))

    def draw(firsts: Rows) -> None:
        for first in firsts:
            part = slice(first, min(first + _SAMPLES, n_samples))
            for block, (begin, end) in enumerate(pairwise(bounds)):
                weights = np.empty((part.stop - part.start, end - begin))
                count_draws(frozen(keys[part, block]), frozen(counts[part, block]), weights)
                table = np.stack([column[begin:end] for column in columns])
                sums[:, part] += table @ weights.T

    threads = max(1, min(available_threads(), n * n_samples // _DRAWS_FOR_A_THREAD))
    # Whole parts are dealt, so that no product has another shape on another machine.
    firsts = np.arange(0, n_samples, _SAMPLES)
    with single_threaded_blas():  # each of our threads multiplies for itself
        run_shares(draw, np.array_split(firsts, min(threads, len(firsts))))
    return sums


def percentile_range(
    figures: NDArray[np.float64], confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the two ends of the middle part of some figures.

    Parameters
    ----------
    figures
        (samples,) float64, finite, at least one: a figure of each resample.
    confidence
        Between 0 and 1: the part of them that lies between the ends.
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(figures, (tail, 1 - tail))
    return float(low), float(high)
