"""The catalogue in the order of a model's rows, and what every list says of a movie, encoded."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from recommender.arrays import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from app.serving.catalogue import Catalogue
    from app.store.records import Movie
    from recommender.arrays import Mask
    from recommender.data.vocabulary import Vocabulary

TOLD = ("movie_id", "title", "year", "genres")
"""What is told of a movie when nobody says otherwise."""

OF_MOVIES = (*TOLD, "attributes")
"""What a client may ask for of a movie."""


@dataclass(frozen=True, eq=False)
class Shelf:
    """Every movie that a list may hold has a row here: first the model's items, then newer ones.

    Rows of items are those of the model. *Newcomers*, which stand in the catalogue and not in the
    model, follow in the order of their ids: their rows change as others come and go. A request
    keeps the shelf that it began with.

    Attributes
    ----------
    items
        The model's items.
    ids
        The ids in row order, as plain strings.
    movies
        The movie of each row, ``None`` where the catalogue has none (any more).
    available
        (n_rows,) bool, read-only: whether the movie is there and may appear.
    """

    items: Vocabulary
    ids: list[str]
    movies: list[Movie | None]
    available: Mask

    @classmethod
    def of(cls, items: Vocabulary, catalogue: Catalogue) -> Shelf:
        """Line up the catalogue with the items of a model."""
        ids = [str(item) for item in items.ids]
        known = set(ids)
        newcomers = sorted(movie_id for movie_id in catalogue if movie_id not in known)
        ids += newcomers
        return cls._stocked(items, ids, [catalogue.get(movie_id) for movie_id in ids])

    @classmethod
    def _stocked(cls, items: Vocabulary, ids: list[str], movies: list[Movie | None]) -> Shelf:
        available = np.array(
            [movie is not None and movie.available for movie in movies], dtype=np.bool_
        )
        return cls(items, ids, movies, frozen(available))

    @property
    def n_items(self) -> int:
        """How many rows are the model's; newcomers have those from there on."""
        return len(self.items)

    @cached_property
    def n_available(self) -> int:
        """How many movies may appear."""
        return int(np.count_nonzero(self.available))

    def row(self, movie_id: str) -> int:
        """Return the row of a movie, -1 when it has none."""
        found = self.items.find(movie_id)
        if found >= 0:
            return found
        place = bisect_left(self.ids, movie_id, lo=self.n_items)
        return place if place < len(self.ids) and self.ids[place] == movie_id else -1

    def last_row_until(self, movie_id: str) -> int:
        """Return the row of a movie; of a newcomer that is gone, the one before its place."""
        row = self.row(movie_id)
        return row if row >= 0 else bisect_left(self.ids, movie_id, lo=self.n_items) - 1

    def with_movie(self, movie_id: str, movie: Movie | None) -> Shelf:
        """Return a shelf with another movie under this id, or none."""
        row = self.row(movie_id)
        ids, movies = self.ids, self.movies.copy()
        if row >= 0 and (movie is not None or row < self.n_items):
            movies[row] = movie
            available = self.available.copy()
            available[row] = movie is not None and movie.available
            return Shelf(self.items, ids, movies, frozen(available))
        ids = ids.copy()
        if row >= 0:
            del ids[row], movies[row]
        elif movie is not None:
            place = bisect_left(ids, movie_id, lo=self.n_items)
            ids.insert(place, movie_id)
            movies.insert(place, movie)
        return self._stocked(self.items, ids, movies)

    def title(self, row: int) -> str | None:
        """Return the title of a movie that may be shown, ``None`` for one that may not."""
        movie = self.movies[row]
        return movie.title if movie is not None and movie.available else None

    def genre_table(self) -> NDArray[np.bool_]:
        """(n_rows, n_genres) bool: which genres each movie has."""
        names = sorted({genre for movie in self.movies if movie for genre in movie.genres})
        columns = {name: column for column, name in enumerate(names)}
        table = np.zeros((len(self.movies), len(names)), np.bool_)
        for row, movie in enumerate(self.movies):
            for genre in movie.genres if movie is not None else ():
                table[row, columns[genre]] = True
        return table

    # Encoding: what is told of a movie is the same in every list, so it is encoded once.

    @cached_property
    def _heads(self) -> list[bytes | None]:
        return [None] * len(self.movies)

    def head(self, row: int) -> bytes:
        """Return the JSON object of what every list tells of a movie, still open at its end."""
        head = self._heads[row]
        if head is None:
            head = _opened(orjson.dumps(self.told(row, TOLD)))
            self._heads[row] = head
        return head

    def told(self, row: int, names: Iterable[str]) -> dict[str, Any]:
        """Return these fields of a movie of the catalogue, of all that it has.

        Raises
        ------
        LookupError
            When the catalogue has no movie in this row (any more).
        """
        movie = self.movies[row]
        if movie is None:
            raise LookupError("a list may hold movies of the catalogue only")
        return {name: getattr(movie, name) for name in names}

    def lines(
        self,
        rows: Sequence[int],
        extras: Mapping[str, Sequence[Any]],
        fields: tuple[str, ...] | None = None,
    ) -> orjson.Fragment:
        """Encode a list: what is told of each movie, and what this list adds.

        Parameters
        ----------
        rows
            Of movies in the catalogue.
        extras
            What follows, by name: the values of all rows.
        fields
            What is told of each, of the movie and of what is added; ``None`` for the usual.

        Raises
        ------
        LookupError
            When the catalogue has no movie in one of the rows (any more).
        """
        names = tuple(extras)
        if fields is None:
            heads = self._heads
            told = [heads[row] or self.head(row) for row in rows]
        else:
            own = [name for name in fields if name not in extras and name in OF_MOVIES]
            told = [_opened(orjson.dumps(self.told(row, own))) for row in rows]
            names = tuple(dict.fromkeys(name for name in fields if name in extras))
        line = _line(names, bool(fields is None or own))
        columns = [_texts(extras[name]) for name in names]
        lines = [line % values for values in zip(told, *columns, strict=True)]
        return orjson.Fragment(b"[%b]" % b",".join(lines))


def _opened(line: bytes) -> bytes:
    """Take the brace from the end of an object."""
    return line[:-1]


@lru_cache(maxsize=256)
def _line(names: tuple[str, ...], after_others: bool) -> bytes:
    """Return the template of a line: what is told of the movie, and then these values."""
    members = [b'"%b":%%b' % name.encode() for name in names]
    if after_others and members:
        members[0] = b"," + members[0]
    return b"%b" + b",".join(members) + b"}"


def _texts(values: Sequence[Any]) -> list[bytes]:
    """Encode each value. One call does it for numbers, between which alone commas stand."""
    texts: list[bytes] = orjson.dumps(values)[1:-1].split(b",")
    return texts if len(texts) == len(values) else [orjson.dumps(value) for value in values]
