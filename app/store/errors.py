"""Every way the store can say no.

::

    StoreError
    ├── InvalidRecord (InvalidInputError)   a record that must not be stored: id, rating, time, text
    ├── MovieNotFound                       a rating for a movie that is not in the catalogue
    ├── KeyReused                           an idempotency key that came with other ratings before
    ├── StoreUnavailable                    not now, perhaps later: disk full, I/O error, locked
    │   ├── StoreOverloaded                 more writes are waiting than the queue holds
    │   └── StoreClosed                     asked after ``close()``
    ├── StoreInUse                          another process holds the file
    ├── StoreNotEmpty                       a backup would take the place of what is stored
    ├── StoreReadOnly                       a write to a store opened for reading
    ├── DatabaseNotFound                    opened for reading, and there is nothing to read
    ├── UnsupportedDatabase                 an URL, or a file, that this version does not store in
    ├── SchemaTooNew                        written by a newer version of Projectionist
    └── SchemaTooOld                        opened for reading before anybody migrated it

The service turns them into HTTP answers in ``app/problems.py``: ``StoreUnavailable`` is the one
that a client should try again.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import exc

from recommender.errors import InvalidInputError


class StoreError(Exception):
    """The root of the family: catch this to catch all of it."""


# The names say the state that was found, as the interface between the parts fixed them; the
# suffix that N818 asks for would add nothing to `except StoreUnavailable`.
class InvalidRecord(StoreError, InvalidInputError):  # noqa: N818
    """A record that must not be stored; the message says which part of it and what is allowed."""


class MovieNotFound(StoreError):  # noqa: N818
    """A rating for a movie that is not in the catalogue.

    Parameters
    ----------
    movie_id
        The id that was asked for; kept as an attribute of the same name.
    """

    def __init__(self, movie_id: str) -> None:
        self.movie_id = movie_id
        super().__init__(movie_id)

    def __str__(self) -> str:
        """Return the sentence; ``args`` holds the id alone, so that the error can be pickled."""
        return f"No movie {self.movie_id!r} is in the catalogue; add it before it is rated."


class KeyReused(StoreError):  # noqa: N818
    """The same idempotency key was given with other ratings within a day."""


class StoreUnavailable(StoreError):  # noqa: N818
    """The database cannot do it now; nothing was acknowledged, and a later try may succeed."""


class StoreOverloaded(StoreUnavailable):
    """More writes are waiting than the queue holds."""


class StoreClosed(StoreUnavailable):
    """Something was asked of a store after it was closed."""


class StoreInUse(StoreError):  # noqa: N818
    """Another process holds the SQLite file; the message names it as far as it is known."""


class StoreNotEmpty(StoreError):  # noqa: N818
    """A backup would take the place of what is stored, and nobody said that it may."""


class StoreReadOnly(StoreError):  # noqa: N818
    """A write was asked of a store that was opened for reading."""


class DatabaseNotFound(StoreError):  # noqa: N818
    """A store was opened for reading and there is no database."""


class UnsupportedDatabase(StoreError):  # noqa: N818
    """An URL, or a file, that this version of Projectionist does not store in."""


class SchemaTooNew(StoreError):  # noqa: N818
    """The database was written by a newer version of Projectionist."""


class SchemaTooOld(StoreError):  # noqa: N818
    """The database waits for a migration, and a reader must not do it."""


def unavailable(error: Exception, doing: str) -> StoreUnavailable:
    """Say in our words why the database could not do something.

    Parameters
    ----------
    error
        What the database's driver, or SQLAlchemy on its behalf, raised.
    doing
        What was being done, as ``"storing"``, for the message.
    """
    cause = error.orig if isinstance(error, exc.DBAPIError) and error.orig else error
    if isinstance(error, StoreUnavailable):
        return type(error)(str(error))
    if isinstance(error, exc.TimeoutError):
        return StoreUnavailable(f"The database is busy: no connection was free for {doing}.")
    reason = str(cause)
    name = getattr(cause, "sqlite_errorname", "")
    if type(cause).__module__.partition(".")[0] == "psycopg":
        reason = _postgres_reason(cause)
    elif name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        reason = "another connection holds its lock"
    elif name.startswith("SQLITE_FULL"):
        reason = "the disk is full"
    elif name.startswith("SQLITE_IOERR"):
        reason = f"reading or writing its file failed ({reason})"
    elif not isinstance(cause, sqlite3.Error | OSError):
        reason = f"{type(cause).__name__}: {reason}"
    return StoreUnavailable(f"The database is not available for {doing}: {reason}.")


_POSTGRES_REASONS = {  # by SQLSTATE, or its class
    "55P03": "another connection holds its lock",
    "40P01": "another connection holds its lock",
    "57014": "it took too long",
    "25P03": "it took too long",
    "53300": "it takes no more connections",
    "53100": "its disk is full",
    "57P03": "it is starting up or shutting down",
    "57P": "it was shut down, or ended the connection",
    "25006": "it takes no writes (a standby, or a database set to read-only)",
    "28": "it does not let us in; look at the user and the password in the URL",
    "3D": "it has no database of that name; create it, or look at the URL",
    "42501": "the user lacks a right there; let it own the database",
}


def _postgres_reason(cause: BaseException) -> str:
    """Say what PostgreSQL said: in our words where they are known, else its first line.

    No line of it holds the password: the server is never told it in clear, and the client library
    names host, port, user and database only.
    """
    state = getattr(cause, "sqlstate", None) or ""
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    text = next((line for line in lines if "FATAL:" in line), lines[0])
    for said, state_of_fatal in _FATAL.items():
        if not state and all(part in text for part in said.split("…")):
            state = state_of_fatal
    for code, reason in _POSTGRES_REASONS.items():
        if state.startswith(code):
            return reason
    return text


# A refused connection carries no SQLSTATE, only the server's words.
_FATAL = {
    "too many clients": "53300",
    "remaining connection slots": "53300",
    "too many connections": "53300",
    "password authentication failed": "28P01",
    "no password supplied": "28P01",
    'database "…" does not exist': "3D000",
    "no pg_hba.conf entry": "28000",
    "authentication failed": "28000",
    "starting up": "57P03",
    "shutting down": "57P03",
    "in recovery mode": "57P03",
    "not yet accepting connections": "57P03",
}
