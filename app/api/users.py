"""Users."""

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.api import cursors
from app.api.answering import answer, answer_to
from app.api.rooms import In, Now
from app.api.schemas import users as schemas
from app.api.schemas.erasures import Erasure
from app.api.schemas.fields import (
    ByOfUsers,
    CursorText,
    PageSize,
    SearchText,
    UserCount,
    UserIdPath,
    format_time,
)
from app.api.strict_route import StrictRoute
from app.api.versions import Reached
from app.problems import ProblemError
from app.serving.neighbours import similar_users
from app.store.erasures import SALT
from app.store.records import User

router = APIRouter(prefix="/v1/users", tags=["users"], route_class=StrictRoute)


@router.get("", response_model=schemas.Users, dependencies=[Reached])
async def list_users(
    rooms: In, q: SearchText = None, limit: PageSize = 50, cursor: CursorText = None
) -> Response:
    """List users, or those whose id begins with `q`."""
    listed = f"users q={q or ''}"
    after = cursors.decode(listed, cursor)
    found = await run_in_threadpool(rooms.store.users, after, limit + 1, q)
    page = found[:limit]
    more = cursors.encode(listed, page[-1].user_id) if len(found) > limit else None
    return answer({"users": [_record(user) for user in page], "next_cursor": more})


@router.get("/{user_id}", response_model=schemas.User, dependencies=[Reached])
async def get_user(user_id: UserIdPath, rooms: In) -> Response:
    """Return a user."""
    user = await run_in_threadpool(rooms.store.user, user_id)
    if user is None:
        raise ProblemError("unknown-user")
    return answer(_record(user))


@router.delete("/{user_id}", response_model=Erasure)
async def erase_user(user_id: UserIdPath, rooms: In) -> Response:
    """Erase a user: profile, ratings, everything that names them, in all lists from now on.

    It cannot be taken back. The receipt can be looked at later, at `/v1/erasures/{receipt}`. The
    model holds the user's vector, which no answer shows any more, until the next training. Who
    comes back under the same id is a new user.
    """
    erasure = await asyncio.wrap_future(rooms.store.erase_user(user_id))
    if erasure is None:
        raise ProblemError("unknown-user")
    salt = await run_in_threadpool(rooms.store.get_fact, SALT)
    model_until = rooms.current.erase(user_id, erasure, salt or "")
    return answer(
        {
            "receipt": erasure.receipt,
            "erased_at": format_time(erasure.erased_at),
            "version": erasure.version,
            "ratings": erasure.ratings,
            "model_until": model_until,
        }
    )


@router.get("/{user_id}/similar", response_model=schemas.SimilarUsers, dependencies=[Reached])
async def list_similar_users(
    user_id: UserIdPath,
    request: Request,
    rooms: In,
    serving: Now,
    n: UserCount = 10,
    by: ByOfUsers = "cosine",
) -> Response:
    """List the users whose embeddings are nearest, by cosine or by dot product.

    The user's own ratings count as they are now. Of whom nothing is known has an empty list.
    """

    def is_there(other_id: str) -> bool:
        return rooms.store.user(other_id) is not None

    trained = serving.find_user(user_id) >= 0
    if not trained and not await run_in_threadpool(is_there, user_id):
        raise ProblemError("unknown-user")
    # It looks at every user, and asks the store about those it finds.
    found = await run_in_threadpool(similar_users, serving, user_id, n, by, is_there)
    return answer_to(request, found)


def _record(user: User) -> dict[str, Any]:
    return {
        "user_id": user.user_id,
        "attributes": user.attributes,
        "n_ratings": user.n_ratings,
    }
