"""Which revision of the tables a database has, and the way to the newest one.

Alembic does the migrations, but takes a third of a second to import: a database that is up to date
is recognised without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from app.store.errors import SchemaTooNew, SchemaTooOld, UnsupportedDatabase

if TYPE_CHECKING:
    from sqlalchemy import Connection

REVISIONS = ("0001", "0002", "0003")
"""Every revision this version knows, oldest first; the last is the one it works with."""

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(connection: Connection) -> None:
    """Bring the tables to the newest revision, all in the connection's one transaction.

    The caller holds the lock that keeps other processes out, and commits.

    Raises
    ------
    SchemaTooNew
        If the database has a revision that this version does not know.
    UnsupportedDatabase
        If the database holds tables of something else.
    """
    if _known_revision(connection) == REVISIONS[-1]:
        return
    # Here and not above: see the module's docstring.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")


def require_current(connection: Connection) -> None:
    """Raise unless the tables have the newest revision: for a reader, which must not migrate."""
    if _known_revision(connection) != REVISIONS[-1]:
        raise SchemaTooOld(
            "The database waits for a migration. Start the server once, or import something: "
            "whoever writes to it migrates it first."
        )


def _known_revision(connection: Connection) -> str | None:
    """Return the revision of the database, ``None`` for an empty one."""
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        if tables:
            raise UnsupportedDatabase(
                f"The database belongs to something else: it has the tables "
                f"{', '.join(sorted(tables)[:5])}, and no revision of Projectionist's. "
                "Choose another file."
            )
        return None
    revision: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar()
    if revision is not None and revision not in REVISIONS:
        raise SchemaTooNew(
            f"The database has schema revision {revision!r}; this version of Projectionist knows "
            f"none newer than {REVISIONS[-1]!r}. Use the version that wrote it, or a later one."
        )
    return revision
