"""Erasures: who was erased is known to nobody, that it was done can be looked at."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.api.answering import answer
from app.api.rooms import In
from app.api.schemas import erasures as schemas
from app.api.schemas.fields import ReceiptPath, format_time
from app.api.strict_route import StrictRoute
from app.problems import ProblemError
from app.serving.erasing import places

router = APIRouter(prefix="/v1/erasures", tags=["users"], route_class=StrictRoute)

OUT_OF_REACH = ("backups", "exports", "logs")
"""Where copies may be that nobody here can look into."""


@router.get("/{receipt}", response_model=schemas.ErasureState)
async def get_erasure(receipt: ReceiptPath, rooms: In) -> Response:
    """Look everywhere within reach for what is left of a user who was erased.

    The database and the memory of this process are looked through now, and the users of every
    generation on disk. A generation that was trained before the erasure holds the user's vector
    until it is removed; no answer shows it. What cannot be looked into is named.
    """
    erasure = await run_in_threadpool(rooms.store.erasure, receipt)
    if erasure is None:
        raise ProblemError("unknown-receipt")
    models = rooms.settings.models_path
    found = await run_in_threadpool(places, rooms.store, rooms.current, models, erasure)
    return answer(
        {
            "receipt": erasure.receipt,
            "erased_at": format_time(erasure.erased_at),
            "version": erasure.version,
            "ratings": erasure.ratings,
            "complete": all(place.holds is False for place in found),
            "places": [place._asdict() for place in found],
            "out_of_reach": list(OUT_OF_REACH),
        }
    )
