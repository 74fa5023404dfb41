"""The movies in memory: for titles, and for what may appear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.store.records import Movie
    from recommender.arrays import Mask
    from recommender.data.vocabulary import Vocabulary


class Catalogue:
    """Every movie of the store by id.

    Changed only by the thread of the event loop, after the store has committed; read from
    anywhere. ``revision`` grows with each change.
    """

    def __init__(self, movies: Iterable[Movie] = ()) -> None:
        self._movies = {movie.movie_id: movie for movie in movies}
        self.revision = 0

    def __len__(self) -> int:
        return len(self._movies)

    def __contains__(self, movie_id: object) -> bool:
        return movie_id in self._movies

    def get(self, movie_id: str) -> Movie | None:
        """Return a movie, ``None`` when it is not in the catalogue."""
        return self._movies.get(movie_id)

    def put(self, movie: Movie) -> None:
        """Take in a movie that was stored."""
        self._movies[movie.movie_id] = movie
        self.revision += 1

    def remove(self, movie_id: str) -> None:
        """Let go of a movie that was deleted."""
        self._movies.pop(movie_id, None)
        self.revision += 1

    def replace(self, movies: Iterable[Movie]) -> None:
        """Take what the store holds for the whole of it."""
        self._movies = {movie.movie_id: movie for movie in movies}
        self.revision += 1


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """The catalogue in the order of a model's items.

    Attributes
    ----------
    ids
        The model's item ids in row order, as plain strings.
    movies
        The movie of each row, ``None`` where the catalogue has none.
    available
        (n_items,) bool, read-only: whether the movie is there and may appear.
    """

    ids: list[str]
    movies: list[Movie | None]
    available: Mask

    @classmethod
    def of(cls, items: Vocabulary, catalogue: Catalogue) -> Shelf:
        """Line up the catalogue with the items of a model."""
        ids = [str(item) for item in items.ids]
        return cls._from_movies(ids, [catalogue.get(movie_id) for movie_id in ids])

    @classmethod
    def _from_movies(cls, ids: list[str], movies: list[Movie | None]) -> Shelf:
        available = np.array(
            [movie is not None and movie.available for movie in movies], dtype=np.bool_
        )
        available.flags.writeable = False
        return cls(ids, movies, available)

    def with_movie(self, row: int, movie: Movie | None) -> Shelf:
        """Return a shelf with another movie in one row; a request keeps the shelf it began with."""
        movies = self.movies.copy()
        movies[row] = movie
        available = self.available.copy()
        available[row] = movie is not None and movie.available
        available.flags.writeable = False
        return Shelf(self.ids, movies, available)

    def title(self, row: int) -> str | None:
        """Return the title of a movie that may be shown, ``None`` for one that may not."""
        movie = self.movies[row]
        return movie.title if movie is not None and movie.available else None
