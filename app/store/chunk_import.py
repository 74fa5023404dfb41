"""An import that comes in chunks: all in one transaction, or a transaction for each.

The caller's thread reads and checks the next chunk while the writer's stores the last one.
"""

from __future__ import annotations

import queue
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from app.store.bulk_import import Prepared, prepare, store_ratings, store_records
from app.store.errors import StoreError
from app.store.jobs import FIND_JOB, parsed, put_job
from app.store.records import ImportReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from concurrent.futures import Future
    from typing import Protocol

    from app.store.operations import Transaction
    from app.store.records import JSON, Chunk

    T = TypeVar("T")

    class Submit(Protocol):
        """Queues an operation that has a transaction of its own."""

        def __call__(self, operation: Callable[[Transaction], T], /) -> Future[T]:
            """Queue it."""
            ...


@dataclass(frozen=True, slots=True)
class _Ready:
    """A chunk, prepared."""

    prepared: Prepared
    document: Mapping[str, JSON]


NOTHING = ImportReport(0, 0, 0, 0, 0, 0)
_LOOK_SECONDS = 0.2


def added(one: ImportReport, other: ImportReport) -> ImportReport:
    """Return the report of two imports, one after the other."""
    return ImportReport(
        one.users + other.users,
        one.movies + other.movies,
        one.ratings + other.ratings,
        one.unchanged + other.unchanged,
        one.version_from if one != NOTHING else other.version_from,
        other.version_to,
    )


def document_after(
    before: Mapping[str, Any] | None, document: Mapping[str, JSON], report: ImportReport
) -> dict[str, JSON]:
    """Return what a job says once a chunk is stored.

    Parameters
    ----------
    before
        What it said before, ``None`` for nothing.
    document
        What the chunk brings.
    report
        What the chunk changed.
    """
    earlier = (before or {}).get("stored")
    total = added(ImportReport(**earlier) if earlier else NOTHING, report)
    return {**document, "stored": asdict(total)}


def ready(chunks: Iterator[Chunk]) -> Iterator[_Ready]:
    """Prepare chunk after chunk."""
    for chunk in chunks:
        yield _Ready(prepare(chunk.ratings, chunk.movies, chunk.users), chunk.document)


def import_chunks(
    submit: Submit,
    chunks: Iterator[Chunk],
    *,
    atomic: bool,
    job: str | None,
    progress: Callable[[int], None] | None,
    make: Callable[[Iterable[Any], str | None], Callable[[Any], ImportReport]] | None = None,
) -> ImportReport:
    """Store the chunks: see ``Store.import_chunks``.

    ``make`` makes the operation that stores what :func:`ready` yields; without it, that of SQLite.
    """
    told = progress or (lambda _done: None)
    storing = _each if not atomic else _whole
    return storing(submit, ready(chunks), job, told, make or _operation)


def _each(
    submit: Submit,
    chunks: Iterator[_Ready],
    job: str | None,
    progress: Callable[[int], None],
    make: Callable[[Iterable[_Ready], str | None], Callable[[Any], ImportReport]],
) -> ImportReport:
    total, done = NOTHING, 0
    waiting: Future[ImportReport] | None = None
    try:
        for chunk in chunks:
            if waiting is not None:
                total = added(total, waiting.result())
                progress(done)
            waiting = submit(make([chunk], job))
            done += chunk.prepared.ratings.height
    except BaseException:
        if waiting is not None:
            waiting.exception()  # until it is known what is stored
        raise
    if waiting is not None:
        total = added(total, waiting.result())
        progress(done)
    return total


def _whole(
    submit: Submit,
    chunks: Iterator[_Ready],
    job: str | None,
    progress: Callable[[int], None],
    make: Callable[[Iterable[_Ready], str | None], Callable[[Any], ImportReport]],
) -> ImportReport:
    handed: queue.Queue[_Ready | BaseException | None] = queue.Queue(1)

    def coming() -> Iterator[_Ready]:
        done = 0
        while (chunk := handed.get()) is not None:
            if isinstance(chunk, BaseException):
                raise StoreError("The import was given up; nothing of it is stored.") from chunk
            yield chunk
            done += chunk.prepared.ratings.height
            progress(done)

    def hand_over(chunk: _Ready | BaseException | None) -> None:
        while not storing.done():
            try:
                return handed.put(chunk, timeout=_LOOK_SECONDS)
            except queue.Full:
                continue
        return None

    storing = submit(make(coming(), job))
    try:
        for chunk in chunks:
            hand_over(chunk)
            if storing.done():  # it failed: nobody waits for more
                break
        hand_over(None)
    except BaseException as error:
        hand_over(error)
        storing.exception()  # until the transaction is taken back
        raise
    return storing.result()


def _operation(chunks: Iterable[_Ready], job: str | None) -> Callable[[Transaction], ImportReport]:
    def operation(transaction: Transaction) -> ImportReport:
        total, document = NOTHING, None
        for chunk in chunks:
            total = added(total, _store(chunk.prepared, transaction))
            document = chunk.document
        if job is not None and document is not None:
            found = transaction.connection.execute(FIND_JOB, (job,)).fetchone()
            before = None if found is None else parsed(found[0])
            put_job(job, document_after(before, document, total))(transaction)
        return total

    return operation


def _store(prepared: Prepared, transaction: Transaction) -> ImportReport:
    version = transaction.version
    known = store_records(transaction.connection, prepared)
    store_ratings(prepared.ratings, transaction, known.users, int(time.time()))
    stored = transaction.version - version
    return ImportReport(
        known.new_users,
        known.new_movies,
        stored,
        prepared.ratings.height - stored,
        version,
        transaction.version,
    )
