"""The store in one SQLite file: reads from ``queries``, writes through ``writer``.

One process writes, and it holds the lock file beside the database for as long. Others may read.
"""

from __future__ import annotations

import sqlite3
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import exc

from app.store import answers, jobs, operations
from app.store.bulk_import import BulkImport, prepare
from app.store.chunk_import import import_chunks
from app.store.connections import (
    connect_writer,
    database_path,
    migrating_engine,
    reading_engine,
)
from app.store.erasures import erase_user
from app.store.errors import (
    DatabaseNotFound,
    StoreError,
    StoreReadOnly,
    UnsupportedDatabase,
    unavailable,
)
from app.store.process_lock import ProcessLock
from app.store.queries import ReadingStore
from app.store.records import WriterState
from app.store.schema import migrate, require_current
from app.store.snapshots import read_snapshot
from app.store.whole import dumped, replace_all
from app.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
    from typing import Self

    import polars as pl
    from sqlalchemy import Engine

    from app.store.interface import Store
    from app.store.operations import Transaction
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

BUSY_TIMEOUT = 3.0
"""Seconds to wait for a lock that another connection holds, then ``StoreUnavailable``."""


def open_sqlite(
    url: str | None,
    data_dir: Path | str,
    *,
    exclusive: bool = True,
    read_only: bool = False,
    busy_timeout: float | None = None,
) -> Store:
    """Open the store in the file that an URL names; migrate it first if need be.

    Parameters
    ----------
    url
        ``sqlite:///relative/path`` (to the working directory) or ``sqlite:////absolute/path``;
        ``None`` for ``projectionist.sqlite`` in the data directory. Created if it is not there.
    data_dir
        The data directory; only used when ``url`` is ``None``.
    exclusive
        ``False`` asks for a store that other processes write to as well. SQLite is none.
    read_only
        ``True`` opens it beside a process that writes, or without one, and changes nothing: every
        write gets ``StoreReadOnly``. It neither needs nor takes the lock.
    busy_timeout
        Seconds to wait for a lock that another connection holds.

    Raises
    ------
    UnsupportedDatabase
        If the URL is not of SQLite, the file is none of ours, or ``exclusive`` is ``False``.
    StoreInUse
        If another process holds it.
    SchemaTooNew
        If a newer version wrote it.
    DatabaseNotFound, SchemaTooOld
        If ``read_only`` and there is nothing to read yet.
    StoreUnavailable
        If the disk or a lock does not allow it now.
    """
    path = database_path(url, Path(data_dir))
    if not exclusive and not read_only:
        raise UnsupportedDatabase(
            "SQLite means one server process, and several were asked for. "
            "Several need PostgreSQL (DATABASE_URL=postgresql://…); or start one."
        )
    patience = BUSY_TIMEOUT if busy_timeout is None else busy_timeout
    try:
        if read_only:
            return _open_for_reading(path, patience)
        return _open_for_writing(path, patience)
    except (exc.DBAPIError, sqlite3.Error, OSError) as error:
        cause = error.orig if isinstance(error, exc.DBAPIError) else error
        if getattr(cause, "sqlite_errorname", "") == "SQLITE_NOTADB":
            raise UnsupportedDatabase(f"{path} is not a SQLite database.") from error
        raise unavailable(error, f"opening {path}") from error


def _open_for_reading(path: Path, busy_timeout: float) -> SqliteStore:
    if not path.exists():
        raise DatabaseNotFound(f"There is no database at {path}; import something first.")
    engine = reading_engine(path, busy_timeout)
    try:
        with engine.connect() as connection:
            require_current(connection)
    except BaseException:
        engine.dispose()
        raise
    return SqliteStore(engine)


def _open_for_writing(path: Path, busy_timeout: float) -> SqliteStore:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = ProcessLock(path)
    try:
        plain = partial(sqlite3.connect, path, timeout=busy_timeout, isolation_level=None)
        with migrating_engine(plain).begin() as connection:
            migrate(connection)
        writer = Writer(path, partial(connect_writer, path, busy_timeout))
    except BaseException:
        lock.release()
        raise
    return SqliteStore(reading_engine(path, busy_timeout), writer, lock)


class SqliteStore(ReadingStore):
    """``Store`` in one SQLite file; made by ``open_sqlite``.

    Parameters
    ----------
    engine
        Connections that read the database, which is migrated already.
    writer, lock
        What makes it writable: without them it is read-only. The store closes both.
    """

    def __init__(
        self,
        engine: Engine,
        writer: Writer | None = None,
        lock: ProcessLock | None = None,
    ) -> None:
        super().__init__(engine)
        self._writer = writer
        self._lock = lock

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
        return self._write(partial(answers.put_ratings, rows, key, digest))

    def delete_rating(self, user_id: str, movie_id: str) -> Future[RatingRecord | None]:
        """Replace a rating by a tombstone with the next version; ``None`` if there was none."""
        return self._write(partial(operations.delete_rating, user_id, movie_id))

    def put_movie(self, movie: Movie) -> Future[bool]:
        """Store a movie, in place of what stood under its id; ``True`` if it is new."""
        return self._write(partial(operations.put_movie, movie))

    def delete_movie(self, movie_id: str) -> Future[bool]:
        """Remove a movie, and its ratings as tombstones; ``False`` if there was none."""
        return self._write(partial(operations.delete_movie, movie_id))

    def put_user(self, user: User) -> Future[bool]:
        """Store a user's attributes, in place of those before; ``True`` if the user is new."""
        return self._write(partial(operations.put_user, user))

    def erase_user(self, user_id: str) -> Future[Erasure | None]:
        """Remove a user and everything that names them: see ``Store.erase_user``."""
        return self._write(partial(erase_user, user_id))

    def restore(self, parts: Iterable[Part], *, force: bool = False) -> Future[int]:
        """Put the parts of a ``dump`` in place of all there is: see ``Store.restore``."""
        return self._write(partial(replace_all, parts, force=force), alone=True)

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
        bulk = BulkImport(prepare(ratings_frame, movies_frame, users_frame), progress)
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

        def submit(operation: Callable[[Transaction], T]) -> Future[T]:
            return self._write(lambda: operation, alone=True)

        return import_chunks(submit, chunks, atomic=atomic, job=job, progress=progress)

    def put_job(self, job_id: str, document: Mapping[str, JSON]) -> Future[None]:
        """Keep a document about an import: see ``Store.put_job``."""
        return self._write(partial(jobs.put_job, job_id, document))

    def dump(self) -> Generator[Part]:
        """Yield all rows of all tables as they are: see ``Store.dump``."""
        with self.reading() as connection:
            yield from dumped(connection)

    def snapshot(self) -> Snapshot:
        """Return all live ratings and the version they stand at, as one consistent read."""
        with self.reading() as connection:
            return read_snapshot(connection)

    def on_change(self, callback: Callable[[bool], None]) -> Callable[[], None]:  # noqa: ARG002
        """Never call back: no other process writes to the file. See ``Store.on_change``."""
        return lambda: None

    def writer_state(self) -> WriterState:
        """Return how the writing side is doing."""
        if self._writer is None:
            return WriterState(0, 0, 0, "The store is opened for reading only.")
        return self._writer.state()

    def close(self) -> None:
        """Finish the writes that wait, then let go of the database; again is harmless."""
        self._open = False
        self._engine.dispose()
        if self._writer is not None:
            self._writer.close()  # last, so that its checkpoint finds no reader of ours
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _write(
        self, make: Callable[[], Callable[[Transaction], T]], *, alone: bool = False
    ) -> Future[T]:
        """Make an operation and queue it; whatever fails, the future says so."""
        try:
            if self._writer is None:
                raise StoreReadOnly("The store is opened for reading only.")
            return self._writer.submit(make(), alone=alone)
        except StoreError as error:
            failed: Future[T] = Future()
            failed.set_exception(error)
            return failed
