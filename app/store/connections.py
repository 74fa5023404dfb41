"""How connections to the SQLite file are opened: one that writes, many that only read.

SQLite before 3.51.3 can lose committed rows when several connections write to, or checkpoint, one
WAL. Therefore exactly one connection of exactly one process does either; all others are opened
``mode=ro``, which cannot checkpoint, not even when the last of them closes.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import Engine, NullPool, QueuePool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.store.errors import UnsupportedDatabase

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

DEFAULT_NAME = "projectionist.sqlite"
WAL_PAGES = 1000
"""The writer checkpoints when the WAL holds this many pages (of 4 KiB)."""
WAL_LIMIT = 16 * 2**20
"""Beyond this size, in bytes, the writer insists (``Writer``), and the file is cut back to it."""
READERS = 8
MORE_READERS = 56  # for a moment of many requests: an idle one of these is closed again


def database_path(url: str | None, data_dir: Path) -> Path:
    """Return the file that an URL means, or the default one in the data directory.

    Raises
    ------
    UnsupportedDatabase
        If the URL is none of a SQLite file. The message never repeats the URL: it may hold a
        password.
    """
    if not url:
        return Path(os.path.realpath(data_dir / DEFAULT_NAME))  # a loop is an OSError later
    wanted = "sqlite:///relative/path.sqlite or sqlite:////absolute/path.sqlite"
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except ArgumentError:
        raise UnsupportedDatabase(
            f"The database URL cannot be understood; write it as {wanted}."
        ) from None
    if backend != "sqlite" or parsed.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise UnsupportedDatabase(
            f"Projectionist stores in SQLite or PostgreSQL; it found an URL for "
            f"{parsed.drivername!r}. Write it as {wanted}, or postgresql://user:password@host/name."
        )
    if parsed.host or parsed.username or parsed.query:
        raise UnsupportedDatabase(f"A SQLite URL holds a path and nothing else: {wanted}.")
    if parsed.database in {None, "", ":memory:"} or str(parsed.database).startswith("file:"):
        raise UnsupportedDatabase(f"Ratings must outlive the process; name a file: {wanted}.")
    return Path(os.path.realpath(str(parsed.database)))


def connect_writer(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """Open the connection that writes; transactions are begun and ended by hand.

    Parameters
    ----------
    path
        The database; created if it is not there.
    busy_timeout
        Seconds to wait for a lock that another connection holds.
    """
    connection = sqlite3.connect(
        path, timeout=busy_timeout, isolation_level=None, check_same_thread=False
    )
    try:
        _use_wal(connection, path)
        # FULL: the commit returns after fsync. NORMAL lost acknowledged rows in power cuts.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's own cache
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
        # What is deleted is overwritten with zeros, so that an erased user is not in free pages.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA cache_size = -65536")  # KiB
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection, path: Path) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise UnsupportedDatabase(
            f"The file system of {path} does not support SQLite's write-ahead log "
            f"(journal mode {mode!r}); put the database on a local disk."
        )


def reading_engine(path: Path, busy_timeout: float) -> Engine:
    """Return a pool of connections that can only read.

    Each ``with engine.connect()`` is one transaction, hence one consistent state, and ends with it.
    """

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro",
            uri=True,
            timeout=busy_timeout,
            isolation_level=None,
            check_same_thread=False,
        )

    engine = create_engine(
        "sqlite+pysqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=READERS,
        max_overflow=MORE_READERS,
        pool_timeout=busy_timeout,
    )

    @event.listens_for(engine, "connect")
    def only_read(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA query_only = ON")

    _begin_with(engine, "BEGIN")
    return engine


def migrating_engine(connect: Callable[[], sqlite3.Connection]) -> Engine:
    """Return an engine whose transactions hold the write lock from their first statement.

    A deferred ``BEGIN`` that becomes a write later gets ``SQLITE_BUSY`` at once, whatever the busy
    timeout.
    """
    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)
    _begin_with(engine, "BEGIN IMMEDIATE")
    return engine


def _begin_with(engine: Engine, statement: str) -> None:
    """Begin transactions ourselves: ``sqlite3`` would begin them late, and none for reads."""

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)
