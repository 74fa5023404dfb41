"""The one thread, with the one connection, that writes.

It takes all operations that wait, up to ``GROUP``, as one transaction: ``BEGIN IMMEDIATE``, each
operation in a savepoint of its own, ``COMMIT`` with fsync, and only then the answers. One fsync for
many ratings is what makes ``synchronous=FULL`` affordable.

If the transaction fails, all its operations fail with ``StoreUnavailable``, the connection is
thrown away, and the next group begins with a new one: nothing needs a restart to heal.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from app.store.connections import WAL_LIMIT
from app.store.errors import InvalidRecord, StoreClosed, StoreOverloaded, unavailable
from app.store.operations import Transaction
from app.store.records import WriterState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

GROUP = 256
"""At most this many operations share a transaction."""
WAITING = 8192
"""At most this many operations wait; one more gets ``StoreOverloaded``."""
CHECKPOINT_PATIENCE = 50
"""Milliseconds that a checkpoint waits for readers, while all writes wait for it."""


@dataclass(frozen=True, slots=True)
class _Job:
    operation: Callable[[Transaction], Any]
    future: Future[Any]
    alone: bool


class Writer:
    """Applies operations in the order in which they were submitted.

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
        self._waiting = waiting
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._commits = 0
        self._operations = 0
        self._problem: str | None = None
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Callable[[Transaction], T], *, alone: bool = False) -> Future[T]:
        """Queue an operation; the future is resolved after the commit that contains it.

        Parameters
        ----------
        operation
            Changes the database through the transaction it is given. An exception that it raises,
            or a constraint that it violates, fails this operation and no other.
        alone
            ``True`` gives it a transaction of its own: for long work.
        """
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                future.set_exception(StoreClosed("The store is closed."))
            elif len(self._jobs) >= self._waiting:
                future.set_exception(
                    StoreOverloaded(f"{self._waiting} writes are waiting already; try again later.")
                )
            else:
                self._jobs.append(_Job(operation, future, alone))
                self._changed.notify()
        return future

    def state(self) -> WriterState:
        """Return how it goes."""
        return WriterState(self._commits, self._operations, len(self._jobs), self._problem)

    def close(self) -> None:
        """Finish what waits, checkpoint, close the connection; again is harmless."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    # ----- the thread -----

    def _work(self) -> None:
        while group := self._next_group():
            # From here on nobody can cancel them; who did so before is not written.
            group = [job for job in group if job.future.set_running_or_notify_cancel()]
            if group:
                self._run(group)
                self._bound_wal()
        self._drop_connection()

    def _next_group(self) -> list[_Job]:
        """Wait for work and return it in order; nothing once all is done and the store closed."""
        group: list[_Job] = []
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            while self._jobs and len(group) < GROUP and not (group and self._jobs[0].alone):
                group.append(self._jobs.popleft())
                if group[-1].alone:
                    break
        return group

    def _run(self, group: list[_Job]) -> None:
        """Commit the group, then answer: the results and errors of each, or one error for all."""
        try:
            outcomes = self._commit(group)
        except Exception as error:  # the thread must outlive whatever it meets
            self._drop_connection()
            self._problem = str(unavailable(error, "storing"))
            for job in group:
                # One each: threads that raise the same exception would share its traceback.
                unstored = unavailable(error, "storing")
                unstored.__cause__ = error
                job.future.set_exception(unstored)
            return
        self._problem = None
        self._commits += 1
        self._operations += sum(failure is None for _, failure in outcomes)
        for job, (result, failure) in zip(group, outcomes, strict=True):
            if failure is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(failure)

    def _commit(self, group: list[_Job]) -> list[tuple[Any, Exception | None]]:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.execute("BEGIN IMMEDIATE")
        transaction = Transaction(self._connection)
        outcomes = [_apply(job.operation, transaction) for job in group]
        transaction.save()
        self._connection.execute("COMMIT")
        return outcomes

    def _drop_connection(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _bound_wal(self) -> None:
        """Cut the WAL back once readers have kept the usual checkpoints from doing so.

        SQLite's own checkpoint, after a commit, never waits: under readers that overlap without a
        gap it does not get to start the WAL afresh. This one waits for them, but not long; behind a
        reader that takes longer it tries again when the WAL has grown by the limit once more.
        """
        try:
            size = self._wal.stat().st_size
        except OSError:
            return
        connection = self._connection
        if size <= self._wal_limit or connection is None:
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


def _apply(
    operation: Callable[[Transaction], Any], transaction: Transaction
) -> tuple[Any, Exception | None]:
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
