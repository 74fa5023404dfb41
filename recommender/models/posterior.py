"""From many draws to one model: the mean of the predictions, in as many factors as one draw has.

The mean of ``W_s H_sᵀ`` over the draws s is again a product of two thin matrices. Its singular
directions fall off quickly: as many as a draw has factors keep the mean to a thousandth of a star
(docs/decisions/0012), where keeping a few draws would not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TOGETHER = 8
"""Draws that are gathered before they are brought together."""


class MeanProduct:
    """The mean of ``W_s H_sᵀ``, kept as a product of two matrices of a few columns."""

    def __init__(self, rank: int) -> None:
        self._rank = rank
        self._left: list[NDArray[np.float32]] = []
        self._right: list[NDArray[np.float32]] = []
        self._waiting = 0
        self._n = 0

    def add(self, W: NDArray[np.float32], H: NDArray[np.float32]) -> None:
        """Take one draw in: (n, k) and (m, k)."""
        self._left.append(W.copy())
        self._right.append(H.copy())
        self._waiting += 1
        self._n += 1
        if self._waiting == _TOGETHER:
            self._bring_together()

    def mean(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(n, rank) and (m, rank) whose product is the mean, as nearly as so few columns can."""
        self._bring_together()
        scale = np.float32(1 / np.sqrt(self._n))
        return self._left[0] * scale, self._right[0] * scale

    def _bring_together(self) -> None:
        """Replace all columns by the leading singular directions of their product."""
        left, right = np.hstack(self._left), np.hstack(self._right)
        # With LᵀL = AᵀA and RᵀR = BᵀB the product L Rᵀ has the singular values of A Bᵀ. That takes
        # a tenth of the time of factorizing the tall matrices themselves.
        A, to_left = _root(left)
        B, to_right = _root(right)
        U, sizes, Vt = np.linalg.svd(A @ B.T)
        roots = np.sqrt(sizes[: self._rank])
        self._left = [self._turned(left, to_left @ (U[:, : len(roots)] * roots))]
        self._right = [self._turned(right, to_right @ (Vt[: len(roots)].T * roots))]
        self._waiting = 0

    def _turned(
        self, columns: NDArray[np.float32], onto: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """(n, rank) the columns in other directions; zeros where there are not so many."""
        turned = np.zeros((len(columns), self._rank), np.float32)
        turned[:, : onto.shape[1]] = columns @ onto.astype(np.float32)
        return turned


def _root(columns: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(r, k) A with AᵀA = CᵀC, and (k, r) its right inverse; r is the rank as float32 sees it."""
    squares, basis = np.linalg.eigh((columns.T @ columns).astype(np.float64))
    kept = squares > 1e-7 * squares.max(initial=0)
    lengths = np.sqrt(squares[kept])
    return (basis[:, kept] * lengths).T, basis[:, kept] / lengths


class Spread:
    """How far predictions scatter from draw to draw: ``variance of (u, i) ≈ user_u · item_i``.

    It is followed on a few pairs of each user and each item, drawn from the ratings' own
    distribution, because nobody asks for pairs that nobody would rate.
    """

    _PAIRS = 8

    def __init__(
        self, user_counts: NDArray[np.int64], item_counts: NDArray[np.int64], seed: int
    ) -> None:
        random = np.random.default_rng((seed, 1))
        n, m = len(user_counts), len(item_counts)
        a, b = n * self._PAIRS, m * self._PAIRS
        by_user = np.repeat(np.arange(n), self._PAIRS), _drawn(item_counts, a, random)
        by_item = _drawn(user_counts, b, random), np.repeat(np.arange(m), self._PAIRS)
        self._users = np.concatenate((by_user[0], by_item[0]))
        self._items = np.concatenate((by_user[1], by_item[1]))
        self._shape = n, m
        self._n = 0
        self._mean = np.zeros(a + b)
        self._squares = np.zeros(a + b)

    def add(self, W: NDArray[np.float32], H: NDArray[np.float32]) -> None:
        """Take one draw in: (n, d) and (m, d) whose products are the predictions."""
        self._n += 1
        now = np.einsum("pd,pd->p", W[self._users], H[self._items]).astype(np.float64)
        away = now - self._mean
        self._mean += away / self._n
        self._squares += away * (now - self._mean)

    def fitted(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(n,) and (m,) float32 whose products are the variances, as nearly as they can be."""
        logs = np.log(np.maximum(self._squares / max(self._n - 1, 1), 1e-12))
        of_user, of_item = np.full(self._shape[0], logs.mean()), np.zeros(self._shape[1])
        for _ in range(5):  # alternating means: they settle at once, because pairs are well mixed
            of_item = _group_means(logs - of_user[self._users], self._items, len(of_item))
            of_user = _group_means(logs - of_item[self._items], self._users, len(of_user))
        return np.exp(of_user).astype(np.float32), np.exp(of_item).astype(np.float32)


def _drawn(counts: NDArray[np.int64], n: int, random: np.random.Generator) -> NDArray[np.int64]:
    share = counts / counts.sum()
    chosen: NDArray[np.int64] = random.choice(len(counts), n, p=share)
    return chosen


def _group_means(
    values: NDArray[np.float64], groups: NDArray[np.int64], n: int
) -> NDArray[np.float64]:
    sums = np.bincount(groups, weights=values, minlength=n)
    means: NDArray[np.float64] = sums / np.bincount(groups, minlength=n)
    return means
