"""A user's list if some ratings were other ones."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.api.answering import answer
from app.api.recommendations import stars_by_movie
from app.api.rooms import In, Now
from app.api.schemas.what_if import WhatIf, WhatIfBody
from app.api.strict_route import StrictRoute
from app.api.versions import Reached
from app.api.wanted import plain_from_body
from app.problems import ProblemError, invalid
from app.serving.shelf import OF_MOVIES
from app.serving.what_if import TOLD, what_if

router = APIRouter(prefix="/v1", tags=["recommendations"], route_class=StrictRoute)


@router.post(
    "/recommendations/what-if",
    response_model=WhatIf,
    response_model_exclude_unset=True,
    dependencies=[Reached],
)
async def recommend_what_if(body: WhatIfBody, rooms: In, serving: Now) -> Response:
    """Recommend movies to a user as if some ratings were set or removed; nothing is stored.

    Each movie has the rank and the score that it has without the changes, and `left` names those
    that would leave the list.
    """
    scale = rooms.settings.scale
    stars = stars_by_movie(body.set, scale, "body.set")
    _check_removed(body.remove, stars)
    fields = (*OF_MOVIES, *TOLD)
    wanted = await plain_from_body(serving, scale, body, fields, body.explain)
    # It looks at every movie, twice: nobody else need wait for that.
    return answer(
        await run_in_threadpool(what_if, serving, body.user_id, stars, body.remove, wanted)
    )


def _check_removed(removed: list[str], stars: dict[str, float]) -> None:
    """Raise :class:`ProblemError` when nothing would change, or it is not clear what."""
    if not removed and not stars:
        raise invalid("body.set", "nothing", "a rating to set, or one to remove, is needed")
    errors = []
    before: set[str] = set()
    for place, movie_id in enumerate(removed):
        if movie_id in stars or movie_id in before:
            there = "this list" if movie_id in before else "set"
            message = f"this movie stands in {there} already"
            errors.append({"field": f"body.remove[{place}]", "code": "twice", "message": message})
        before.add(movie_id)
    if errors:
        raise ProblemError("invalid-request", errors=errors)
