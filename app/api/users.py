"""Users."""

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.api import cursors
from app.api.rooms import In, answer
from app.api.schemas import users as schemas
from app.api.schemas.fields import CursorText, PageSize, SearchText, UserIdPath
from app.api.strict_route import StrictRoute
from app.api.versions import Reached
from app.problems import ProblemError
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


def _record(user: User) -> dict[str, Any]:
    return {
        "user_id": user.user_id,
        "attributes": user.attributes,
        "n_ratings": user.n_ratings,
    }
