"""Lists for several people at once."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.api.answering import answer
from app.api.rooms import In, Now
from app.api.schemas.groups import GroupBody, GroupRecommendations
from app.api.strict_route import StrictRoute
from app.api.versions import Reached
from app.api.wanted import plain_from_body
from app.problems import ProblemError
from app.serving.groups import TOLD, for_group
from app.serving.shelf import OF_MOVIES

router = APIRouter(prefix="/v1", tags=["recommendations"], route_class=StrictRoute)


@router.post(
    "/recommendations/group",
    response_model=GroupRecommendations,
    response_model_exclude_unset=True,
    dependencies=[Reached],
)
async def recommend_for_group(body: GroupBody, rooms: In, serving: Now) -> Response:
    """Recommend movies to a group, with what each member would have of them.

    Nothing that any member has seen is in the list. Members of whom nothing is known are named;
    when nothing is known of anybody, the list has what most people rated, marked by `fallback`.
    """
    _refuse_repeated(body.user_ids)
    wanted = await plain_from_body(serving, rooms.settings.scale, body, (*OF_MOVIES, *TOLD))
    # It scores every movie for every member: nobody else need wait for that.
    return answer(await run_in_threadpool(for_group, serving, body.user_ids, body.strategy, wanted))


def _refuse_repeated(user_ids: list[str]) -> None:
    """Raise :class:`ProblemError` naming each member that stands there already."""
    errors = []
    seen = set()
    for place, user_id in enumerate(user_ids):
        if user_id in seen:
            at = f"body.user_ids[{place}]"
            message = "this user stands in the list already"
            errors.append({"field": at, "code": "twice", "message": message})
        seen.add(user_id)
    if errors:
        raise ProblemError("invalid-request", errors=errors)
