"""Which back-end an URL means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.store.errors import UnsupportedDatabase
from app.store.sqlite import open_sqlite

if TYPE_CHECKING:
    from pathlib import Path

    from app.store.interface import Store


def open_store(
    url: str | None,
    data_dir: Path | str,
    *,
    exclusive: bool = True,
    read_only: bool = False,
    busy_timeout: float | None = None,
) -> Store:
    """Open the store that an URL names; migrate it first if need be.

    Parameters
    ----------
    url
        ``postgresql://user:password@host:port/database``, or ``sqlite:///relative/path`` (to the
        working directory) or ``sqlite:////absolute/path``; ``None`` for ``projectionist.sqlite`` in
        the data directory. A file is created if it is not there, a PostgreSQL database is not.
    data_dir
        The data directory; only used when ``url`` is ``None``.
    exclusive
        ``False`` asks for a store that other processes write to as well. SQLite is none;
        PostgreSQL always is one.
    read_only
        ``True`` opens it beside a process that writes, or without one, and changes nothing: every
        write gets ``StoreReadOnly``.
    busy_timeout
        Seconds to wait for a lock that another connection holds; ``None`` for as long as suits
        the back-end.

    Raises
    ------
    UnsupportedDatabase
        If the URL is of neither, what is there is none of ours, or SQLite is to be shared.
    StoreInUse
        If another process holds the SQLite file.
    SchemaTooNew
        If a newer version wrote it.
    DatabaseNotFound, SchemaTooOld
        If ``read_only`` and there is nothing to read yet.
    StoreUnavailable
        If the disk, a lock or the server does not allow it now.
    """
    if url is not None and url.startswith("postgres"):
        try:
            from app.store.postgres.opening import open_postgres
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] != "psycopg":
                raise
            raise UnsupportedDatabase(
                "To store in PostgreSQL, install what it needs: "
                "pip install 'projectionist[postgres]'."
            ) from error
        return open_postgres(url, read_only=read_only, busy_timeout=busy_timeout)
    return open_sqlite(
        url, data_dir, exclusive=exclusive, read_only=read_only, busy_timeout=busy_timeout
    )
