"""The basis in which what all rows share is diagonal.

A factorization keeps its products, its lengths and its loss when both sides are turned by one
rotation. So before each half-step both are turned into the eigenvectors of the standing side's
Gram matrix. There the shared part of every row's equation is a diagonal: it need not be copied
for each row, multiplying by it is a pass over k numbers instead of k², and dividing by it is the
preconditioner that lets conjugate gradients arrive in three steps.
``docs/decisions/0009-eigenbasis.md`` has the measurements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.solvers.threads import run_shares, single_threaded_blas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Rows

_AT_ONCE = 8192
"""Rows summed at a time: fixed, so that no sum depends on the number of threads."""

_TURNED_AT_ONCE = 1024
"""Rows turned at a time: each thread needs memory for so many beside the table."""


def diagonalize(
    standing: NDArray[np.float32],
    k: int,
    weight: float,
    tables: list[NDArray[np.float32]],
    threads: int,
) -> NDArray[np.float32]:
    """Turn all tables, ``standing`` among them, into the eigenvectors of its Gram matrix.

    Parameters
    ----------
    standing
        (m, k') float32 of which the first k columns count; the others are zero.
    weight
        α0: what the Gram matrix is multiplied with.
    tables
        What is turned, in place: the two sides, and all that is compared with them later.

    Returns
    -------
    (k',) float32: the eigenvalues of ``weight · standingᵀ standing``, none below 0; and the
    largest again in the columns beyond k, where something is divided though nothing is there.
    """
    shared = gram(standing[:, :k], threads)
    with single_threaded_blas():  # so that no bit depends on how many cores there are
        eigenvalues, eigenvectors = np.linalg.eigh(shared)
    rotation = np.ascontiguousarray(eigenvectors, dtype=np.float32)
    for table in tables:
        _turn(table[:, :k], rotation, threads)
    diagonal = np.empty(standing.shape[1], np.float32)
    diagonal[:k] = weight * np.maximum(eigenvalues, 0)
    diagonal[k:] = diagonal[:k].max()
    return diagonal


def gram(table: NDArray[np.float32], threads: int) -> NDArray[np.float64]:
    """(k, k) ``tableᵀ table``: float32 within a block of rows, float64 from block to block."""

    def work(starts: Rows) -> list[NDArray[np.float32]]:
        blocks = (table[start : start + _AT_ONCE] for start in starts)
        return [block.T @ block for block in blocks]

    shares = _deal_blocks(len(table), threads, _AT_ONCE)
    with single_threaded_blas():
        parts = run_shares(work, shares)
    total = np.zeros((table.shape[1],) * 2)
    for number in range(sum(map(len, shares))):
        total += parts[number % len(shares)][number // len(shares)]
    return total


def _turn(table: NDArray[np.float32], rotation: NDArray[np.float32], threads: int) -> None:
    def work(starts: Rows) -> None:
        for start in starts:
            rows = table[start : start + _TURNED_AT_ONCE]
            rows[:] = rows @ rotation

    with single_threaded_blas():
        run_shares(work, _deal_blocks(len(table), threads, _TURNED_AT_ONCE))


def _deal_blocks(n_rows: int, threads: int, at_once: int) -> list[Rows]:
    """Deal the first rows of all blocks to no more threads than there are blocks."""
    starts = np.arange(0, n_rows, at_once, dtype=np.int64)
    threads = max(1, min(threads, len(starts)))
    return [starts[thread::threads] for thread in range(threads)]
