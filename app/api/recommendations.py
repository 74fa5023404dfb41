"""Lists for users and visitors."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.api.filters import allowed_by
from app.api.rooms import In, Now, answer
from app.api.schemas.fields import Count, FilterText, UserIdPath
from app.api.schemas.recommendations import (
    AnonymousBody,
    AnonymousRecommendations,
    Recommendations,
)
from app.api.strict_route import StrictRoute
from app.api.versions import Reached
from app.problems import ProblemError
from app.serving.pipeline import Wanted, for_ratings, for_user

router = APIRouter(prefix="/v1", tags=["recommendations"], route_class=StrictRoute)

ExcludeSeen = Annotated[bool, Query(description="Leave out what the user has rated.")]
MANY_CHANGES = 64

Explain = Annotated[bool, Query(description="Say which ratings speak for each movie.")]


@router.get(
    "/users/{user_id}/recommendations",
    response_model=Recommendations,
    response_model_exclude_unset=True,
    dependencies=[Reached],
)
async def recommend_for_user(
    user_id: UserIdPath,
    rooms: In,
    serving: Now,
    n: Count = 10,
    exclude_seen: ExcludeSeen = True,
    explain: Explain = False,
    filter: FilterText = None,  # noqa: A002 - the name of the parameter
) -> Response:
    """Recommend movies to a user, best first.

    Ratings that were acknowledged are taken into account at once. Who has rated nothing that the
    model knows gets what most people rated, marked by `fallback`.
    """
    allowed = await allowed_by(serving, filter, "query.filter")
    wanted = Wanted(n, exclude_seen, explain, rooms.settings.scale, allowed)
    # 1 to 2 ms at 60,000 movies, with some ratings to fold in or none. Reasons take longer the more
    # a user has rated, and a thousand new ratings take 10 ms: nobody else need wait for these.
    if explain or serving.fresh.n_of_user(user_id) > MANY_CHANGES:
        return answer(await run_in_threadpool(for_user, serving, user_id, wanted))
    return answer(for_user(serving, user_id, wanted))


@router.post("/recommendations", response_model=AnonymousRecommendations)
async def recommend_for_ratings(body: AnonymousBody, rooms: In, serving: Now) -> Response:
    """Recommend movies to a visitor who is not stored, from the ratings in the body."""
    scale = rooms.settings.scale
    errors = []
    ratings: dict[str, float] = {}
    for place, line in enumerate(body.ratings):
        field = f"body.ratings[{place}]"
        if line.rating not in scale:
            errors.append(
                {"field": f"{field}.rating", "code": "rating_scale", "message": f"allowed: {scale}"}
            )
        if line.movie_id in ratings:
            message = "this movie stands in the list already"
            errors.append({"field": f"{field}.movie_id", "code": "twice", "message": message})
        ratings[line.movie_id] = line.rating
    if errors:
        raise ProblemError("invalid-request", errors=errors)
    allowed = await allowed_by(serving, body.filter, "body.filter")
    wanted = Wanted(body.n, body.exclude_seen, body.explain, scale, allowed)
    return answer(await run_in_threadpool(for_ratings, serving, ratings, wanted))
