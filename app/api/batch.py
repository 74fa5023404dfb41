"""Lists for many users in one answer."""

from itertools import chain
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from app.api.rooms import In, Now
from app.api.schemas.batch import BatchBody, BatchLine
from app.api.strict_route import StrictRoute
from app.api.versions import Reached
from app.api.wanted import from_body
from app.serving.batch import lines_for_users

router = APIRouter(prefix="/v1", tags=["recommendations"], route_class=StrictRoute)


NDJSON = "application/x-ndjson"

_TOLD: dict[str, Any] = {
    "description": "One such object a line, for each user.",
    "content": {NDJSON: {"schema": {"$ref": f"#/components/schemas/{BatchLine.__name__}"}}},
}


@router.post(
    "/recommendations/batch",
    response_model=BatchLine,
    response_class=Response,  # which has no type of its own, so that the document has ours alone
    responses={200: _TOLD},
    dependencies=[Reached],
)
async def recommend_for_many(body: BatchBody, rooms: In, serving: Now) -> Response:
    """Recommend movies to many users: a line of JSON for each, in the order asked.

    A line is what `GET /v1/users/{user_id}/recommendations` answers, without `next_cursor`; all
    lines are of one generation. When something goes wrong on the way the connection is cut, so
    that half an answer does not look whole.
    """
    wanted = await from_body(serving, rooms.settings.scale, body)
    # Made in a thread, a chunk when the one before was taken; a client that goes away ends it.
    chunks = lines_for_users(serving, body.user_ids, wanted)
    # What goes wrong in the first chunk can still be told as a problem.
    first = await run_in_threadpool(next, chunks)
    return StreamingResponse(chain([first], chunks), media_type=NDJSON)
