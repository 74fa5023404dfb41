"""What the store takes and gives: plain frozen records, without any trace of the database."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import polars as pl

    from app.store.errors import InvalidRecord, MovieNotFound

JSON: TypeAlias = "bool | int | float | str | list[JSON] | Mapping[str, JSON] | None"


@dataclass(frozen=True, slots=True)
class Movie:
    """One movie of the catalogue.

    Attributes
    ----------
    movie_id
        1 to 128 characters, no control characters.
    title
        As it is shown; never empty.
    year
        Year of release, ``None`` where it is not known.
    genres
        In the order of the source.
    available
        ``False`` keeps the movie and its ratings but out of every list of recommendations.
    attributes
        Whatever else a client wants to keep, as JSON.
    """

    movie_id: str
    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    available: bool = True
    attributes: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class User:
    """One user; ``n_ratings`` is counted when read (tombstones excluded), ignored when written."""

    user_id: str
    attributes: Mapping[str, JSON] = field(default_factory=dict)
    n_ratings: int = 0


@dataclass(frozen=True, slots=True)
class RatingRecord:
    """One rating as it stands, or the tombstone that its deletion left.

    Attributes
    ----------
    user_id, movie_id
        Who rated what; together the key.
    rating
        Stars, or ``None`` in a tombstone.
    rated_at
        When it was given, in seconds since 1970 UTC. A tombstone keeps the time of its rating.
    version
        The position in the order of all changes; greater than that of every earlier change.
    """

    user_id: str
    movie_id: str
    rating: float | None
    rated_at: int
    version: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many users, movies and live ratings (no tombstones) are stored."""

    users: int
    movies: int
    ratings: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What one import changed.

    Attributes
    ----------
    users, movies
        How many of them the import created.
    ratings
        How many ratings were stored, new or changed: each took one version.
    unchanged
        How many stood there already, with the same rating and time; they keep their version.
    version_from, version_to
        The newest version before and after: the changes are ``version_from + 1 … version_to``.
    """

    users: int
    movies: int
    ratings: int
    unchanged: int
    version_from: int
    version_to: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an import, checked: its movies and users are stored before its ratings.

    Attributes
    ----------
    document
        What the import's job says as soon as the chunk is stored, in the same transaction; the
        store adds ``stored``, the sum of what every chunk changed (:class:`ImportReport`).
    ratings, movies, users
        As for ``Store.import_dataset``. A movie's column ``attributes`` and a user's may hold a
        JSON object as text, a movie's ``available`` a Boolean; null leaves what is stored.
    """

    document: Mapping[str, JSON]
    ratings: pl.DataFrame | None = None
    movies: pl.DataFrame | None = None
    users: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of the rows of ``Store.put_ratings``.

    Attributes
    ----------
    results
        For each row its record, the error that refused it, or ``None`` where no row was given.
    replayed
        Whether this was found under the key, and nothing stored now.
    """

    results: tuple[RatingRecord | InvalidRecord | MovieNotFound | None, ...]
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All live ratings at one moment.

    Attributes
    ----------
    ratings
        Columns ``user`` (String), ``item`` (String), ``rating`` (Float32), ``timestamp`` (Int64,
        seconds since 1970 UTC), sorted by user and item; no tombstones.
    watermark
        The newest version that the frame contains.
    """

    ratings: pl.DataFrame
    watermark: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is kept of the erasure of a user: nothing that names the user.

    Attributes
    ----------
    receipt
        By which it can be asked for.
    version
        Its position in the order of all changes: what the user changed before it is gone.
    digest
        SHA-256, in hexadecimal, over the salt of the database, a separator and the id.
    ratings
        How many live ratings went.
    erased_at
        When, in seconds since 1970 UTC.
    """

    receipt: str
    version: int
    digest: str
    ratings: int
    erased_at: int


@dataclass(frozen=True, slots=True)
class WriterState:
    """How the writing side is doing: for readiness and metrics.

    Attributes
    ----------
    commits
        Transactions committed since the store was opened.
    operations
        Write operations that those commits acknowledged.
    queued
        Write operations that wait now.
    problem
        Why the latest transaction failed; ``None`` as soon as one succeeds again.
    """

    commits: int
    operations: int
    queued: int
    problem: str | None
