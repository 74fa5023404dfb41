"""The movies in memory, by id."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.store.records import Movie


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

    def __iter__(self) -> Iterator[str]:
        return iter(self._movies)

    def get(self, movie_id: str) -> Movie | None:
        """Return a movie, ``None`` when it is not in the catalogue."""
        return self._movies.get(movie_id)

    def holds(self, movies: Iterable[Movie]) -> bool:
        """Whether these are the movies that are here, in any order."""
        return self._movies.copy() == {movie.movie_id: movie for movie in movies}

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
