"""From SciPy's sparse matrices and to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from recommender.arrays import SparseRows, frozen, index_type, to_codes
from recommender.counting import look_up, rows_increase
from recommender.data.assembly import Entries, assemble
from recommender.data.numbering import MAXIMUM_ROWS, number_by
from recommender.data.vocabulary import Id, Vocabulary
from recommender.errors import InvalidIdError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl
    from numpy.typing import ArrayLike, NDArray

    Ids = Iterable[Id] | ArrayLike | pl.Series


def from_scipy(
    matrix: Any, users: Ids | None, items: Ids | None
) -> tuple[Vocabulary, Vocabulary, SparseRows]:
    """Return the ids of both sides and the matrix in their order.

    See :meth:`recommender.data.ratings.Ratings.from_sparse` for what is allowed.
    """
    _check(matrix)
    n_users, n_items = matrix.shape
    user_ids, user_places = _vocabulary(users, n_users, "users", "row")
    item_ids, item_places = _vocabulary(items, n_items, "items", "column")
    csr = _canonical(matrix)
    indptr = csr.indptr.astype(np.int64)
    stays = user_places is None and item_places is None
    indices = csr.indices[: indptr[-1]].astype(index_type(n_items) if stays else np.int32)
    codes, levels = to_codes(_values(csr))
    del csr  # it is not the caller's own where his is in another format
    if stays:
        return user_ids, item_ids, SparseRows(indptr, indices, codes, levels, n_items)
    lines = np.repeat(np.arange(n_users, dtype=np.int32), np.diff(indptr))
    entries = Entries(
        number_by(lines, _or_as_they_are(user_places, n_users), n_users),
        number_by(indices, _or_as_they_are(item_places, n_items), n_items),
        codes,
        levels,
        None,
    )
    del lines, indices, codes
    return user_ids, item_ids, assemble(entries)[0]


def to_scipy(rows: SparseRows) -> sparse.csr_matrix:
    """Return a CSR matrix of float32 that shares nothing with ours.

    It is a matrix rather than the newer sparse array because the other libraries of the field
    ask for one.
    """
    index = np.int32 if len(rows.indices) < 2**31 else np.int64
    values = np.empty(len(rows.codes), np.float32)
    look_up(rows.levels, rows.codes, 0, values)
    arrays = values, rows.indices.astype(index), rows.indptr.astype(index)
    return sparse.csr_matrix(arrays, shape=(rows.n_rows, rows.n_columns))


def _check(matrix: Any) -> None:
    if not sparse.issparse(matrix):
        raise InvalidInputError(
            f"this {type(matrix).__name__} is no SciPy sparse matrix; "
            "make one with scipy.sparse.csr_array(...), or use Ratings.from_arrays"
        )
    if matrix.ndim != 2:
        raise InvalidInputError(
            f"the matrix must have two dimensions, users and items; found the shape {matrix.shape}"
        )
    if max(matrix.shape) > MAXIMUM_ROWS:
        raise InvalidInputError(
            f"there may be {MAXIMUM_ROWS} users and as many items; found the shape {matrix.shape}"
        )
    if matrix.dtype.kind not in "buif":
        raise InvalidInputError(f"the matrix must hold real numbers; found {matrix.dtype}")


def _vocabulary(
    ids: Ids | None, length: int, name: str, line: str
) -> tuple[Vocabulary, NDArray[np.int32] | None]:
    """Return the ids, and the place of each line of the matrix; ``None`` when all stay."""
    if ids is None:
        return Vocabulary(np.arange(length, dtype=np.int64)), None
    vocabulary, places = Vocabulary.with_rows(ids)
    if len(places) != length:
        raise InvalidInputError(
            f"{name} must be {length} ids, one for each {line} of the matrix; found {len(places)}"
        )
    if len(vocabulary) < length:
        repeated = vocabulary.id(int(np.argmax(np.bincount(places))))
        raise InvalidIdError(f"{name} has the id {repeated!r} more than once")
    return vocabulary, None if (places[1:] > places[:-1]).all() else places


def _or_as_they_are(places: NDArray[np.int32] | None, n: int) -> NDArray[np.int32]:
    return np.arange(n, dtype=np.int32) if places is None else places


def _canonical(matrix: Any) -> Any:
    """Return CSR with increasing indices, none twice: the matrix itself when it is that."""
    if matrix.format in {"csr", "csc", "bsr"}:
        _check_places(matrix)
    elif matrix.format == "coo":
        for places, across, name in zip(matrix.coords, matrix.shape, ("row", "col"), strict=True):
            _check_within(places, across, f"matrix.{name}")
    csr = matrix.tocsr()
    if csr is not matrix:
        _check_places(csr)  # of what other formats hold
    # Its own flag may be out of date: SciPy does not notice when somebody writes to the arrays.
    if not rows_increase(frozen(csr.indptr), frozen(csr.indices)):
        csr = csr.copy() if csr is matrix else csr
        csr.sum_duplicates()
    return csr


def _check_places(matrix: Any) -> None:
    """Refuse arrays that lead out of the matrix: SciPy follows them wherever they lead."""
    indptr, indices = matrix.indptr, matrix.indices
    lines, across = matrix.shape[::-1] if matrix.format == "csc" else matrix.shape
    if matrix.format == "bsr":
        lines, across = lines // matrix.blocksize[0], across // matrix.blocksize[1]
    fits = len(indptr) == lines + 1 and indptr[0] == 0 and (indptr[1:] >= indptr[:-1]).all()
    if not fits or indptr[-1] > min(len(indices), len(matrix.data)):
        raise InvalidInputError("matrix.indptr does not fit matrix.indices and matrix.data")
    _check_within(indices[: indptr[-1]], across, "matrix.indices")


def _check_within(places: NDArray[Any], across: int, name: str) -> None:
    if len(places) and not (places.min() >= 0 and places.max() < across):
        raise InvalidInputError(
            f"{name} must lie between 0 and {across - 1}; found {places.min()} to {places.max()}"
        )


def _values(rows: Any) -> NDArray[np.float32]:
    n = rows.indptr[-1]
    with np.errstate(over="ignore"):  # it becomes infinite, which is refused below
        values: NDArray[np.float32] = rows.data[:n].astype(np.float32, copy=False)
    finite = np.isfinite(values)
    if not finite.all():
        entry = int(np.argmin(finite))
        row = int(np.searchsorted(rows.indptr, entry, side="right")) - 1
        raise InvalidInputError(
            f"the matrix has {rows.data[entry]} in row {row}, column {rows.indices[entry]}; "
            "only finite numbers are allowed, within the range of float32"
        )
    return values
