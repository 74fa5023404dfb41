"""Names for the shapes that everything here passes around, and the checks at the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recommender.counting import count, look_up, number_distinct, transpose
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

Codes: TypeAlias = NDArray[np.unsignedinteger[Any]]
"""(n,) as narrow as they fit: positions among the values that there are."""

Indices: TypeAlias = NDArray[np.uint16 | np.int32]
"""(n,) columns of a sparse matrix, as narrow as they fit: see :func:`index_type`."""

_BLOCK = 1 << 20
"""Entries at a time where NumPy would need a large intermediate array."""


@dataclass(frozen=True, eq=False)
class SparseRows:
    """A sparse matrix by rows, as plain arrays: what a solver sees.

    There are a few different ratings and millions of entries. So an entry holds the code of its
    value, and the values stand once, in ``levels``: with stars, 3 bytes an entry where there are
    up to 65,536 columns, else 5.

    Attributes
    ----------
    indptr
        (n_rows + 1,) int64: row r owns the entries ``indptr[r] : indptr[r + 1]``.
    indices
        (n_entries,) the column of each entry, increasing within a row: uint16 for up to 65,536
        columns, else int32.
    codes
        (n_entries,) the value of each entry as a place in ``levels``: uint8 for up to 256
        levels, uint16 for up to 65,536, else uint32.
    levels
        (n_levels,) float32: the values that there are, ascending. After a selection of entries
        some may have none.
    n_columns
        How many columns there are, entries or not.
    """

    indptr: NDArray[np.int64]
    indices: Indices
    codes: Codes
    levels: NDArray[np.float32]
    n_columns: int

    def __post_init__(self) -> None:
        narrow = self.indices.astype(index_type(self.n_columns), copy=False)
        object.__setattr__(self, "indices", narrow)
        for name in ("indptr", "indices", "codes", "levels"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @classmethod
    def of(
        cls,
        indptr: NDArray[np.int64],
        indices: Indices,
        values: NDArray[np.float32],
        n_columns: int,
    ) -> Self:
        """Build the matrix from a finite value an entry."""
        return cls(indptr, indices, *to_codes(values), n_columns)

    @classmethod
    def of_ones(cls, indptr: NDArray[np.int64], indices: Indices, n_columns: int) -> Self:
        """Build the matrix whose every entry is 1."""
        return cls(indptr, indices, *codes_of_ones(len(indices)), n_columns)

    @property
    def n_rows(self) -> int:
        """How many rows there are, entries or not."""
        return len(self.indptr) - 1

    @property
    def values(self) -> NDArray[np.float32]:
        """(n_entries,) float32: the value of each entry, made anew on each call."""
        values = np.empty(len(self.codes), np.float32)
        look_up(self.levels, self.codes, 0, values)
        return frozen(values)

    def row(self, row: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the columns of one row, in int32, and its values."""
        begin, end = self.indptr.item(row), self.indptr.item(row + 1)
        return self.indices[begin:end].astype(np.int32), self.levels.take(self.codes[begin:end])

    def columns(self, row: int) -> Indices:
        """Return the increasing columns of one row, as they are kept."""
        return self.indices[self.indptr[row] : self.indptr[row + 1]]

    def rows(self, rows: Rows) -> SparseRows:
        """Return the matrix of some rows, (n,) int64 in the order given."""
        begins = self.indptr[rows]
        counts = self.indptr[rows + 1] - begins
        indptr = pointers(counts)
        entries = np.arange(indptr[-1]) + np.repeat(begins - indptr[:-1], counts)
        return SparseRows(
            indptr, self.indices[entries], self.codes[entries], self.levels, self.n_columns
        )

    def with_values(self, values: NDArray[np.float32]) -> SparseRows:
        """Return the same places with other values."""
        return SparseRows.of(self.indptr, self.indices, values, self.n_columns)

    def transpose(self) -> SparseRows:
        """Return the matrix by columns."""
        nothing = frozen(np.empty(0, np.uint32))
        counts = np.zeros(self.n_columns, np.int64)
        count(self.indices, 0, counts)
        indptr = pointers(counts)
        rows = np.empty(len(self.indices), index_type(self.n_rows))
        codes = np.zeros_like(self.codes)
        transpose(
            self.indptr, self.indices, self.codes, nothing,
            indptr[:-1].copy(), rows, codes, np.empty(0, np.uint32),
        )  # fmt: skip
        return SparseRows(indptr, rows, codes, self.levels, self.n_rows)


_EACH = np.arange(256, dtype=np.uint8)


def index_type(n: int) -> type[np.uint16 | np.int32]:
    """Return the type that holds the numbers 0 … n-1 in a sparse matrix."""
    return np.uint16 if n <= 1 << 16 else np.int32


def pointers(counts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """(n_rows + 1,) int64: where each row begins and ends when row r has ``counts[r]`` entries."""
    indptr = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=indptr[1:])
    return indptr


def to_codes(values: NDArray[np.float32]) -> tuple[Codes, NDArray[np.float32]]:
    """Return finite values as codes and levels, as :class:`SparseRows` holds them.

    ``levels[codes]`` equals the values; a negative zero comes back as 0.
    """
    bits = frozen(np.ascontiguousarray(values, np.float32)).view(np.uint32)
    codes: Codes = np.zeros(len(bits), np.uint8)
    distinct = number_distinct(bits, codes, most=256)
    if distinct is not None and len(distinct) == 1:
        return codes, distinct.view(np.float32) + np.float32(0)  # -0 + 0 = 0
    if distinct is not None:
        levels, ranks = np.unique(distinct.view(np.float32), return_inverse=True)
        look_up(frozen(ranks.astype(np.uint8)), frozen(codes), 0, codes)
        return codes, levels + np.float32(0)
    levels = np.unique(values) + np.float32(0)
    codes = np.empty(len(values), np.min_scalar_type(max(len(levels) - 1, 256)))
    for begin in range(0, len(values), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        codes[block] = np.searchsorted(levels, values[block])
    return codes, levels


def codes_of_few(values: NDArray[np.float32]) -> tuple[Codes, NDArray[np.float32]]:
    """Return finite values as codes and levels at once: a few are each a level of their own.

    Levels may repeat and stand in any order, unlike those of :func:`to_codes`.
    """
    if len(values) > len(_EACH):
        return to_codes(values)
    return _EACH[: len(values)], values


def codes_of_ones(n: int) -> tuple[Codes, NDArray[np.float32]]:
    """Return n values of 1 as codes and levels."""
    return np.zeros(n, np.uint8), np.ones(1, np.float32)


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
        with np.errstate(over="ignore"):  # it becomes infinite, which is refused below
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
