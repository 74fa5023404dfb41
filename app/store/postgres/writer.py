"""The one thread of a process that writes, on PostgreSQL.

A group of operations (``app.store.grouping``) is one transaction of two round trips: take the turn
and read (``sheet``), write and commit. ``synchronous_commit`` is on: the answer to ``COMMIT`` comes
after the server's fsync, and only then are clients answered.

A connection that breaks **before** ``COMMIT`` was sent has certainly stored nothing, so the group
is tried once more on a new one. One that breaks later may have stored it: who asked gets
``StoreUnavailable`` and may repeat the request, which changes nothing if it was stored.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from app.store.errors import InvalidRecord
from app.store.grouping import WAITING, GroupWriter, Job, Outcome
from app.store.postgres.link import Link, Watch
from app.store.postgres.operations import OnSheet, Turn
from app.store.postgres.sheet import Sheet, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

# The server looked at a value and refused it: the operation that brought it is to blame.
_REFUSALS = (psycopg.IntegrityError, psycopg.DataError)


class PostgresWriter(GroupWriter[Any]):
    """Writes to one PostgreSQL database.

    Parameters
    ----------
    connect
        Opens a connection that is in no transaction.
    who
        A name of this process that no other has.
    seconds
        After how long a group is given up: the server's own time-outs are shorter, so that this
        is for one that has fallen silent.
    watch
        Does so.
    waiting
        How many operations may wait.

    Raises
    ------
    psycopg.Error
        If the first connection cannot be opened.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection],
        who: str,
        seconds: float,
        watch: Watch,
        waiting: int = WAITING,
    ) -> None:
        self._watch = watch
        self._who = who
        self._seconds = seconds
        self._link = Link(connect, seconds, self._healed)
        super().__init__(waiting)

    def close(self) -> None:
        """Finish what waits, close the connection; again is harmless."""
        super().close()
        self._link.close()

    def _healed(self) -> None:
        self._problem = None

    def _drop_connection(self) -> None:
        self._link.drop()

    def _commit(self, group: list[Job[Any]]) -> list[Outcome]:
        if group[0].alone:
            return [self._alone(group[0])]
        try:
            return self._together(group)
        except _REFUSALS:
            # The doors let through what the tables do not: rare enough to look for it one by one.
            return [self._one(job) for job in group]

    def _together(self, group: list[Job[Any]]) -> list[Outcome]:
        operations: list[Any] = [job.operation for job in group]
        wanted = Wanted()
        for operation in operations:
            operation.wants(wanted)
        until = time.monotonic() + self._seconds
        connection, sheet = self._begun(
            lambda connection: Sheet(connection, wanted, self._who), until
        )
        with self._within(connection, until):
            outcomes = [_apply(operation, sheet) for operation in operations]
            sheet.commit()
        return outcomes

    def _one(self, job: Job[Any]) -> Outcome:
        try:
            return self._together([job])[0]
        except _REFUSALS as error:
            return None, _refused(error)

    def _begun(
        self, begin: Callable[[psycopg.Connection], T], until: float
    ) -> tuple[psycopg.Connection, T]:
        """Begin a transaction; once more if the connection breaks: nothing is stored by then."""
        connection = self._link.get()
        try:
            with self._within(connection, until):
                return connection, begin(connection)
        except psycopg.OperationalError:
            left = until - time.monotonic()
            if not connection.closed or left <= 0:
                raise
            self._link.drop()
            connection = self._link.get(left)
        with self._within(connection, until):
            return connection, begin(connection)

    @contextlib.contextmanager
    def _within(self, connection: psycopg.Connection, until: float) -> Iterator[None]:
        """Cut the connection at the end of patience; after a failure end the transaction."""
        with self._watch.deadline(connection, until - time.monotonic()):
            try:
                yield
            except psycopg.Error:
                with contextlib.suppress(psycopg.Error):
                    if not connection.closed:
                        connection.execute("ROLLBACK")
                raise

    def _alone(self, job: Job[Any]) -> Outcome:
        connection, turn = self._begun(self._take_turn, time.monotonic() + self._seconds)
        try:
            result = job.operation(turn)
            connection.execute("COMMIT")
        except _REFUSALS as error:
            connection.execute("ROLLBACK")
            return None, _refused(error)
        except psycopg.Error:
            raise
        except Exception as error:  # whatever it is belongs to who asked for it
            connection.execute("ROLLBACK")
            return None, error
        return result, None

    def _take_turn(self, connection: psycopg.Connection) -> Turn:
        connection.execute("BEGIN")
        # How long the work takes is its own affair; to wait for the turn is not.
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        return Turn.take(connection, self._who)


def _apply(operation: OnSheet[Any], sheet: Sheet) -> Outcome:
    """Run one operation; it has changed nothing if it fails."""
    try:
        return operation(sheet), None
    except Exception as error:  # whatever it is belongs to who asked for it
        return None, error


def _refused(error: psycopg.Error) -> InvalidRecord:
    said = error.diag.message_primary or type(error).__name__
    return InvalidRecord(f"The database refused the record: {said}.")
