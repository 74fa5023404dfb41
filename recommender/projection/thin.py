"""Tall thin matrices with one extra column, worked through in blocks of float64.

Factors arrive as float32, by the hundred thousand rows, often memory-mapped. Converting them whole
would double the memory of a model; a block at a time stays in the processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

_BLOCK = 4096  # rows: 2 MB of float64 at 64 factors

_ILL_CONDITIONED = 1e10
"""Above this ratio of eigenvalues a Gram matrix has lost the small half of its digits: use QR."""


@dataclass(frozen=True, eq=False)
class Thin:
    """The matrix ``[left, last]``: (n, k) factors and one further column (biases, or ones)."""

    left: NDArray[np.floating]
    last: NDArray[np.float64]

    def blocks(
        self, centre: NDArray[np.float64] | None = None
    ) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Yield slices of rows with these rows as float64, less ``centre``."""
        n, k = self.left.shape
        for start in range(0, n, _BLOCK):
            rows = slice(start, min(start + _BLOCK, n))
            block = np.empty((rows.stop - start, k + 1))
            block[:, :k] = self.left[rows]
            block[:, k] = self.last[rows]
            yield rows, block if centre is None else block - centre

    def mean(self) -> NDArray[np.float64]:
        """Return the (k + 1,) average row."""
        total = np.sum([block.sum(axis=0) for _, block in self.blocks()], axis=0)
        return np.asarray(total / len(self.left), dtype=np.float64)

    def ratio(
        self,
        part: NDArray[np.float64],
        whole: NDArray[np.float64],
        centre: NDArray[np.float64] | None = None,
        empty: float = 1.0,
    ) -> NDArray[np.float32]:
        """Return ``x part xᵀ / x whole xᵀ`` for each row x, within [0, 1].

        Where the denominator vanishes beside the other rows', the answer is ``empty``.
        """
        above, below = np.empty(len(self.left)), np.empty(len(self.left))
        for rows, block in self.blocks(centre):
            above[rows] = np.einsum("ij,ij->i", block @ part, block)
            below[rows] = np.einsum("ij,ij->i", block @ whole, block)
        there = below > below.max(initial=0.0) * 1e-14
        answer = np.full(len(self.left), empty)
        np.divide(above, below, out=answer, where=there)
        return np.asarray(np.clip(answer, 0.0, 1.0), dtype=np.float32)


def check_thin(
    factors: ArrayLike, last: ArrayLike | None, name: str, n_factors: int | None = None
) -> Thin:
    """Return factors and their further column (zeros for ``None``) when both can be used.

    Raises
    ------
    InvalidInputError
        When they are not numbers, not finite, empty, or of other shapes than the model's.
    """
    left = _numbers(factors, name)
    if left.ndim != 2 or 0 in left.shape:
        raise InvalidInputError(
            f"{name} must have the shape (rows, factors) with at least one of each; "
            f"found {left.shape}"
        )
    if n_factors is not None and left.shape[1] != n_factors:
        raise InvalidInputError(
            f"{name} must have {n_factors} factors as the other side has; found {left.shape[1]}"
        )
    column = np.zeros(len(left))
    if last is not None:
        column = _numbers(last, "item_biases").astype(np.float64)
        if column.shape != (len(left),):
            raise InvalidInputError(
                f"item_biases must have the shape ({len(left)},), one an item; found {column.shape}"
            )
    return Thin(left, column)


def _numbers(values: ArrayLike, name: str) -> NDArray[np.floating]:
    """Return finite numbers as float32 or float64."""
    try:
        array = np.asarray(values)
        numbers: NDArray[np.floating] = (
            array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
        )
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{name} must be numbers: {error}") from None
    # A sum is finite only when every term is; looking for the culprit is left to the rare case.
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(numbers.sum(dtype=np.float64))
    if suspicious and not np.isfinite(numbers).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(numbers))[0])
        raise InvalidInputError(
            f"{name} holds {numbers[where]} at {where}; only finite numbers are allowed"
        )
    return numbers


def map_rows(
    matrix: Thin, axes: NDArray[np.float64], centre: NDArray[np.float64] | None = None
) -> NDArray[np.float32]:
    """Return ``(matrix − centre) @ axes`` as (n, 2) float32."""
    places = np.empty((len(matrix.left), axes.shape[1]), dtype=np.float32)
    for rows, block in matrix.blocks(centre):
        places[rows] = block @ axes
    return places


def second_moment(matrix: Thin, centre: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Return the (k + 1, k + 1) Gram matrix of the rows less ``centre``."""
    size = matrix.left.shape[1] + 1
    gram = np.zeros((size, size))
    with np.errstate(over="ignore", invalid="ignore"):
        for _, block in matrix.blocks(centre):
            gram += block.T @ block
    if not np.isfinite(gram).all():
        raise InvalidInputError("the factors are too large: their squares exceed float64")
    return gram


def root(
    matrix: Thin, gram: NDArray[np.float64], centre: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return an R with RᵀR = ``gram``: from its eigenvectors, or by QR when those lost digits."""
    live = np.flatnonzero(gram.diagonal())  # a model without biases has a column of zeros
    if len(live) == 0:
        return np.zeros_like(gram)
    values, vectors = np.linalg.eigh(gram[np.ix_(live, live)])
    if values[-1] <= _ILL_CONDITIONED * values[0]:
        factor = np.zeros((len(live), len(gram)))
        factor[:, live] = np.sqrt(values)[:, None] * vectors.T
        return factor
    stacked = np.zeros((0, matrix.left.shape[1] + 1))
    for _, block in matrix.blocks(centre):
        stacked = np.asarray(np.linalg.qr(np.vstack((stacked, block)), mode="r"))
    return stacked
