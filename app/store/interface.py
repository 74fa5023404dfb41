"""The store as the service, the trainer and the command line see it.

Every write returns a future that is resolved **after** its change is durable, or that carries the
error; ``put_rating(...).result()`` waits for it, ``asyncio.wrap_future`` awaits it. No write method
raises by itself. Reads block, and raise ``StoreUnavailable`` when the database cannot answer.

Lists are paged by position: ``after`` is the id of the last record of the page before. People count
"2" before "10", so ids are listed by length, then by code point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from typing import Self

    import polars as pl

    from app.store.records import (
        Counts,
        ImportReport,
        Movie,
        RatingRecord,
        Snapshot,
        User,
        WriterState,
    )


class Store(Protocol):
    """Movies, users and ratings that survive; every method may be called from any thread."""

    # ----- writes -----

    def put_rating(
        self, user_id: str, movie_id: str, rating: float, rated_at: int
    ) -> Future[RatingRecord]:
        """Store a rating, create its user if need be, and give it the next version.

        The same rating at the same ``rated_at`` once more changes nothing and keeps its version,
        so that a client may repeat a request whose answer it has not seen. ``MovieNotFound`` if
        the movie is not in the catalogue.
        """
        ...

    def delete_rating(self, user_id: str, movie_id: str) -> Future[RatingRecord | None]:
        """Replace a rating by a tombstone with the next version; ``None`` if there was none."""
        ...

    def put_movie(self, movie: Movie) -> Future[bool]:
        """Store a movie, in place of what stood under its id; ``True`` if it is new."""
        ...

    def delete_movie(self, movie_id: str) -> Future[bool]:
        """Remove a movie, and its ratings as tombstones; ``False`` if there was none.

        To keep the ratings, store it with ``available=False`` instead.
        """
        ...

    def put_user(self, user: User) -> Future[bool]:
        """Store a user's attributes, in place of those before; ``True`` if the user is new."""
        ...

    def set_fact(self, name: str, value: str | None) -> Future[None]:
        """Keep a text about the data under a name; ``None`` forgets it."""
        ...

    def import_dataset(
        self,
        ratings_frame: pl.DataFrame,
        movies_frame: pl.DataFrame | None = None,
        users_frame: pl.DataFrame | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> ImportReport:
        """Store a whole data set in one transaction; blocks until it is durable.

        Parameters
        ----------
        ratings_frame
            Columns ``user``, ``item``, ``rating`` and, if known, ``timestamp`` (seconds). Of
            several rows for one user and item the last counts. Rows without a timestamp take the
            time of the import, unless the same rating is stored already.
        movies_frame
            Columns ``movie_id``, ``title``, ``year``, ``genres``; further ones become attributes.
            Rated movies that are neither here nor stored are created with their id as title.
        users_frame
            Column ``user_id``; further ones become attributes.
        progress
            Called with the number of ratings stored so far and their total.

        Raises
        ------
        InvalidRecord
            If anything in the frames must not be stored; then nothing of them is.
        """
        ...

    # ----- reads -----

    def movie(self, movie_id: str) -> Movie | None:
        """Return a movie, ``None`` if it is not in the catalogue."""
        ...

    def movies(self, after: str | None, limit: int, q: str | None = None) -> list[Movie]:
        """Return the next movies, of all or of those that ``q`` finds.

        ``q`` finds the titles in which every word of it begins a word, whatever the case and the
        accents; titles that begin with ``q`` come first. No character of it is a wildcard.
        """
        ...

    def all_movies(self) -> list[Movie]:
        """Return the whole catalogue, as one consistent read."""
        ...

    def user(self, user_id: str) -> User | None:
        """Return a user, ``None`` if nobody stored or rated under this id."""
        ...

    def users(self, after: str | None, limit: int, q: str | None = None) -> list[User]:
        """Return the next users, of all or of those whose id begins with ``q``."""
        ...

    def ratings_of(self, user_id: str, after: str | None, limit: int) -> list[RatingRecord]:
        """Return the user's next live ratings by movie id; none for an unknown user."""
        ...

    def rating_count(self) -> int:
        """Return the number of live ratings."""
        ...

    def counts(self) -> Counts:
        """Return the numbers of users, movies and live ratings, as one consistent read."""
        ...

    def changes_since(self, version: int, limit: int) -> list[RatingRecord]:
        """Return ratings and tombstones newer than ``version``, oldest change first.

        A rating that changed twice appears once, as it stands now. Versions may have gaps.
        """
        ...

    def changes_of(self, user_id: str, version: int) -> list[RatingRecord]:
        """Return a user's ratings and tombstones newer than ``version``, in no order."""
        ...

    def version(self) -> int:
        """Return the newest stored version; 0 before the first rating."""
        ...

    def snapshot(self) -> Snapshot:
        """Return all live ratings and the version they stand at, as one consistent read."""
        ...

    def get_fact(self, name: str) -> str | None:
        """Return what ``set_fact`` kept under this name."""
        ...

    # ----- life -----

    def ping(self) -> None:
        """Return if the store can be read; raise ``StoreUnavailable`` with the reason if not."""
        ...

    def writer_state(self) -> WriterState:
        """Return how the writing side is doing."""
        ...

    def close(self) -> None:
        """Finish the writes that wait, then let go of the database; again is harmless."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...
