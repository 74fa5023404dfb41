"""Why a user's list is what it is."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.api.answering import answer_to
from app.api.rooms import Now
from app.api.schemas.fields import MovieIdText, UserIdPath
from app.api.schemas.trace import Trace
from app.api.strict_route import StrictRoute
from app.api.versions import Reached
from app.api.wanted import WholeList
from app.problems import ProblemError
from app.serving.trace import trace

router = APIRouter(prefix="/v1/users", tags=["recommendations"], route_class=StrictRoute)


@router.get(
    "/{user_id}/trace",
    response_model=Trace,
    response_model_exclude_unset=True,
    dependencies=[Reached],
)
async def trace_for_user(
    user_id: UserIdPath,
    request: Request,
    serving: Now,
    wanted: WholeList,
    movie_id: MovieIdText = None,
) -> Response:
    """Say why a user's list is what it is: what each stage dropped, and for what reason.

    The list at its end is the one that `/recommendations` gives for the same parameters. Movies
    that no list may show are named where they were dropped. With `movie_id` the answer says in
    particular what became of that movie, and what made its score.
    """
    if movie_id is not None and serving.shelf.row(movie_id) < 0:
        raise ProblemError("unknown-movie")
    # It looks at every movie: nobody else need wait for that.
    return answer_to(request, await run_in_threadpool(trace, serving, user_id, wanted, movie_id))
