"""What can be drawn on the map: the course example, or the generation that is served."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from recommender.data.course import load_course
from recommender.version import __version__

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from recommender.arrays import Indices
    from recommender.generations import Generation

ModelName = Literal["course", "current"]
Projection = Literal["scores", "raw"]

COURSE_NOTICE = "A hand-written teaching example: four made-up users."
MATRIX_CELLS = 400
"""A world with at most this many cells is small enough to be read as a table."""


class Titled(Protocol):
    """What the map wants to know of a movie."""

    @property
    def title(self) -> str:
        """As it is shown."""

    @property
    def year(self) -> int | None:
        """Year of release."""

    @property
    def genres(self) -> Sequence[str]:
        """In the order of the source."""

    @property
    def available(self) -> bool:
        """Whether it may be recommended."""


@dataclass(frozen=True, eq=False)
class World:
    """Users, movies and their vectors, ready to be projected.

    Attributes
    ----------
    model
        ``course`` or ``current``.
    version
        A token that changes whenever anything below may have changed.
    generation, trained_at
        Of the trained model; ``None`` for the course.
    user_ids, movie_ids, titles, years, genres
        In row order. A movie that the catalogue does not have goes by its id.
    available
        One bool a movie: whether it may be recommended.
    user_factors, movie_factors
        (n_users, k) and (n_movies, k).
    user_counts, movie_counts
        (n_users,) and (n_movies,) int64: the number of ratings of each.
    projections
        Those that can be asked for, the one to open with first.
    axis_names
        The words at the negative and the positive end of each raw axis, where a person knows them.
    notice
        What has to be said about the data, if that is known here.
    """

    model: ModelName
    version: str
    generation: int | None
    trained_at: str | None
    user_ids: Sequence[str]
    movie_ids: Sequence[str]
    titles: Sequence[str]
    years: Sequence[int | None]
    genres: Sequence[Sequence[str]]
    available: Sequence[bool]
    user_factors: NDArray[np.floating]
    movie_factors: NDArray[np.floating]
    user_counts: NDArray[np.int64]
    movie_counts: NDArray[np.int64]
    observed: Observed
    projections: tuple[Projection, ...]
    axis_names: tuple[tuple[str, str], tuple[str, str]] | None = None
    notice: str | None = None

    @property
    def small(self) -> bool:
        """Whether it can be read as a table."""
        return len(self.user_ids) * len(self.movie_ids) <= MATRIX_CELLS


@dataclass(frozen=True, eq=False)
class Observed:
    """Who rated what, by user: ``indptr`` (n_users + 1,), ``indices`` and ``codes`` (n_ratings,).

    The value of a rating is the level that its code stands for; ``ticks`` says that it means no
    more than ✓.
    """

    indptr: NDArray[np.int64]
    indices: Indices
    codes: NDArray[np.unsignedinteger]
    levels: NDArray[np.float32]
    ticks: bool

    def table(self, n_movies: int) -> list[list[float | None]]:
        """Return a row a user with a value or ``None`` for each movie."""
        rows: list[list[float | None]] = []
        for user in range(len(self.indptr) - 1):
            row: list[float | None] = [None] * n_movies
            for entry in range(self.indptr[user], self.indptr[user + 1]):
                row[self.indices[entry]] = float(self.levels[self.codes[entry]])
            rows.append(row)
        return rows


def course_world() -> World:
    """Return the course example with the course's own embeddings."""
    course = load_course()
    users, movies = np.nonzero(course.ticks)
    counts = course.ticks.sum(axis=1)
    arrays = (course.ticks, course.user_factors, course.movie_factors)
    digest = hashlib.sha256(repr([array.tolist() for array in arrays]).encode())
    digest.update(repr((course.titles, course.years, course.genres)).encode())
    return World(
        model="course",
        version=f"course-{_token(digest.hexdigest())}",
        generation=None,
        trained_at=None,
        user_ids=course.user_ids,
        movie_ids=course.movie_ids,
        titles=course.titles,
        years=course.years,
        genres=course.genres,
        available=[True] * len(course.titles),
        user_factors=course.user_factors,
        movie_factors=course.movie_factors,
        user_counts=counts.astype(np.int64),
        movie_counts=course.ticks.sum(axis=0).astype(np.int64),
        observed=Observed(
            indptr=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
            indices=movies.astype(np.int32),
            codes=np.zeros(len(users), dtype=np.uint8),
            levels=np.ones(1, dtype=np.float32),
            ticks=True,
        ),
        projections=("raw", "scores"),
        axis_names=(("art house", "blockbuster"), ("children", "adult")),
        notice=COURSE_NOTICE,
    )


def generation_version(
    generation: Generation, movies: Sequence[Titled | None], hidden: Collection[int] = ()
) -> str:
    """Return the token of a generation with its movies: its number, and digests of both.

    ``hidden`` are rows of users that must not be shown.

    Numbers start again when a data directory is made anew; a browser's cache does not. The movies
    belong to it because genres are bits, which mean what the genres of all movies make of them.
    """
    manifest = generation.manifest
    digest = hashlib.sha256()
    for movie in movies:
        about = movie and (movie.title, movie.year, tuple(movie.genres), movie.available)
        digest.update(repr(about).encode(errors="replace"))
    about_all = f"{manifest.trained_at} {manifest.watermark} {digest.hexdigest()}"
    if hidden:
        about_all += f" {sorted(hidden)}"
    return f"{generation.number}-{_token(about_all)}"


def generation_world(
    generation: Generation,
    movies: Sequence[Titled | None],
    version: str,
    notice: str | None,
    hidden: Collection[int] = (),
) -> World:
    """Return the ranking model of a generation with its movies, in the order of its items.

    Users whose rows are ``hidden`` are left out, with their ratings.
    """
    model = generation.ranking
    movie_ids = [str(movie_id) for movie_id in model.item_ids.tolist()]
    by_user = model.ratings.by_user
    shown = np.ones(len(model.user_ids), np.bool_)
    shown[list(hidden)] = False
    lengths = np.diff(by_user.indptr)
    kept = np.repeat(shown, lengths)
    indices = by_user.indices[kept]
    return World(
        model="current",
        version=version,
        generation=generation.number,
        trained_at=generation.manifest.trained_at,
        user_ids=[str(user_id) for user_id in model.user_ids[shown].tolist()],
        movie_ids=movie_ids,
        titles=[
            movie.title if movie else movie_id
            for movie, movie_id in zip(movies, movie_ids, strict=True)
        ],
        years=[movie.year if movie else None for movie in movies],
        genres=[tuple(movie.genres) if movie else () for movie in movies],
        available=[movie is not None and movie.available for movie in movies],
        user_factors=model.user_factors[shown],
        movie_factors=model.item_factors,
        user_counts=lengths[shown],
        movie_counts=np.bincount(indices, minlength=len(movie_ids)),
        observed=Observed(
            indptr=np.concatenate(([0], np.cumsum(lengths[shown]))),
            indices=indices,
            codes=by_user.codes[kept],
            levels=by_user.levels,
            ticks=False,
        ),
        projections=("scores", "raw"),
        notice=notice,
    )


def _token(text: str) -> str:
    return hashlib.sha256(f"{__version__} {text}".encode()).hexdigest()[:10]
