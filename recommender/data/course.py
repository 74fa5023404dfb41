"""The course example: 4 users, 5 movies, 10 ticks, and the course's own embeddings of both.

The folder's ``README.md`` tells the story; :func:`load_course` reads its files into arrays.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import frozen
from recommender.data.bundled import bundled_path
from recommender.errors import FileFormatError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Course:
    """The course example as arrays.

    Attributes
    ----------
    user_ids, movie_ids
        In the order of rows and columns, as strings.
    titles, years, genres
        One of each a movie.
    ticks
        (n_users, n_movies) bool: ``True`` where the user ticked the movie.
    user_factors, movie_factors
        (n_users, 2) and (n_movies, 2) float64: the course's own, written by hand.
    """

    user_ids: tuple[str, ...]
    movie_ids: tuple[str, ...]
    titles: tuple[str, ...]
    years: tuple[int, ...]
    genres: tuple[tuple[str, ...], ...]
    ticks: NDArray[np.bool_]
    user_factors: NDArray[np.float64]
    movie_factors: NDArray[np.float64]

    def matrix(self, blank: float) -> NDArray[np.float64]:
        """Return the (n_users, n_movies) matrix with 1 for a tick and ``blank`` elsewhere.

        Examples
        --------
        What a blank means decides how many dimensions the picture needs:

        >>> course = load_course()
        >>> int(np.linalg.matrix_rank(course.matrix(blank=-1)))
        2
        >>> int(np.linalg.matrix_rank(course.matrix(blank=0)))
        3
        """
        return np.where(self.ticks, 1.0, blank)


def load_course(folder: Path | None = None) -> Course:
    """Read the course example.

    Parameters
    ----------
    folder
        Where its files lie; by default the bundled ones.

    Raises
    ------
    FileFormatError
        When a file is missing, lacks a column, or names an id that no other file knows.

    Examples
    --------
    >>> course = load_course()
    >>> score = course.user_factors[0] @ course.movie_factors[0]
    >>> f"{course.titles[0]}: {score:.2f}"
    'Harry Potter: 0.88'
    """
    folder = bundled_path("course") if folder is None else folder
    movies = _rows(folder / "movies.csv", ("movie_id", "title", "year", "genres"))
    user_vectors = _rows(folder / "user_factors.csv", ("user_id", "x", "y"))
    movie_vectors = _rows(folder / "movie_factors.csv", ("movie_id", "x", "y"))
    user_ids = tuple(row["user_id"] for row in user_vectors)
    movie_ids = tuple(row["movie_id"] for row in movies)
    if tuple(row["movie_id"] for row in movie_vectors) != movie_ids:
        raise FileFormatError(
            folder / "movie_factors.csv", "must list the movies of movies.csv in the same order"
        )
    user_factors = _vectors(user_vectors, folder / "user_factors.csv")
    movie_factors = _vectors(movie_vectors, folder / "movie_factors.csv")
    ticks = np.zeros((len(user_ids), len(movie_ids)), dtype=np.bool_)
    path = folder / "ratings.csv"
    for line, row in enumerate(_rows(path, ("user_id", "movie_id", "rating")), start=2):
        if row["user_id"] not in user_ids or row["movie_id"] not in movie_ids:
            raise FileFormatError(path, "names a user or a movie that has no embedding", line)
        ticks[user_ids.index(row["user_id"]), movie_ids.index(row["movie_id"])] = True
    return Course(
        user_ids=user_ids,
        movie_ids=movie_ids,
        titles=tuple(row["title"] for row in movies),
        years=tuple(int(row["year"]) for row in movies),
        genres=tuple(tuple(row["genres"].split("|")) for row in movies),
        ticks=frozen(ticks),
        user_factors=frozen(user_factors),
        movie_factors=frozen(movie_factors),
    )


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows of a small CSV file that must have these columns."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            header = tuple(reader.fieldnames or ())
    except OSError as error:
        raise FileFormatError(path, f"cannot be read: {error.strerror}") from None
    if header != columns:
        raise FileFormatError(
            path, f"must have the columns {','.join(columns)}; found {','.join(header)}", line=1
        )
    return rows


def _vectors(rows: list[dict[str, str]], path: Path) -> NDArray[np.float64]:
    try:
        return np.array([[float(row["x"]), float(row["y"])] for row in rows], dtype=np.float64)
    except ValueError:
        raise FileFormatError(path, "x and y must be numbers") from None
