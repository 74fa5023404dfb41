"""Ids at the door, rows inside: which row of a matrix belongs to which user or movie.

Ids are all whole numbers or all text. They are kept sorted, so that one id is found by
bisection and a million by one join. Text is kept as one block of UTF-8 with offsets, as Arrow
does it: it can be memory-mapped, and costs its letters, not an object each.
"""

from __future__ import annotations

import secrets
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from recommender.arrays import Rows, frozen
from recommender.data.ids import MAXIMUM_ID_LENGTH, Id, as_ids
from recommender.data.numbering import Numbered, number_integers
from recommender.data.text_search import find_text, hash_table
from recommender.errors import InvalidIdError, UnknownIdError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl
    from numpy.typing import ArrayLike, NDArray

_SEED = np.uint64(int.from_bytes(secrets.token_bytes(8)))
"""Of the tables by which ids are found; another in each process."""

__all__ = ["MAXIMUM_ID_LENGTH", "Id", "Vocabulary"]


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
        return cls.numbered(ids)[0]

    @classmethod
    def with_rows(cls, ids: Iterable[Id] | ArrayLike | pl.Series) -> tuple[Self, NDArray[np.int32]]:
        """Collect the distinct ids, and say for each given id which row it got."""
        vocabulary, numbered = cls.numbered(ids)
        return vocabulary, numbered.rows().astype(np.int32)

    @classmethod
    def numbered(cls, ids: Iterable[Id] | ArrayLike | pl.Series) -> tuple[Self, Numbered]:
        """Collect the distinct ids, and say which row each given id got, as a table."""
        given = as_ids(ids)
        if isinstance(given, np.ndarray):
            keys, numbered = number_integers(given)
            return cls(keys), numbered
        from recommender.data.text_ids import number_text

        offsets, text, numbered = number_text(given)
        return cls(None, offsets, text), numbered

    def __len__(self) -> int:
        if self._keys is not None:
            return len(self._keys)
        return len(self._offsets) - 1 if self._offsets is not None else 0

    def __contains__(self, key: object) -> bool:
        return self.find(key) >= 0

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
        row = self.find(key)
        if row < 0:
            raise UnknownIdError(f"unknown id {key!r}: it is not among the {len(self)} known ones")
        return row

    def rows(self, ids: Iterable[Id] | ArrayLike | pl.Series) -> Rows:
        """(m,) int64: the row of each id, -1 where it is not known."""
        if isinstance(ids, list | tuple) and len(ids) <= 64:
            # A handful is quicker by bisection than by building two tables to join.
            return np.array([self.find(key) for key in ids], dtype=np.int64)
        given = as_ids(ids)
        if isinstance(given, np.ndarray) is not self.holds_numbers:
            return np.full(len(given), -1, dtype=np.int64)
        if isinstance(given, np.ndarray):
            return _places(self.ids, given)
        from recommender.data.text_ids import rows_of_text

        return rows_of_text(given, self._texts())

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
            texts = vocabulary._texts()
        except UnicodeDecodeError:
            raise InvalidIdError("the stored ids are not UTF-8") from None
        # Text sorts by its code points, which is also the order of its bytes.
        if not all(earlier < later for earlier, later in pairwise(texts)):
            raise InvalidIdError("the stored ids are not in order")
        return vocabulary

    def _bytes(self, row: int) -> bytes:
        if self._offsets is None or self._text is None:
            raise TypeError("a vocabulary of whole numbers holds no text")
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of a vocabulary of {len(self)} ids")
        row %= len(self)
        return self._text[self._offsets[row] : self._offsets[row + 1]].tobytes()

    @cached_property
    def _table(self) -> NDArray[np.int32]:
        return frozen(hash_table(self._offsets, self._text, _SEED))

    def _texts(self) -> list[str]:
        if self._offsets is None or self._text is None:
            return []
        block, ends = self._text.tobytes(), self._offsets.tolist()
        return [block[begin:end].decode() for begin, end in pairwise(ends)]

    def find(self, key: object) -> int:
        """Return the row of one id, -1 when it is not among them."""
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
        if self._offsets is None or self._text is None:
            return -1
        table = self._table
        asked = np.frombuffer(wanted, np.uint8)
        return int(find_text(self._offsets, self._text, table, _SEED, asked))


def _places(keys: NDArray[np.int64], asked: NDArray[Any]) -> Rows:
    """(m,) int64: where each number stands among the sorted keys, -1 where it does not."""
    if len(keys) == 0:
        return np.full(len(asked), -1, dtype=np.int64)
    asked = asked.astype(np.int64, copy=False)  # beside uint64, NumPy would compare floats
    places: Rows = np.searchsorted(keys, asked)
    places[places == len(keys)] = 0
    places[keys[places] != asked] = -1
    return places
