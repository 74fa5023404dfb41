"""All ratings as one frame: the twin of ``app.store.snapshots``, which takes the texts apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.store.snapshots import collect

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.store.records import Snapshot

# In the order of the key no sorting is needed, and the memory of a group is that of one user.
_SETTINGS = (
    "SET LOCAL enable_hashagg = off",
    "SET LOCAL work_mem = '64MB'",
)
_BY_USER = """
    SELECT user_id, string_agg(movie_id, chr(31)), string_agg(rating::text, chr(31)),
           string_agg(rated_at::text, chr(31))
    FROM ratings WHERE rating IS NOT NULL GROUP BY user_id ORDER BY user_id
"""
_USERS_AT_ONCE = 1000


def read_snapshot(connection: Connection) -> Snapshot:
    """Return all live ratings and their version.

    Parameters
    ----------
    connection
        One on which a transaction sees one consistent state.
    """
    for setting in _SETTINGS:
        connection.exec_driver_sql(setting)
    watermark = int(connection.exec_driver_sql("SELECT version FROM progress").scalar_one())
    streaming = connection.execution_options(stream_results=True, max_row_buffer=_USERS_AT_ONCE)
    found = streaming.exec_driver_sql(_BY_USER)
    return collect(iter(lambda: found.fetchmany(_USERS_AT_ONCE), []), watermark)
