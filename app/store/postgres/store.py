"""The store in a PostgreSQL database: reads from ``app.store.queries``, writes through ``writer``.

Any number of processes may read and write at the same time.
"""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from sqlalchemy import exc

from app.store.bulk_import import prepare
from app.store.chunk_import import import_chunks
from app.store.errors import StoreError, StoreReadOnly
from app.store.exporting import exported
from app.store.postgres import operations
from app.store.postgres.bulk_import import PostgresImport, chunks_operation
from app.store.postgres.snapshots import read_snapshot
from app.store.postgres.whole import replace_all
from app.store.queries import ReadingStore
from app.store.records import WriterState
from app.store.validation import storable
from app.store.whole import dumped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
    from typing import Self

    import polars as pl
    from sqlalchemy import Connection, Engine, Row, Select

    from app.store.postgres.link import Watch
    from app.store.postgres.listening import Listener
    from app.store.postgres.writer import PostgresWriter
    from app.store.records import (
        JSON,
        Chunk,
        Erasure,
        ImportReport,
        Movie,
        RatingRecord,
        Snapshot,
        Stored,
        User,
    )
    from app.store.whole import Part

T = TypeVar("T")

_READ_PATIENCE = 15.0
"""After so many seconds a read from a silent server is given up; the server's own limit is less."""


class PostgresStore(ReadingStore):
    """``Store`` in a PostgreSQL database; made by ``open_postgres``.

    Parameters
    ----------
    engine
        Connections that read the database, which is migrated already.
    watch
        Cuts those that fall silent.
    writer, listener
        What makes it writable, and what hears of other processes: without them it is read-only.
        The store closes all of them.
    """

    def __init__(
        self,
        engine: Engine,
        watch: Watch,
        writer: PostgresWriter | None = None,
        listener: Listener | None = None,
    ) -> None:
        super().__init__(engine)
        self._watch = watch
        self._writer = writer
        self._listener = listener

    # ----- writes -----

    def put_rating(
        self, user_id: str, movie_id: str, rating: float, rated_at: int
    ) -> Future[RatingRecord]:
        """Store a rating: see ``Store.put_rating``."""
        return self._write(partial(operations.put_rating, user_id, movie_id, rating, rated_at))

    def put_ratings(
        self,
        rows: Sequence[tuple[str, str, float, int] | None],
        *,
        key: str | None = None,
        digest: bytes = b"",
    ) -> Future[Stored]:
        """Store many ratings in one transaction: see ``Store.put_ratings``."""
        return self._write(partial(operations.put_ratings, rows, key, digest))

    def delete_rating(self, user_id: str, movie_id: str) -> Future[RatingRecord | None]:
        """Replace a rating by a tombstone with the next version; ``None`` if there was none."""
        return self._write(partial(operations.delete_rating, user_id, movie_id))

    def put_movie(self, movie: Movie) -> Future[bool]:
        """Store a movie, in place of what stood under its id; ``True`` if it is new."""
        return self._write(partial(operations.put_movie, movie))

    def delete_movie(self, movie_id: str) -> Future[bool]:
        """Remove a movie, and its ratings as tombstones; ``False`` if there was none."""
        return self._write(partial(operations.delete_movie, movie_id), alone=True)

    def put_user(self, user: User) -> Future[bool]:
        """Store a user's attributes, in place of those before; ``True`` if the user is new."""
        return self._write(partial(operations.put_user, user))

    def erase_user(self, user_id: str) -> Future[Erasure | None]:
        """Remove a user and everything that names them: see ``Store.erase_user``."""
        return self._write(partial(operations.erase_user, user_id), alone=True)

    def restore(self, parts: Iterable[Part], *, force: bool = False) -> Future[int]:
        """Put the parts of a ``dump`` in place of all there is: see ``Store.restore``."""
        return self._write(partial(replace_all, parts, force=force), alone=True)

    def put_job(self, job_id: str, document: Mapping[str, JSON]) -> Future[None]:
        """Keep a document about an import: see ``Store.put_job``."""
        return self._write(partial(operations.put_job, job_id, document))

    def set_fact(self, name: str, value: str | None) -> Future[None]:
        """Keep a text about the data under a name; ``None`` forgets it."""
        return self._write(partial(operations.set_fact, name, value))

    def import_dataset(
        self,
        ratings_frame: pl.DataFrame,
        movies_frame: pl.DataFrame | None = None,
        users_frame: pl.DataFrame | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> ImportReport:
        """Store a whole data set in one transaction: see ``Store.import_dataset``."""
        bulk = PostgresImport(prepare(ratings_frame, movies_frame, users_frame), progress)
        future = self._write(lambda: bulk, alone=True)
        try:
            return future.result()
        except BaseException:
            bulk.abandoned.set()  # whoever interrupts the waiting means the import as well
            raise

    def import_chunks(
        self,
        chunks: Iterator[Chunk],
        *,
        atomic: bool,
        job: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> ImportReport:
        """Store chunk by chunk: see ``Store.import_chunks``."""

        def submit(operation: Callable[[Any], T]) -> Future[T]:
            return self._write(lambda: operation, alone=True)

        return import_chunks(
            submit, chunks, atomic=atomic, job=job, progress=progress, make=chunks_operation
        )

    # ----- reads -----

    def _rows(
        self, query: Select[*tuple[Any, ...]], *asked: str | None
    ) -> list[Row[*tuple[Any, ...]]]:
        """Return all rows; once more if the connection was a dead one from the pool."""
        try:
            return self._rows_once(query, *asked)
        except StoreError as error:
            cause = error.__cause__
            if not (isinstance(cause, exc.DBAPIError) and cause.connection_invalidated):
                raise
        return self._rows_once(query, *asked)

    def _rows_once(
        self, query: Select[*tuple[Any, ...]], *asked: str | None
    ) -> list[Row[*tuple[Any, ...]]]:
        if not all(text is None or storable(text) for text in asked):
            return []
        with self.reading() as connection:
            plain: Any = connection.connection.driver_connection
            # The server has limits of its own; this is for one that has fallen silent.
            with self._watch.deadline(plain, _READ_PATIENCE):
                return list(connection.execute(query))

    @contextmanager
    def _reading_at_length(self) -> Iterator[Connection]:
        """Lend a connection for a transaction that reads whole tables."""
        with self.reading() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            yield connection

    def export(self, kind: Literal["ratings", "movies", "users"]) -> Iterator[pl.DataFrame]:
        """Yield all live ratings, movies or users: see ``Store.export``."""
        with self._reading_at_length() as connection:
            yield from exported(connection, kind)

    def dump(self) -> Generator[Part]:
        """Yield all rows of all tables as they are: see ``Store.dump``."""
        with self._reading_at_length() as connection:
            yield from dumped(connection)

    def snapshot(self) -> Snapshot:
        """Return all live ratings and the version they stand at, as one consistent read."""
        with self._reading_at_length() as connection:
            return read_snapshot(connection)

    def on_change(self, callback: Callable[[bool], None]) -> Callable[[], None]:
        """Call back when another process has committed: see ``Store.on_change``."""
        return self._listener.add(callback) if self._listener is not None else lambda: None

    # ----- life -----

    def writer_state(self) -> WriterState:
        """Return how the writing side is doing."""
        if self._writer is None:
            return WriterState(0, 0, 0, "The store is opened for reading only.")
        return self._writer.state()

    def close(self) -> None:
        """Finish the writes that wait, then let go of the database; again is harmless."""
        self._open = False
        if self._listener is not None:
            self._listener.close()
        if self._writer is not None:
            self._writer.close()
        self._engine.dispose()
        self._watch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _write(self, make: Callable[[], Callable[..., T]], *, alone: bool = False) -> Future[T]:
        """Make an operation and queue it; whatever fails, the future says so."""
        try:
            if self._writer is None:
                raise StoreReadOnly("The store is opened for reading only.")
            return self._writer.submit(make(), alone=alone)
        except StoreError as error:
            failed: Future[T] = Future()
            failed.set_exception(error)
            return failed
