"""Lists for users and visitors."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.api import cursors
from app.api.answering import answer, answer_to
from app.api.rooms import In, Now
from app.api.schemas.fields import CursorText, UserIdPath
from app.api.schemas.recommendations import (
    AnonymousBody,
    AnonymousRating,
    AnonymousRecommendations,
    Recommendations,
)
from app.api.short_cut import MANY, MANY_CHANGES, takes_long
from app.api.strict_route import StrictRoute
from app.api.versions import Reached
from app.api.wanted import WantedList, continued, from_body, list_name
from app.problems import ProblemError
from app.serving.lists import for_ratings, for_user, whose_list
from app.serving.wanted import Wanted
from recommender.data.rating_scale import RatingScale

router = APIRouter(prefix="/v1", tags=["recommendations"], route_class=StrictRoute)


@router.get(
    "/users/{user_id}/recommendations",
    response_model=Recommendations,
    response_model_exclude_unset=True,
    dependencies=[Reached],
)
async def recommend_for_user(
    user_id: UserIdPath,
    request: Request,
    serving: Now,
    wanted: WantedList,
    cursor: CursorText = None,
) -> Response:
    """Recommend movies to a user, best first.

    Ratings that were acknowledged are taken into account at once. Who has rated nothing that the
    model knows gets what most people rated, marked by `fallback`.
    """
    whose = whose_list(serving, user_id)
    wanted = continued(wanted, whose, serving, cursor, "query.cursor")
    # 50 µs at 26,000 movies, and 10 ms with a thousand new ratings. Reasons take longer the more a
    # user has rated, and so does what looks at every movie: nobody else need wait for these.
    if looks_at_much(wanted) or takes_long(serving, user_id):
        body, following = await run_in_threadpool(for_user, serving, user_id, wanted)
    else:
        body, following = for_user(serving, user_id, wanted)
    body["next_cursor"] = cursors.encode_position(list_name(wanted, whose), serving, following)
    return answer_to(request, body)


@router.post("/recommendations", response_model=AnonymousRecommendations)
async def recommend_for_ratings(body: AnonymousBody, rooms: In, serving: Now) -> Response:
    """Recommend movies to a visitor who is not stored, from the ratings in the body."""
    ratings = stars_by_movie(body.ratings, rooms.settings.scale, "body.ratings")
    wanted = await from_body(serving, rooms.settings.scale, body)
    whose = f"visitor {sorted(ratings.items())}"
    wanted = continued(wanted, whose, serving, body.cursor, "body.cursor")
    if looks_at_much(wanted) or len(ratings) > MANY_CHANGES:
        listed, following = await run_in_threadpool(for_ratings, serving, ratings, wanted)
    else:
        listed, following = for_ratings(serving, ratings, wanted)
    listed["next_cursor"] = cursors.encode_position(list_name(wanted, whose), serving, following)
    return answer(listed)


def looks_at_much(wanted: Wanted) -> bool:
    """Whether a list is made in a thread, for all that it has to look at."""
    return wanted.explain or wanted.weights.any or wanted.after is not None or wanted.n > MANY


def stars_by_movie(
    lines: list[AnonymousRating], scale: RatingScale, field: str
) -> dict[str, float]:
    """Return the ratings of a body by movie.

    Raises
    ------
    ProblemError
        Naming each that is not on the scale, and each movie that stands there twice.
    """
    errors = []
    ratings: dict[str, float] = {}
    for place, line in enumerate(lines):
        at = f"{field}[{place}]"
        if line.rating not in scale:
            errors.append(
                {"field": f"{at}.rating", "code": "rating_scale", "message": f"allowed: {scale}"}
            )
        if line.movie_id in ratings:
            message = "this movie stands in the list already"
            errors.append({"field": f"{at}.movie_id", "code": "twice", "message": message})
        ratings[line.movie_id] = line.rating
    if errors:
        raise ProblemError("invalid-request", errors=errors)
    return {movie: scale.nearest(stars) for movie, stars in ratings.items()}
