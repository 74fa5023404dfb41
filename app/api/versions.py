"""Headers about stored versions: what a client knows, and wants to find here."""

from typing import Annotated

from fastapi import Depends, Header
from starlette.concurrency import run_in_threadpool

from app.api.rooms import In
from app.api.schemas.fields import Whole
from app.limits import LIMITS
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
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=LIMITS.idempotency_key_length,
        pattern="^[!-~]+$",
        description="The same key with the same body again within a day gives the same answer, "
        "marked `Idempotency-Replayed: true`, and stores nothing. Visible ASCII, no spaces.",
    ),
]
"""A parameter of a route that writes: under which its answer is kept."""


async def _reach(rooms: In, min_version: MinVersion = None) -> None:
    """Go on when every change up to that version is stored here and taken into account."""
    if min_version is None:
        return
    if await run_in_threadpool(rooms.store.version) < min_version:
        raise ProblemError("version-not-reached")
    await rooms.loader.catch_up()


Reached = Depends(_reach)
"""A dependency of a route that reads: honour ``Min-Version``."""
