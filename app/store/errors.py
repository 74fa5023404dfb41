"""Every way the store can say no.

::

    StoreError
    ├── InvalidRecord (InvalidInputError)   a record that must not be stored: id, rating, time, text
    ├── MovieNotFound                       a rating for a movie that is not in the catalogue
    ├── StoreUnavailable                    not now, perhaps later: disk full, I/O error, locked
    │   ├── StoreOverloaded                 more writes are waiting than the queue holds
    │   └── StoreClosed                     asked after ``close()``
    ├── StoreInUse                          another process holds the file
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


class StoreUnavailable(StoreError):  # noqa: N818
    """The database cannot do it now; nothing was acknowledged, and a later try may succeed."""


class StoreOverloaded(StoreUnavailable):
    """More writes are waiting than the queue holds."""


class StoreClosed(StoreUnavailable):
    """Something was asked of a store after it was closed."""


class StoreInUse(StoreError):  # noqa: N818
    """Another process holds the SQLite file; the message names it as far as it is known."""


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
        What SQLite, or SQLAlchemy on its behalf, raised.
    doing
        What was being done, as ``"storing"``, for the message.
    """
    cause = error.orig if isinstance(error, exc.DBAPIError) and error.orig else error
    if isinstance(error, exc.TimeoutError):
        return StoreUnavailable(f"The database is busy: no connection was free for {doing}.")
    reason = str(cause)
    name = getattr(cause, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        reason = "another connection holds its lock"
    elif name.startswith("SQLITE_FULL"):
        reason = "the disk is full"
    elif name.startswith("SQLITE_IOERR"):
        reason = f"reading or writing its file failed ({reason})"
    elif not isinstance(cause, sqlite3.Error | OSError):
        reason = f"{type(cause).__name__}: {reason}"
    return StoreUnavailable(f"The database is not available for {doing}: {reason}.")
