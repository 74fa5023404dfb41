"""Movies of the catalogue as the mathematics sees them: genres, a year, tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recommender.attributes import ItemAttributes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.store.records import Movie

_LAST_YEAR = 9999


def attributes_of(movies: Sequence[Movie | None]) -> ItemAttributes:
    """Describe movies, one after the other; of ``None`` nothing is known.

    Tags are the movie's attribute ``tags``, where that is a list of text.
    """
    return ItemAttributes.from_movies(
        [() if movie is None else movie.genres for movie in movies],
        [None if movie is None else _year(movie) for movie in movies],
        [[] if movie is None else _tags(movie) for movie in movies],
    )


def _year(movie: Movie) -> int | None:
    """Return the year, unless no film could be of it: the catalogue takes any whole number."""
    return movie.year if movie.year is not None and 0 <= movie.year <= _LAST_YEAR else None


def _tags(movie: Movie) -> list[str]:
    given = movie.attributes.get("tags")
    if not isinstance(given, list):
        return []
    tags = [tag for tag in given if isinstance(tag, str)]
    return tags if len(tags) == len(given) else []
