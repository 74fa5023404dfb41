"""How far a list's genres are from a user's taste (Steck, "Calibrated recommendations", 2018).

The measure is the Kullback-Leibler divergence in bits, ``KL(p ‖ q̃) = Σ_g p_g log2(p_g / q̃_g)``: p
is the taste, q the mean of the genre distributions of the list, and ``q̃ = (1 - α) q + α p`` keeps
a genre that the list lacks from costing infinitely much (equations 3 to 6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.reranking.checking import as_shares

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SMOOTHING = 0.01
"""Steck's α: a list with nothing of the taste costs log2(1 / α) = 6.6 bits, and none costs more."""


def divergence(taste: ArrayLike, distribution: ArrayLike) -> float:
    """Return ``KL(taste ‖ distribution)``, smoothed, in bits.

    Parameters
    ----------
    taste
        (G,) p: sums to 1, or zeros when nothing is known of it.
    distribution
        (G,) q: what the list is made of; sums to 1, or less where movies have no genres.

    Returns
    -------
    From 0, where both are the same, to log2(100) = 6.6, where they have nothing in common; 0 for a
    taste of zeros.

    Raises
    ------
    InvalidInputError
        When the shapes differ, or one of them is no distribution.

    Examples
    --------
    >>> divergence([0.5, 0.5], [0.5, 0.5])
    0.0
    >>> round(divergence([0.5, 0.5], [1.0, 0.0]), 2)
    2.83
    """
    p = as_shares(taste, "taste", (None,))
    q = as_shares(distribution, "distribution", (len(p),))
    known = p > 0
    p, q = p[known], q[known]
    smoothed = (1 - SMOOTHING) * q + SMOOTHING * p
    # Between equals the last bits may add up to less than nothing.
    return max(0.0, float(p @ (np.log2(p) - np.log2(smoothed))))


class RunningDivergence:
    """The divergence of a list that grows, with each movie of a pool added in turn.

    A movie has few of all genres, so only its own are computed for it: the divergence without
    them is the same for the whole pool.

    Parameters
    ----------
    genres
        (m, G) float64: the genre distributions of the pool.
    taste
        (G,) float64: the user's.
    m
        How many movies the pool has.

    Raises
    ------
    InvalidInputError
        When the shapes do not fit, or one of them is no distribution.
    """

    def __init__(self, genres: ArrayLike, taste: ArrayLike, m: int) -> None:
        shares = as_shares(genres, "genres", (m, None))
        p = as_shares(taste, "taste", (shares.shape[1],))
        known = np.flatnonzero(p > 0)
        self._shares = (1 - SMOOTHING) * shares[:, known]
        self._taste = p[known]
        self._rows, self._columns = np.nonzero(self._shares)
        self._entries = self._shares[self._rows, self._columns]
        self._entries_taste = self._taste[self._columns]
        self._total = np.zeros(len(known))
        self._length = 0

    def with_each(self) -> NDArray[np.float64]:
        """(m,) float64 bits: the divergence of the list so far and one movie more, for each."""
        length = self._length + 1
        without = self._total / length + SMOOTHING * self._taste
        logs = np.log2(without)
        own = np.log2(self._entries / length + without[self._columns]) - logs[self._columns]
        less = np.bincount(self._rows, self._entries_taste * own, minlength=len(self._shares))
        bits: NDArray[np.float64] = self._taste @ (np.log2(self._taste) - logs) - less
        return bits

    def add(self, place: int) -> None:
        """Let the list grow by a movie of the pool."""
        self._total += self._shares[place]
        self._length += 1
