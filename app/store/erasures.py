"""The erasure of a user: every row that names them goes, and a row that names nobody comes.

What stays is a receipt with a digest, SHA-256 over a salt of the database and the user's id.
Whoever has the database and an id can tell that this user was erased (that is what the receipt is
for); nobody can tell from it who was.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from app.store.operations import HAS_USER
from app.store.records import Erasure
from app.store.validation import check_id, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from app.store.operations import Transaction

SALT = "erasure_salt"
"""The fact that the salt is kept under; made with the first erasure."""

ERASED = "(erased)"
"""What stands in the report of an import where the id stood."""

PUT_ERASURE = (
    "INSERT INTO erasures (receipt, version, digest, ratings, erased_at) VALUES (?, ?, ?, ?, ?)"
)
N_RATINGS_OF = "SELECT count(*), count(rating) FROM ratings WHERE user_id = ?"

# From one user to the next by the index: as many steps as there are users, not ratings.
RATERS = text(
    "WITH RECURSIVE raters(user_id) AS (SELECT min(user_id) FROM ratings UNION ALL SELECT "
    "(SELECT min(r.user_id) FROM ratings r WHERE r.user_id > raters.user_id) "
    "FROM raters WHERE raters.user_id IS NOT NULL) "
    "SELECT user_id FROM raters WHERE user_id IS NOT NULL"
)


def digest_of(salt: str, user_id: str) -> str:
    """Return what an erasure keeps of a user.

    >>> digest_of("ab", "42") == digest_of("ab", "42") != digest_of("ac", "42")
    True
    """
    return hashlib.sha256(f"{salt}\x1f{user_id}".encode()).hexdigest()


def erase_user(user_id: str) -> Callable[[Transaction], Erasure | None]:
    """Return the operation behind ``Store.erase_user``."""
    check_id(user_id, "user_id")

    def operation(transaction: Transaction) -> Erasure | None:
        execute = transaction.connection.execute
        rows, live = execute(N_RATINGS_OF, (user_id,)).fetchone()
        if not rows and execute(HAS_USER, (user_id,)).fetchone() is None:
            return None
        execute("DELETE FROM ratings WHERE user_id = ?", (user_id,))
        execute("DELETE FROM users WHERE user_id = ?", (user_id,))
        for job_id, document in execute("SELECT job_id, document FROM jobs").fetchall():
            if (scrubbed := scrub(document, user_id)) is not None:
                execute("UPDATE jobs SET document = ? WHERE job_id = ?", (scrubbed, job_id))
        salt = _salt(transaction)
        transaction.n_ratings -= live
        transaction.shred = True
        erasure = new_erasure(transaction.next_version(), salt, user_id, live)
        execute(
            PUT_ERASURE,
            (erasure.receipt, erasure.version, erasure.digest, live, erasure.erased_at),
        )
        return erasure

    return operation


def new_erasure(version: int, salt: str, user_id: str, n_ratings: int) -> Erasure:
    """Return the record of an erasure that happens now."""
    digest = digest_of(salt, user_id)
    return Erasure(secrets.token_hex(16), version, digest, n_ratings, int(time.time()))


def new_salt() -> str:
    """Return a salt for a database that has none."""
    return secrets.token_hex(16)


def _salt(transaction: Transaction) -> str:
    execute = transaction.connection.execute
    found = execute("SELECT value FROM facts WHERE name = ?", (SALT,)).fetchone()
    if found is not None:
        return str(found[0])
    salt = new_salt()
    execute("INSERT INTO facts (name, value) VALUES (?, ?)", (SALT, salt))
    return salt


def scrub(document: str, user_id: str) -> str | None:
    """Return the report of an import without an id; ``None`` when it does not name it.

    >>> scrub('{"errors":[{"value":"42","line":42}],"rows":421}', "42")
    '{"errors":[{"value":"(erased)","line":42}],"rows":421}'
    >>> scrub('{"errors":[{"value":"4"}]}', "42")
    """
    if json.dumps(user_id, ensure_ascii=False)[1:-1] not in document:
        return None
    parsed = json.loads(document)
    scrubbed = _without(parsed, user_id)
    return None if scrubbed == parsed else to_json(scrubbed, "document")


def _without(value: Any, user_id: str) -> Any:
    if isinstance(value, str):
        return ERASED if value == user_id else value
    if isinstance(value, list):
        return [_without(each, user_id) for each in value]
    if isinstance(value, dict):
        return {name: _without(each, user_id) for name, each in value.items()}
    return value


def named_by(connection: Connection, salt: str, digest: str) -> Iterator[str]:
    """Yield the ids of users or of raters that have this digest."""
    for query in (text("SELECT user_id FROM users"), RATERS):
        found = connection.execute(query.execution_options(yield_per=10_000))
        yield from (row[0] for row in found if digest_of(salt, row[0]) == digest)
