"""Headers about stored versions: what a client knows, and wants to find here."""

from typing import Annotated

from fastapi import Depends, Header
from starlette.concurrency import run_in_threadpool

from app.api.rooms import In
from app.api.schemas.fields import Whole
from app.problems import ProblemError

MinVersion = Annotated[
    int | None,
    Header(
        alias="Min-Version",
        ge=0,
        le=2**63 - 1,
        description="The `version` of a stored change that the answer has to know of.",
    ),
    Whole,
]
IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="Refused: this version does not keep such keys."),
]


async def _reach(rooms: In, min_version: MinVersion = None) -> None:
    """Go on when every change up to that version is stored here and taken into account."""
    if min_version is None:
        return
    if await run_in_threadpool(rooms.store.version) < min_version:
        raise ProblemError("version-not-reached")
    await rooms.loader.catch_up()


async def _refuse_key(idempotency_key: IdempotencyKey = None) -> None:
    """Refuse what would be ignored: who sends a key relies on it."""
    if idempotency_key is not None:
        raise ProblemError(
            "unsupported-header",
            "Idempotency-Key is not supported in this version. Rows with rated_at may be sent "
            "again without it: what is stored just so already is not stored again.",
        )


Reached = Depends(_reach)
"""A dependency of a route that reads: honour ``Min-Version``."""

NoKey = Depends(_refuse_key)
"""A dependency of a route that writes: refuse ``Idempotency-Key``."""
