"""Idempotency keys: what became of the rows of a request, kept for a day.

Nothing that is kept names anybody: of a key only its SHA-256, of a request the digest that the
caller gives, of each row the version and the time that it got. The rest stands in the request,
which a client that asks again has to send again.
"""

from __future__ import annotations

import hashlib
import json
import time
import zlib
from typing import TYPE_CHECKING, TypeAlias

from app.limits import LIMITS
from app.store.errors import InvalidRecord, KeyReused, MovieNotFound
from app.store.operations import put_rating
from app.store.records import RatingRecord, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.store.operations import Transaction

Row: TypeAlias = "tuple[str, str, float, int]"
Result: TypeAlias = "RatingRecord | InvalidRecord | MovieNotFound | None"

FIND_ANSWER = "SELECT digest, outcome FROM answers WHERE key = ? AND stored_at > ?"
PUT_ANSWER = (
    "INSERT INTO answers (key, digest, outcome, stored_at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (key) DO UPDATE SET digest = excluded.digest, outcome = excluded.outcome, "
    "stored_at = excluded.stored_at"
)
FORGET_OLD = "DELETE FROM answers WHERE stored_at <= ?"
FORGET_MANY = (
    "DELETE FROM answers WHERE key IN "
    "(SELECT key FROM answers ORDER BY stored_at DESC LIMIT -1 OFFSET ?)"
)


def hidden(key: str) -> str:
    """Return what a key is kept as."""
    return hashlib.sha256(key.encode()).hexdigest()


def encode(results: Sequence[Result]) -> bytes:
    """Return what is kept of the results; :func:`decode` undoes it.

    >>> decode([("u", "m", 5.0, 9)], encode([RatingRecord("u", "m", 5.0, 9, 3)]))
    (RatingRecord(user_id='u', movie_id='m', rating=5.0, rated_at=9, version=3),)
    """
    kept: list[object] = []
    for result in results:
        if isinstance(result, RatingRecord):
            kept.append([result.version, result.rated_at])
        else:
            kept.append(None if result is None else type(result).__name__)
    return zlib.compress(json.dumps(kept, separators=(",", ":")).encode(), 1)


def decode(rows: Sequence[Row | None], outcome: bytes) -> tuple[Result, ...]:
    """Return the results of these rows, as they were when they were stored."""
    results: list[Result] = []
    for row, kept in zip(rows, json.loads(zlib.decompress(outcome)), strict=True):
        if row is None or kept is None:
            results.append(None)
        elif kept == MovieNotFound.__name__:
            results.append(MovieNotFound(row[1]))
        elif kept == InvalidRecord.__name__:
            results.append(_refusal(row))
        else:
            version, rated_at = kept
            results.append(RatingRecord(row[0], row[1], float(row[2]), rated_at, version))
    return tuple(results)


def _refusal(row: Row) -> InvalidRecord:
    """Return why a row is refused: for the same reason every time, and it may hold an id."""
    try:
        put_rating(*row)
    except InvalidRecord as refusal:
        return refusal.with_traceback(None)
    return InvalidRecord("The row was refused.")


def put_ratings(
    rows: Sequence[Row | None], key: str | None, digest: bytes
) -> Callable[[Transaction], Stored]:
    """Return the operation behind ``Store.put_ratings``."""

    def operation(transaction: Transaction) -> Stored:
        if key is None:
            return Stored(tuple(_stored(row, transaction) for row in rows))
        execute = transaction.connection.execute
        now = int(time.time())
        oldest = now - LIMITS.idempotency_seconds
        found = execute(FIND_ANSWER, (hidden(key), oldest)).fetchone()
        if found is not None:
            if found[0] != digest:
                raise KeyReused("This idempotency key came with other ratings before.")
            return Stored(decode(rows, found[1]), replayed=True)
        results = tuple(_stored(row, transaction) for row in rows)
        execute(FORGET_OLD, (oldest,))
        execute(PUT_ANSWER, (hidden(key), digest, encode(results), now))
        execute(FORGET_MANY, (LIMITS.idempotency_keys,))
        return Stored(results)

    return operation


def _stored(row: Row | None, transaction: Transaction) -> Result:
    """Store one row; both refusals come before anything of it is written."""
    if row is None:
        return None
    try:
        return put_rating(*row)(transaction)
    except (InvalidRecord, MovieNotFound) as refusal:
        return refusal.with_traceback(None)
