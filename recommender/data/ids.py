"""What may be an id: all whole numbers or all text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from recommender.errors import InvalidIdError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl
    from numpy.typing import ArrayLike, NDArray

Id = int | str

MAXIMUM_ID_LENGTH = 128
"""Characters in an id: long enough for any key in use, short enough to be one."""

_TOO_LARGE = "whole-number ids must fit in 64 bits with a sign"


def as_ids(ids: Iterable[Id] | ArrayLike | pl.Series) -> NDArray[Any] | pl.Series:
    """Return whole numbers as a NumPy array, and text as a Polars column.

    Whole numbers do without Polars, whose import takes 30 MB and a tenth of a second.

    Raises
    ------
    InvalidIdError
        When they are neither, when one is missing, or a number is too large.
    """
    if _is_series(ids):
        return _of_series(ids)
    is_array = isinstance(ids, list | tuple) or hasattr(ids, "__array__")
    try:
        array = np.asarray(ids if is_array else list(ids))  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise InvalidIdError(f"these ids cannot be used: {error}") from None
    if array.ndim != 1:
        raise InvalidIdError(f"ids must be one-dimensional; found the shape {array.shape}")
    if array.size == 0:
        return np.empty(0, np.int64)
    if array.dtype.kind == "u" and array.max() > np.iinfo(np.int64).max:
        raise InvalidIdError(_TOO_LARGE)
    if array.dtype.kind in "iu":
        return array
    return _listed(array.tolist() if not isinstance(ids, list | tuple) else list(ids))


def _is_series(ids: object) -> TypeGuard[pl.Series]:
    # Whoever has a Polars column has imported Polars.
    return type(ids).__module__.partition(".")[0] == "polars" and type(ids).__name__ == "Series"


def _of_series(series: pl.Series) -> NDArray[Any] | pl.Series:
    import polars as pl

    if series.null_count():
        row = int(series.is_null().arg_max() or 0)
        raise InvalidIdError(f"id {row} is missing; every rating needs a user and an item")
    if series.dtype.is_integer():
        narrow = series.dtype == pl.Int32
        signed = series if narrow else series.cast(pl.Int64, strict=False)
        if signed.null_count():
            raise InvalidIdError(_TOO_LARGE)
        return signed.to_numpy()
    if series.dtype == pl.String:
        return series
    if series.dtype in (pl.Categorical, pl.Enum):
        return series.cast(pl.String)
    if len(series) == 0:
        return np.empty(0, np.int64)
    raise InvalidIdError(
        f"ids must be all whole numbers or all text; found {series.dtype} (first: {series[0]!r})"
    )


def _listed(ids: list[Any]) -> NDArray[Any] | pl.Series:
    for row, key in enumerate(ids):
        if isinstance(key, bool) or not isinstance(key, int | str):
            raise InvalidIdError(
                f"id {row} is {key!r} ({type(key).__name__}); "
                "ids must be all whole numbers or all text"
            )
        if isinstance(key, str) is not isinstance(ids[0], str):
            raise InvalidIdError(
                f"id {row} is {key!r}, the first is {ids[0]!r}; "
                "ids must be all whole numbers or all text"
            )
    try:
        if isinstance(ids[0], int):
            return np.array(ids, dtype=np.int64)
        import polars as pl

        return pl.Series(ids)
    except (OverflowError, UnicodeEncodeError, TypeError) as error:
        raise InvalidIdError(f"these ids cannot be used: {error}") from None
