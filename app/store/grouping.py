"""Group commit: one thread takes all writes that wait as one transaction, then answers them.

One fsync for many ratings is what makes it affordable to acknowledge nothing before it is on disk.
What a transaction is depends on the back-end and stands in its own writer; this is the queue, the
thread, and who gets which answer.

If a transaction fails, all its operations fail with ``StoreUnavailable``, the connection is thrown
away, and the next group begins with a new one: nothing needs a restart to heal.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from app.store.errors import StoreClosed, StoreOverloaded, unavailable
from app.store.records import WriterState

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Open = TypeVar("Open")
"""What an operation is given: the open transaction."""

Outcome = tuple[Any, Exception | None]
"""The result of one operation, or the error that belongs to it alone."""

GROUP = 256
"""At most this many operations share a transaction."""
WAITING = 8192
"""At most this many operations wait; one more gets ``StoreOverloaded``."""


@dataclass(frozen=True, slots=True)
class Job(Generic[Open]):
    """An operation that waits, and the future of whoever asked for it."""

    operation: Callable[[Open], Any]
    future: Future[Any]
    alone: bool


class GroupWriter(ABC, Generic[Open]):
    """Applies operations in the order in which they were submitted.

    A subclass opens its first connection, then calls ``super().__init__``, which starts the thread.

    Parameters
    ----------
    waiting
        How many operations may wait.
    """

    def __init__(self, waiting: int = WAITING) -> None:
        self._waiting = waiting
        self._jobs: deque[Job[Open]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._commits = 0
        self._operations = 0
        self._problem: str | None = None
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Callable[[Open], T], *, alone: bool = False) -> Future[T]:
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
                self._jobs.append(Job(operation, future, alone))
                self._changed.notify()
        return future

    def state(self) -> WriterState:
        """Return how it goes."""
        return WriterState(self._commits, self._operations, len(self._jobs), self._problem)

    def close(self) -> None:
        """Finish what waits, close the connection; again is harmless."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    # ----- what a back-end does; all of it in the writer's thread -----

    @abstractmethod
    def _commit(self, group: list[Job[Open]]) -> list[Outcome]:
        """Apply the group and make it durable; an exception fails all of it."""

    @abstractmethod
    def _drop_connection(self) -> None:
        """Let go of the connection, whatever state it is in."""

    def _after_group(self) -> None:
        """Do what is to be done between two transactions."""
        return

    # ----- the thread -----

    def _work(self) -> None:
        while group := self._next_group():
            # From here on nobody can cancel them; who did so before is not written.
            group = [job for job in group if job.future.set_running_or_notify_cancel()]
            if group:
                self._run(group)
                self._after_group()
        self._drop_connection()

    def _next_group(self) -> list[Job[Open]]:
        """Wait for work and return it in order; nothing once all is done and the store closed."""
        group: list[Job[Open]] = []
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            while self._jobs and len(group) < GROUP and not (group and self._jobs[0].alone):
                group.append(self._jobs.popleft())
                if group[-1].alone:
                    break
        return group

    def _run(self, group: list[Job[Open]]) -> None:
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
