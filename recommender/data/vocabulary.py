"""Ids at the door, rows inside: which row of a matrix belongs to which user or movie.

Ids are all whole numbers or all text. They are kept sorted, so that one id is found by
bisection and a million by one join. Text is kept as one block of UTF-8 with offsets, as Arrow
does it: it can be memory-mapped, and costs its letters, not an object each.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from recommender.arrays import Rows, frozen
from recommender.errors import InvalidIdError, UnknownIdError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

Id = int | str

MAXIMUM_ID_LENGTH = 128
"""Characters in an id: long enough for any key in use, short enough to be one."""

_CONTROL_CHARACTERS = r"[\x00-\x1f\x7f-\x9f]"


class Vocabulary:
    """A two-way map between ids and the rows 0 … n-1, sorted by id.

    Whole numbers sort by value, text by its UTF-8 bytes (which is also the order of its code
    points). Instances never change.

    Examples
    --------
    >>> movies = Vocabulary.from_ids(["shrek", "memento", "shrek"])
    >>> len(movies), movies.row("shrek"), movies.id(0)
    (2, 1, 'memento')
    >>> movies.rows(["shrek", "alien"])
    array([ 1, -1])
    """

    def __init__(
        self,
        keys: NDArray[np.int64] | None,
        offsets: NDArray[np.int64] | None = None,
        text: NDArray[np.uint8] | None = None,
    ) -> None:
        """Wrap arrays that are already sorted and unique; use :meth:`from_ids` otherwise."""
        self._keys = None if keys is None else frozen(keys)
        self._offsets = None if offsets is None else frozen(offsets)
        self._text = None if text is None else frozen(text)

    @classmethod
    def from_ids(cls, ids: Iterable[Id] | ArrayLike | pl.Series) -> Self:
        """Collect the distinct ids.

        Raises
        ------
        InvalidIdError
            When they are neither all whole numbers nor all text, or when a text is empty,
            longer than 128 characters, or has control characters.
        """
        return cls.with_rows(ids)[0]

    @classmethod
    def with_rows(cls, ids: Iterable[Id] | ArrayLike | pl.Series) -> tuple[Self, Rows]:
        """Collect the distinct ids, and say for each given id which row it got."""
        series = as_id_series(ids)
        distinct = series.unique().sort()
        if series.dtype == pl.Int64:
            vocabulary = cls(distinct.to_numpy().astype(np.int64))
        else:
            _check_text(distinct)
            vocabulary = cls(None, *_pack(distinct))
        return vocabulary, vocabulary._join(series, distinct)

    def __len__(self) -> int:
        if self._keys is not None:
            return len(self._keys)
        return len(self._offsets) - 1 if self._offsets is not None else 0

    def __contains__(self, key: object) -> bool:
        return self._find(key) >= 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and np.array_equal(self.ids, other.ids)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        kind = "whole numbers" if self.holds_numbers else "text"
        return f"<Vocabulary of {len(self)} ids ({kind})>"

    @property
    def holds_numbers(self) -> bool:
        """Whether the ids are whole numbers (else they are text)."""
        return self._keys is not None

    @cached_property
    def ids(self) -> NDArray[Any]:
        """(n,) all ids in row order: int64, or NumPy text as wide as the longest."""
        if self._keys is not None:
            return self._keys
        return frozen(np.array(self._texts(), dtype=np.str_))

    def id(self, row: int) -> Id:
        """Return the id of one row."""
        if self._keys is not None:
            return int(self._keys[row])
        return self._bytes(int(row)).decode()

    def row(self, key: Id) -> int:
        """Return the row of one id.

        Raises
        ------
        UnknownIdError
            When the id is not among them.
        """
        row = self._find(key)
        if row < 0:
            raise UnknownIdError(f"unknown id {key!r}: it is not among the {len(self)} known ones")
        return row

    def rows(self, ids: Iterable[Id] | ArrayLike | pl.Series) -> Rows:
        """(m,) int64: the row of each id, -1 where it is not known."""
        if isinstance(ids, list | tuple) and len(ids) <= 64:
            # A handful is quicker by bisection than by building two tables to join.
            return np.array([self._find(key) for key in ids], dtype=np.int64)
        series = as_id_series(ids)
        if (series.dtype == pl.Int64) != self.holds_numbers:
            return np.full(len(series), -1, dtype=np.int64)
        return self._join(series, pl.Series(self.ids))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that :meth:`from_arrays` takes back: for a file, for sharing."""
        if self._keys is not None:
            return {"keys": self._keys}
        if self._offsets is None or self._text is None:
            return {"keys": np.empty(0, dtype=np.int64)}
        return {"offsets": self._offsets, "text": self._text}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        """Open what :meth:`arrays` gave, without copying.

        Raises
        ------
        InvalidIdError
            When the arrays are not a sorted vocabulary: that would find wrong rows.
        """
        if "keys" in arrays:
            keys = arrays["keys"]
            if keys.dtype != np.int64 or keys.ndim != 1 or not (keys[1:] > keys[:-1]).all():
                raise InvalidIdError("the stored ids are not increasing whole numbers")
            return cls(keys)
        offsets, text = arrays["offsets"], arrays["text"]
        fits = (
            offsets.dtype == np.int64
            and text.dtype == np.uint8
            and len(offsets) >= 1
            and offsets[0] == 0
            and offsets[-1] == len(text)
            and (offsets[1:] > offsets[:-1]).all()
        )
        if not fits:
            raise InvalidIdError("the stored ids do not fit their offsets")
        vocabulary = cls(None, offsets, text)
        try:
            ids = pl.Series(vocabulary._texts())
        except UnicodeDecodeError:
            raise InvalidIdError("the stored ids are not UTF-8") from None
        if not ids.is_sorted() or ids.n_unique() < len(ids):
            raise InvalidIdError("the stored ids are not in order")
        return vocabulary

    def _bytes(self, row: int) -> bytes:
        if self._offsets is None or self._text is None:
            raise TypeError("a vocabulary of whole numbers holds no text")
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of a vocabulary of {len(self)} ids")
        row %= len(self)
        return self._text[self._offsets[row] : self._offsets[row + 1]].tobytes()

    def _texts(self) -> list[str]:
        if self._offsets is None or self._text is None:
            return []
        block, ends = self._text.tobytes(), self._offsets.tolist()
        return [block[begin:end].decode() for begin, end in pairwise(ends)]

    def _find(self, key: object) -> int:
        if self._keys is not None:
            if isinstance(key, bool) or not isinstance(key, int | np.integer):
                return -1
            row = int(np.searchsorted(self._keys, key))
            return row if row < len(self._keys) and self._keys[row] == key else -1
        if not isinstance(key, str):
            return -1
        try:
            wanted = key.encode()
        except UnicodeEncodeError:  # a lone surrogate is nobody's id
            return -1
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._bytes(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self._bytes(low) == wanted else -1

    def _join(self, series: pl.Series, distinct: pl.Series) -> Rows:
        known = pl.DataFrame({"id": distinct, "row": np.arange(len(distinct), dtype=np.int64)})
        asked = series.alias("id").to_frame()
        rows = asked.join(known, on="id", how="left", maintain_order="left")["row"]
        return rows.fill_null(-1).to_numpy().astype(np.int64, copy=False)


def as_id_series(ids: Iterable[Id] | ArrayLike | pl.Series) -> pl.Series:
    """Return the ids as one Polars column, either Int64 or String."""
    series = ids if isinstance(ids, pl.Series) else _to_series(ids)
    if series.null_count():
        row = int(series.is_null().arg_max() or 0)
        raise InvalidIdError(f"id {row} is missing; every rating needs a user and an item")
    if series.dtype.is_integer():
        signed = series.cast(pl.Int64, strict=False)
        if signed.null_count():
            raise InvalidIdError("whole-number ids must fit in 64 bits with a sign")
        return signed
    if series.dtype == pl.String:
        return series
    if series.dtype in (pl.Categorical, pl.Enum):
        return series.cast(pl.String)
    if len(series) == 0:
        return series.cast(pl.Int64)
    raise InvalidIdError(
        f"ids must be all whole numbers or all text; found {series.dtype} (first: {series[0]!r})"
    )


def _to_series(ids: Iterable[Id] | ArrayLike) -> pl.Series:
    array = np.asarray(ids if isinstance(ids, np.ndarray | list | tuple) else list(ids))  # type: ignore[arg-type]
    if array.ndim != 1:
        raise InvalidIdError(f"ids must be one-dimensional; found the shape {array.shape}")
    if array.dtype.kind in "iu":
        if array.dtype.kind == "u" and array.size and array.max() > np.iinfo(np.int64).max:
            raise InvalidIdError("whole-number ids must fit in 64 bits with a sign")
        return pl.Series(array.astype(np.int64, copy=False))
    listed = array.tolist() if not isinstance(ids, list | tuple) else list(ids)
    for row, key in enumerate(listed):
        if isinstance(key, bool) or not isinstance(key, int | str):
            raise InvalidIdError(
                f"id {row} is {key!r} ({type(key).__name__}); "
                "ids must be all whole numbers or all text"
            )
        if isinstance(key, str) is not isinstance(listed[0], str):
            raise InvalidIdError(
                f"id {row} is {key!r}, the first is {listed[0]!r}; "
                "ids must be all whole numbers or all text"
            )
    try:
        return pl.Series(listed)
    except (OverflowError, UnicodeEncodeError, TypeError) as error:
        raise InvalidIdError(f"these ids cannot be used: {error}") from None


def _check_text(distinct: pl.Series) -> None:
    """Refuse ids that no address and no line of a file could carry."""
    lengths = distinct.str.len_chars()
    wrong = (
        (lengths == 0) | (lengths > MAXIMUM_ID_LENGTH) | distinct.str.contains(_CONTROL_CHARACTERS)
    )
    if wrong.any():
        example = distinct.filter(wrong)[0]
        shown = ascii(example if len(example) <= 40 else example[:40] + "…")
        raise InvalidIdError(
            f"the id {shown} is not allowed; an id has 1 to {MAXIMUM_ID_LENGTH} characters "
            "and no control characters"
        )


def _pack(distinct: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    offsets = np.zeros(len(distinct) + 1, dtype=np.int64)
    np.cumsum(distinct.str.len_bytes().to_numpy(), out=offsets[1:])
    text = np.frombuffer("".join(distinct.to_list()).encode(), dtype=np.uint8)
    return offsets, text
