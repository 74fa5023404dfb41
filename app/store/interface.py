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
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from typing import Any, Literal, Self

    import polars as pl

    from app.store.records import (
        JSON,
        Chunk,
        Counts,
        Erasure,
        ImportReport,
        Movie,
        RatingRecord,
        Snapshot,
        Stored,
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

    def put_ratings(
        self,
        rows: Sequence[tuple[str, str, float, int] | None],
        *,
        key: str | None = None,
        digest: bytes = b"",
    ) -> Future[Stored]:
        """Store many ratings in one transaction: a result for each row, in their order.

        A row that cannot be stored gets its error as its result and spoils no other.

        Parameters
        ----------
        rows
            ``user_id``, ``movie_id``, ``rating``, ``rated_at``, as for ``put_rating``. ``None``
            keeps the place of a row that is not to be stored.
        key
            The outcome is kept under it for a day, in the same transaction. The same key with the
            same ``digest`` returns it again, as ``replayed``, and stores nothing; with another
            one it fails with ``KeyReused``.
        digest
            Tells one request from another.
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

    def erase_user(self, user_id: str) -> Future[Erasure | None]:
        """Remove a user, their ratings and tombstones, and the id from the reports of imports.

        An erasure takes the next version, so that others learn of it, and keeps a digest of the
        user under a receipt. ``None`` if nobody was there.
        """
        ...

    def restore(
        self, parts: Iterable[tuple[str, pl.DataFrame]], *, force: bool = False
    ) -> Future[int]:
        """Put the parts of a ``dump`` in place of all there is, in one transaction.

        Returns how many users were left out: those of whom the store knows, and the parts do not,
        that they were erased. ``StoreNotEmpty`` if there is something and ``force`` is ``False``.
        """
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

    def import_chunks(
        self,
        chunks: Iterator[Chunk],
        *,
        atomic: bool,
        job: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> ImportReport:
        """Store chunk by chunk; blocks until the last one is durable.

        Parameters
        ----------
        chunks
            Asked for one at a time, so that memory does not grow with their number. What it
            raises ends the import.
        atomic
            ``True``: all in one transaction, which other writes wait for; nothing is stored if
            anything fails. ``False``: a transaction for each chunk, with other writes in between;
            what was stored stays.
        job
            The document of each chunk is kept under this id, in the chunk's transaction, with the
            sum of what was stored so far: a killed import goes on behind it.
        progress
            Called with the number of ratings of the chunks that were stored so far.

        Raises
        ------
        InvalidRecord
            If anything in a chunk must not be stored.
        """
        ...

    def put_job(self, job_id: str, document: Mapping[str, JSON]) -> Future[None]:
        """Keep a document about an import, in place of an earlier one; the newest 1,000 stay."""
        ...

    # ----- reads -----

    def job(self, job_id: str) -> dict[str, Any] | None:
        """Return what ``put_job`` or ``import_chunks`` kept under this id."""
        ...

    def jobs(self, limit: int) -> list[dict[str, Any]]:
        """Return the newest documents, newest first."""
        ...

    def export(self, kind: Literal["ratings", "movies", "users"]) -> Iterator[pl.DataFrame]:
        """Yield all live ratings, movies or users, as one consistent read.

        Ratings have ``user_id``, ``movie_id``, ``rating``, ``rated_at``; movies ``movie_id``,
        ``title``, ``year``, ``genres`` (lists), ``available``, ``attributes`` (a JSON object as
        text); users ``user_id``, ``attributes``. Sorted by id; at least one frame comes, perhaps
        empty. Ends its transaction when it is exhausted or closed.
        """
        ...

    def dump(self) -> Generator[tuple[str, pl.DataFrame]]:
        """Yield all rows of all tables as they are, with their table's name, of one moment.

        Tombstones, versions, facts, jobs and erasures too: what ``restore`` takes. Ends its
        transaction when it is exhausted or closed.
        """
        ...

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

    def erasures_since(self, version: int) -> list[Erasure]:
        """Return the erasures newer than ``version``, oldest first."""
        ...

    def erasure(self, receipt: str) -> Erasure | None:
        """Return what is kept of an erasure, ``None`` for a receipt that nobody was given."""
        ...

    def remains(self, erasure: Erasure) -> int:
        """Count the ratings and tombstones of before the erasure; reads the id of every user."""
        ...

    # ----- life -----

    def on_change(self, callback: Callable[[bool], None]) -> Callable[[], None]:
        """Call back, in any thread, when another process has committed; return how to stop.

        The callback is told whether movies may have changed, and must not block. It may come
        without a change. A store that one process has for itself never calls.
        """
        ...

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
