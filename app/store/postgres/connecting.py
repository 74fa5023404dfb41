"""How connections to PostgreSQL are opened, and what each of them is told at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import Engine, NullPool, QueuePool, create_engine, event

from app.store.errors import UnsupportedDatabase

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

READERS = 8
MORE_READERS = 16
"""For a moment of many requests: an idle one of these is closed again. A server takes 100 in all,
and several processes share them."""

CONNECT_SECONDS = 2
"""The least that libpq can be asked to wait for."""
READ_SECONDS = 10.0
"""A read that takes longer is ended by the server; whole-table reads ask for more."""
_TELL = (
    "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS s (name, value)"
)
_WANTED = "postgresql://user:password@host:5432/database"


@dataclass(frozen=True)
class Address:
    """Where the database is. Its ``repr`` does not show the URL, which may hold a password.

    Parameters
    ----------
    url
        As libpq takes it.
    """

    url: str

    def __repr__(self) -> str:
        return "Address(…)"

    @classmethod
    def of(cls, url: str) -> Address:
        """Check an URL as a user writes it.

        Raises
        ------
        UnsupportedDatabase
            If it names another driver, or cannot be understood; the message never repeats it.
        """
        scheme, found, rest = url.partition("://")
        if scheme not in {"postgresql", "postgres", "postgresql+psycopg"} or not found:
            raise UnsupportedDatabase(
                f"PostgreSQL is spoken to through psycopg; write the URL as {_WANTED}."
            )
        address = cls(f"postgresql://{rest}")
        try:
            told = psycopg.conninfo.conninfo_to_dict(address.url)
            for port in str(told.get("port") or "5432").split(","):
                int(port)
        except (psycopg.Error, ValueError):
            raise UnsupportedDatabase(
                f"The database URL cannot be understood; write it as {_WANTED}, with special "
                "characters in user or password percent-encoded."
            ) from None
        return address

    def connect(self, **settings: str) -> psycopg.Connection:
        """Open a connection that is in no transaction, and tell the server these settings.

        Raises
        ------
        psycopg.OperationalError
            If the server is not there, or does not let us in.
        """
        connection = psycopg.connect(
            self.url,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            fallback_application_name="projectionist",
            client_encoding="utf8",
            # Whoever does not answer is gone: a cable, a firewall, a machine switched off.
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=5000,
        )
        try:
            told = {"idle_in_transaction_session_timeout": "60s", **settings}
            connection.execute(_TELL, (list(told), list(told.values())))
        except BaseException:
            connection.close()
            raise
        return connection


def milliseconds(seconds: float) -> str:
    """Return a time as the server's settings take it; 0 would mean "for ever".

    >>> milliseconds(0.9)
    '900ms'
    """
    return f"{max(int(seconds * 1000), 1)}ms"


def reading_engine(address: Address, pool_seconds: float) -> Engine:
    """Return a pool of connections that can only read, each transaction one consistent state.

    Parameters
    ----------
    address
        Where the database is.
    pool_seconds
        How long to wait for a free one.
    """

    def connect() -> psycopg.Connection:
        connection = address.connect(
            default_transaction_read_only="on",
            default_transaction_isolation="repeatable read",
            statement_timeout=milliseconds(READ_SECONDS),
        )
        connection.autocommit = False
        return connection

    return create_engine(
        "postgresql+psycopg://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=READERS,
        max_overflow=MORE_READERS,
        pool_timeout=pool_seconds,
        use_native_hstore=False,
    )


def migrating_engine(address: Address) -> Engine:
    """Return an engine whose transactions wait for their turn: one process migrates at a time."""

    def connect() -> psycopg.Connection:
        connection = address.connect(lock_timeout="30s")
        connection.autocommit = False
        return connection

    engine = create_engine(
        "postgresql+psycopg://", creator=connect, poolclass=NullPool, use_native_hstore=False
    )

    @event.listens_for(engine, "connect")
    def _refuse_other_encodings(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = "
                       "current_database()")  # fmt: skip
        row = cursor.fetchone()
        connection.rollback()
        if row is None or row[0] != "UTF8":
            raise UnsupportedDatabase(
                f"The database is encoded in {row[0] if row else '?'}, which cannot keep every "
                "title; create one with ENCODING 'UTF8'."
            )

    return engine
