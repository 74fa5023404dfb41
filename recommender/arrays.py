"""Names for the shapes that everything here passes around, and the checks at the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recommender.errors import InvalidInputError

UserFactors: TypeAlias = NDArray[np.float32]
"""(n_users, k) float32: one row a user."""

ItemFactors: TypeAlias = NDArray[np.float32]
"""(n_items, k) float32: one row an item."""

Vector: TypeAlias = NDArray[np.float32]
"""(k,) float32: one user or one item in the space of the factors."""

Scores: TypeAlias = NDArray[np.float32]
"""(n_items,) or (n,) float32: what ranks; larger is better."""

Mask: TypeAlias = NDArray[np.bool_]
"""(n_items,) bool: ``True`` where an item may appear."""

Rows: TypeAlias = NDArray[np.int64]
"""(n,) int64: positions in a vocabulary; -1 never leaves the function that looked it up."""


@dataclass(frozen=True, eq=False)
class SparseRows:
    """A sparse matrix by rows, as plain arrays: what a solver sees.

    Attributes
    ----------
    indptr
        (n_rows + 1,) int64: row r owns the entries ``indptr[r] : indptr[r + 1]``.
    indices
        (n_entries,) int32: the column of each entry, increasing within a row.
    values
        (n_entries,) float32.
    n_columns
        How many columns there are, entries or not.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]
    n_columns: int

    def __post_init__(self) -> None:
        for name in ("indptr", "indices", "values"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def n_rows(self) -> int:
        """How many rows there are, entries or not."""
        return len(self.indptr) - 1

    def row(self, row: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the columns and the values of one row, as views."""
        entries = slice(self.indptr[row], self.indptr[row + 1])
        return self.indices[entries], self.values[entries]

    def with_values(self, values: NDArray[np.float32]) -> SparseRows:
        """Return the same places with other values."""
        return SparseRows(self.indptr, self.indices, values, self.n_columns)

    def order_by_column(self) -> tuple[SparseRows, NDArray[np.int64]]:
        """Return the transpose, and which entry of this matrix each of its entries was."""
        counts = np.bincount(self.indices, minlength=self.n_columns)
        indptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        order = np.argsort(self.indices, kind="stable")
        rows = np.repeat(np.arange(self.n_rows, dtype=np.int32), np.diff(self.indptr))
        transposed = SparseRows(indptr, rows[order], self.values[order], self.n_rows)
        return transposed, order


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view of the array that cannot be written through."""
    view = array.view()
    view.flags.writeable = False
    return view


def as_values(
    values: ArrayLike, name: str, length: int, meaning: str = "one for each user and item"
) -> NDArray[np.float32]:
    """Return finite float32 numbers, one for each of ``length`` rows.

    Raises
    ------
    InvalidInputError
        When they are not numbers, not one-dimensional, too few or too many, or not finite.
    """
    try:
        numbers = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{name} must be numbers: {error}") from None
    if numbers.shape != (length,):
        raise InvalidInputError(
            f"{name} must be one-dimensional with {length} entries, {meaning}; "
            f"found the shape {numbers.shape}"
        )
    finite = np.isfinite(numbers)
    if not finite.all():
        row = int(np.argmin(finite))
        raise InvalidInputError(f"{name}[{row}] is {numbers[row]}; only finite numbers are allowed")
    return numbers


def as_mask(mask: ArrayLike | None, n_items: int) -> Mask | None:
    """Return the mask as booleans, one an item, or ``None`` when every item may appear."""
    if mask is None:
        return None
    allowed = np.asarray(mask)
    if allowed.dtype != np.bool_ or allowed.shape != (n_items,):
        raise InvalidInputError(
            f"mask must be {n_items} booleans, one an item, True where it may appear; "
            f"found {allowed.dtype} of the shape {allowed.shape}"
        )
    return allowed


def as_count(n: object, name: str = "n") -> int:
    """Return a whole number that is at least 1."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise InvalidInputError(f"{name} must be a whole number of at least 1; found {n!r}")
    return int(n)
