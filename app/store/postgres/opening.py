"""Which PostgreSQL databases are opened, and how: the migrations first, one process at a time."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import exc, inspect

from app.store.errors import DatabaseNotFound, unavailable
from app.store.postgres.connecting import Address, migrating_engine, milliseconds, reading_engine
from app.store.postgres.link import Watch
from app.store.postgres.listening import Listener
from app.store.postgres.store import PostgresStore
from app.store.postgres.writer import PostgresWriter
from app.store.schema import migrate, require_current

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.store.interface import Store

BUSY_TIMEOUT = 0.9
"""Seconds to wait for a lock that another connection holds, then ``StoreUnavailable``: with the
answer of the network, whoever writes hears within two."""
_GRACE_SECONDS = 0.6
"""How much longer a silent server is waited for than one that says why it waits."""
_MIGRATION_LOCK = 0x70726F6A  # "proj": the same in every process, and nobody else's


def open_postgres(url: str, *, read_only: bool = False, busy_timeout: float | None = None) -> Store:
    """Open the store in a PostgreSQL database; migrate it first if need be.

    Parameters
    ----------
    url
        ``postgresql://user:password@host:port/database``, as libpq takes it.
    read_only
        ``True`` changes nothing: every write gets ``StoreReadOnly``.
    busy_timeout
        Seconds to wait for a lock that another connection holds.

    Raises
    ------
    UnsupportedDatabase
        If the URL cannot be understood, or the database holds something else.
    SchemaTooNew
        If a newer version wrote it.
    DatabaseNotFound, SchemaTooOld
        If ``read_only`` and there is nothing to read yet.
    StoreUnavailable
        If the server is not there, or does not let us in. No message holds the password.
    """
    address = Address.of(url)
    patience = BUSY_TIMEOUT if busy_timeout is None else busy_timeout
    try:
        if read_only:
            return _open_for_reading(address, patience)
        return _open_for_writing(address, patience)
    except (exc.DBAPIError, psycopg.Error, OSError) as error:
        raise unavailable(error, "opening") from error


def _open_for_reading(address: Address, patience: float) -> PostgresStore:
    engine = reading_engine(address, patience)
    try:
        with engine.connect() as connection:
            _require_tables(connection)
            require_current(connection)
    except BaseException:
        engine.dispose()
        raise
    return PostgresStore(engine, Watch())


def _require_tables(connection: Connection) -> None:
    if not inspect(connection).get_table_names():
        raise DatabaseNotFound("There is nothing in the database yet; import something first.")


def _open_for_writing(address: Address, patience: float) -> PostgresStore:
    with migrating_engine(address).begin() as connection:
        # Whoever comes second waits here, and finds the tables as the first has left them.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        migrate(connection)
    who = secrets.token_hex(8)
    connect = partial(
        address.connect,
        synchronous_commit="on",
        lock_timeout=milliseconds(patience),
        statement_timeout=milliseconds(patience + _GRACE_SECONDS / 2),
    )
    watch = Watch()
    try:
        writer = PostgresWriter(connect, who, patience + _GRACE_SECONDS, watch)
    except BaseException:
        watch.close()
        raise
    return PostgresStore(
        reading_engine(address, patience), watch, writer, Listener(address.connect, who)
    )
