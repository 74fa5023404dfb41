"""What is read, in SQLAlchemy Core: the same for every back-end.

Each method is one transaction on a connection of the pool, begun when it asks and over when it
returns: what it sees is of one moment, and no reader keeps the WAL from being checkpointed.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Select, case, exc, func, literal, select, tuple_

from app.limits import LIMITS
from app.store.erasures import SALT, named_by
from app.store.errors import InvalidRecord, StoreClosed, unavailable
from app.store.exporting import exported
from app.store.jobs import job_query, jobs_query, parsed
from app.store.records import Counts, Erasure, Movie, RatingRecord, User
from app.store.tables import erasures, facts, movies, progress, ratings, users
from app.store.titles import words
from app.store.validation import storable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    from sqlalchemy import Column, ColumnElement, Connection, Engine, Row

_N_RATINGS = (
    select(func.count())
    .where(ratings.c.user_id == users.c.user_id, ratings.c.rating.is_not(None))
    .scalar_subquery()
)
_USERS = select(users.c.user_id, users.c.attributes, _N_RATINGS.label("n_ratings"))
_RATINGS = select(
    ratings.c.user_id,
    ratings.c.movie_id,
    ratings.c.rating,
    ratings.c.rated_at,
    ratings.c.version,
)


_ERASURES = select(
    erasures.c.receipt,
    erasures.c.version,
    erasures.c.digest,
    erasures.c.ratings,
    erasures.c.erased_at,
)


class ReadingStore:
    """The reading half of a store.

    Parameters
    ----------
    engine
        Connections that read; each transaction of theirs sees one consistent state.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._open = True

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection for one transaction; what goes wrong becomes ``StoreUnavailable``."""
        if not self._open:
            raise StoreClosed("The store is closed.")
        try:
            with self._engine.connect() as connection:
                yield connection
        except (exc.DBAPIError, exc.TimeoutError) as error:
            raise unavailable(error, "reading") from error

    def movie(self, movie_id: str) -> Movie | None:
        """Return a movie, ``None`` if it is not in the catalogue."""
        found = self._rows(select(movies).where(movies.c.movie_id == movie_id), movie_id)
        return _movie(found[0]) if found else None

    def movies(self, after: str | None, limit: int, q: str | None = None) -> list[Movie]:
        """Return the next movies, of all or of those that ``q`` finds: see ``Store.movies``."""
        if q is not None and len(q) > LIMITS.search_length:
            raise InvalidRecord(f"q: at most {LIMITS.search_length} characters are searched for.")
        query = _in_natural_order(select(movies), movies.c.movie_id, after)
        if q is not None and q.strip():
            query = _search(q, after)
        return [_movie(row) for row in self._rows(query.limit(limit), after, q)]

    def all_movies(self) -> list[Movie]:
        """Return the whole catalogue, as one consistent read."""
        query = _in_natural_order(select(movies), movies.c.movie_id)
        return [_movie(row) for row in self._rows(query)]

    def user(self, user_id: str) -> User | None:
        """Return a user, ``None`` if nobody stored or rated under this id."""
        found = self._rows(_USERS.where(users.c.user_id == user_id), user_id)
        return User(*found[0]) if found else None

    def users(self, after: str | None, limit: int, q: str | None = None) -> list[User]:
        """Return the next users, of all or of those whose id begins with ``q``."""
        query = _in_natural_order(_USERS, users.c.user_id, after).limit(limit)
        if q:
            query = query.where(func.substr(users.c.user_id, 1, len(q)) == q)
        return [User(*row) for row in self._rows(query, after, q)]

    def ratings_of(self, user_id: str, after: str | None, limit: int) -> list[RatingRecord]:
        """Return the user's next live ratings by movie id; none for an unknown user."""
        query = _in_natural_order(_RATINGS, ratings.c.movie_id, after).where(
            ratings.c.user_id == user_id, ratings.c.rating.is_not(None)
        )
        return [RatingRecord(*row) for row in self._rows(query.limit(limit), user_id, after)]

    def rating_count(self) -> int:
        """Return the number of live ratings."""
        return int(self._rows(select(progress.c.n_ratings))[0][0])

    def counts(self) -> Counts:
        """Return the numbers of users, movies and live ratings, as one consistent read."""
        query = select(
            select(func.count()).select_from(users).scalar_subquery(),
            select(func.count()).select_from(movies).scalar_subquery(),
            progress.c.n_ratings,
        )
        return Counts(*self._rows(query)[0])

    def changes_since(self, version: int, limit: int) -> list[RatingRecord]:
        """Return ratings and tombstones newer than ``version``, oldest change first."""
        query = _RATINGS.where(ratings.c.version > version).order_by(ratings.c.version)
        return [RatingRecord(*row) for row in self._rows(query.limit(limit))]

    def changes_of(self, user_id: str, version: int) -> list[RatingRecord]:
        """Return a user's ratings and tombstones newer than ``version``, in no order."""
        query = _RATINGS.where(ratings.c.user_id == user_id, ratings.c.version > version)
        return [RatingRecord(*row) for row in self._rows(query, user_id)]

    def version(self) -> int:
        """Return the newest stored version; 0 before the first rating."""
        return int(self._rows(select(progress.c.version))[0][0])

    def get_fact(self, name: str) -> str | None:
        """Return what ``set_fact`` kept under this name."""
        found = self._rows(select(facts.c.value).where(facts.c.name == name), name)
        return str(found[0][0]) if found else None

    def erasures_since(self, version: int) -> list[Erasure]:
        """Return the erasures newer than ``version``, oldest first."""
        query = _ERASURES.where(erasures.c.version > version).order_by(erasures.c.version)
        return [Erasure(*row) for row in self._rows(query)]

    def erasure(self, receipt: str) -> Erasure | None:
        """Return what is kept of an erasure, ``None`` for a receipt that nobody was given."""
        found = self._rows(_ERASURES.where(erasures.c.receipt == receipt), receipt)
        return Erasure(*found[0]) if found else None

    def remains(self, erasure: Erasure) -> int:
        """Count the ratings and tombstones of before the erasure; reads the id of every user."""
        salt = self.get_fact(SALT)
        if salt is None:
            return 0
        query = select(func.count()).where(ratings.c.version < erasure.version)
        with self.reading() as connection:
            return sum(
                connection.execute(query.where(ratings.c.user_id == user_id)).scalar_one()
                for user_id in {*named_by(connection, salt, erasure.digest)}
            )

    def job(self, job_id: str) -> dict[str, Any] | None:
        """Return what was kept about an import under this id."""
        found = self._rows(job_query(job_id), job_id)
        return parsed(found[0][0]) if found else None

    def jobs(self, limit: int) -> list[dict[str, Any]]:
        """Return the newest documents about imports, newest first."""
        return [parsed(row[0]) for row in self._rows(jobs_query(limit))]

    def export(self, kind: Literal["ratings", "movies", "users"]) -> Iterator[pl.DataFrame]:
        """Yield all live ratings, movies or users: see ``Store.export``."""
        with self.reading() as connection:
            yield from exported(connection, kind)

    def ping(self) -> None:
        """Return if the store can be read; raise ``StoreUnavailable`` with the reason if not."""
        self.version()

    def _rows(
        self, query: Select[*tuple[Any, ...]], *asked: str | None
    ) -> list[Row[*tuple[Any, ...]]]:
        """Return all rows; none if one of the texts asked for could not be stored anyway."""
        if not all(text is None or storable(text) for text in asked):
            return []
        with self.reading() as connection:
            return list(connection.execute(query))


def _in_natural_order(
    query: Select[*tuple[Any, ...]], column: Column[str], after: str | None = None
) -> Select[*tuple[Any, ...]]:
    """Order by (length, id), beginning behind ``after``."""
    order = (func.length(column), column)
    if after is not None:
        here = tuple_(literal(len(after)), literal(after))
        # The first follows from the second, but only the first lets SQLite enter the index there.
        query = query.where(order[0] >= len(after), tuple_(*order) > here)
    return query.order_by(*order)


def _search(q: str, after: str | None) -> Select[*tuple[Any, ...]]:
    """Return the search for ``q``: titles that begin with it, then the others, each by id."""
    later = _begins_later(q)
    order = (later, func.length(movies.c.movie_id), movies.c.movie_id)
    query = select(movies).where(*_matches(q)).order_by(*order)
    if after is None:
        return query
    before = select(later).where(movies.c.movie_id == after).correlate(None).scalar_subquery()
    # If the movie has gone meanwhile: rather show some again than leave some out.
    here = (func.coalesce(before, 0), literal(len(after)), literal(after))
    return query.where(tuple_(*order) > tuple_(*here))


def _matches(q: str) -> list[ColumnElement[bool]]:
    """Return the conditions that ``q`` finds a title: each of its words begins one of the title's.

    A ``q`` of nothing but punctuation, as "?!", is looked for as it is.
    """
    wanted = words(q)
    if not wanted:
        return [movies.c.title.contains(q.strip(), autoescape=True)]
    return [movies.c.search_text.contains(f" {word}", autoescape=True) for word in wanted]


def _begins_later(q: str) -> ColumnElement[int]:
    """Return 0 for titles that begin with ``q`` and 1 for those that have it further on."""
    beginning = "".join(f" {word}" for word in words(q))
    return case((func.substr(movies.c.search_text, 1, len(beginning)) == beginning, 0), else_=1)


def _movie(row: Row[*tuple[Any, ...]]) -> Movie:
    return Movie(
        row.movie_id, row.title, row.year, tuple(row.genres), row.available, row.attributes
    )
