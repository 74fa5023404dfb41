"""The one thread, with the one connection, that writes.

A group of operations (``grouping``) is one transaction: ``BEGIN IMMEDIATE``, each operation in a
savepoint of its own, ``COMMIT`` with fsync, and only then the answers.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

from app.store.connections import WAL_LIMIT
from app.store.errors import InvalidRecord
from app.store.grouping import GROUP, WAITING, GroupWriter, Job, Outcome
from app.store.operations import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["GROUP", "WAITING", "Writer"]

CHECKPOINT_PATIENCE = 50
"""Milliseconds that a checkpoint waits for readers, while all writes wait for it."""


class Writer(GroupWriter[Transaction]):
    """Writes to one SQLite file.

    Parameters
    ----------
    path
        The database, for the size of its WAL.
    connect
        Opens the connection that writes; called again after each failed transaction.
    waiting
        How many operations may wait.

    Raises
    ------
    sqlite3.Error
        If the first connection cannot be opened.
    """

    def __init__(
        self, path: Path, connect: Callable[[], sqlite3.Connection], waiting: int = WAITING
    ) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = connect()
        self._wal = path.with_name(f"{path.name}-wal")
        self._wal_limit = WAL_LIMIT
        self._shred = False  # whether the WAL still holds what was erased
        super().__init__(waiting)

    def _commit(self, group: list[Job[Transaction]]) -> list[Outcome]:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.execute("BEGIN IMMEDIATE")
        transaction = Transaction(self._connection)
        outcomes = [_apply(job.operation, transaction) for job in group]
        transaction.save()
        self._connection.execute("COMMIT")
        self._shred |= transaction.shred
        return outcomes

    def _drop_connection(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _after_group(self) -> None:
        """Cut the WAL back once readers have kept the usual checkpoints from doing so.

        SQLite's own checkpoint, after a commit, never waits: under readers that overlap without a
        gap it does not get to start the WAL afresh. This one waits for them, but not long; behind a
        reader that takes longer it tries again when the WAL has grown by the limit once more.

        After an erasure it is cut back at once, or after the first commit that no reader is in the
        way of: its old pages hold what was erased.
        """
        try:
            size = self._wal.stat().st_size
        except OSError:
            return
        connection = self._connection
        if connection is None or (size <= self._wal_limit and not self._shred):
            return
        try:
            (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
            connection.execute(f"PRAGMA busy_timeout = {CHECKPOINT_PATIENCE}")
            blocked, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            connection.execute(f"PRAGMA busy_timeout = {patience}")
        except sqlite3.Error:
            self._drop_connection()  # what was committed is safe in the WAL; begin anew
            blocked = True
        self._wal_limit = size + WAL_LIMIT if blocked else WAL_LIMIT
        self._shred &= bool(blocked)


def _apply(operation: Callable[[Transaction], Any], transaction: Transaction) -> Outcome:
    """Run one operation; take back all of it if it fails, so that its group can go on.

    Raises
    ------
    sqlite3.Error
        If the database itself failed: disk full, I/O error. Then the whole transaction is lost.
    """
    execute = transaction.connection.execute
    mark = transaction.mark()
    execute("SAVEPOINT operation")
    try:
        result = operation(transaction)
    except sqlite3.IntegrityError as error:
        failure: Exception = InvalidRecord(f"The database refused the record: {error}.")
    except sqlite3.Error:
        raise
    except Exception as error:  # whatever it is belongs to who asked for it
        failure = error
    else:
        execute("RELEASE operation")
        return result, None
    execute("ROLLBACK TO operation")
    execute("RELEASE operation")
    transaction.reset(mark)
    return None, failure
