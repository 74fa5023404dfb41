"""Ratings: acknowledged when they are durable, and known to the next request by then."""

import asyncio
import hashlib
import time
from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.api import bulk, cursors
from app.api.answering import answer
from app.api.rooms import In, Rooms
from app.api.schemas import ratings as schemas
from app.api.schemas.fields import CursorText, MovieIdPath, PageSize, UserIdPath, format_time
from app.api.strict_route import StrictRoute
from app.api.versions import IdempotencyKey, Reached
from app.limits import LIMITS
from app.problems import ProblemError, invalid
from app.store.records import RatingRecord

router = APIRouter(prefix="/v1", tags=["ratings"], route_class=StrictRoute)

AT_A_TIME = 100
"""So many rows of one call are taken in before others have their turn."""


@router.put("/users/{user_id}/ratings/{movie_id}", response_model=schemas.Rating)
async def put_rating(
    user_id: UserIdPath, movie_id: MovieIdPath, body: schemas.RatingBody, rooms: In
) -> Response:
    """Store a rating, in place of an earlier one; a new user is created by it."""
    wrong = bulk.objection(body, rooms.settings.scale)
    if wrong is not None:
        raise invalid(f"body.{wrong[0]}", wrong[1], wrong[2])
    record = await _store(rooms, user_id, movie_id, body)
    return answer(
        {
            "user_id": record.user_id,
            "movie_id": record.movie_id,
            "rating": record.rating,
            "rated_at": format_time(record.rated_at),
            "version": record.version,
        }
    )


@router.delete("/users/{user_id}/ratings/{movie_id}", response_model=schemas.DeletedRating)
async def delete_rating(user_id: UserIdPath, movie_id: MovieIdPath, rooms: In) -> Response:
    """Delete a rating; the movie may be recommended again."""
    record = await asyncio.wrap_future(rooms.store.delete_rating(user_id, movie_id))
    if record is None:
        raise ProblemError("unknown-rating")
    rooms.current.learn(record)
    return answer({"user_id": user_id, "movie_id": movie_id, "version": record.version})


@router.get("/users/{user_id}/ratings", response_model=schemas.UserRatings, dependencies=[Reached])
async def list_ratings(
    user_id: UserIdPath, rooms: In, limit: PageSize = 50, cursor: CursorText = None
) -> Response:
    """List a user's ratings by movie id."""
    listed = f"ratings user={user_id}"
    after = cursors.decode(listed, cursor)
    found = await run_in_threadpool(rooms.store.ratings_of, user_id, after, limit + 1)
    if not found and await run_in_threadpool(rooms.store.user, user_id) is None:
        raise ProblemError("unknown-user")
    page = found[:limit]
    more = cursors.encode(listed, page[-1].movie_id) if len(found) > limit else None
    lines = [_line(rooms, record) for record in page]
    return answer({"user_id": user_id, "ratings": lines, "next_cursor": more})


@router.post("/ratings", response_model=schemas.BulkResults, response_model_exclude_unset=True)
async def put_ratings(
    rows: Annotated[
        list[Any],
        Body(
            max_length=LIMITS.bulk_rows,
            min_length=1,
            description="Rows of user_id, movie_id, rating and, optionally, rated_at.",
            examples=[[{"user_id": "42", "movie_id": "318", "rating": 5}]],
        ),
    ],
    request: Request,
    rooms: In,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Store up to 10,000 ratings; each row gets its own result, and a bad one spoils no other.

    All are stored in one transaction. When no row can be stored the answer is a problem with the
    first reasons.
    """
    digest = hashlib.sha256(await request.body()).digest()
    wanted, refused = await run_in_threadpool(bulk.check, rows, rooms.settings.scale)
    stored = await asyncio.wrap_future(
        rooms.store.put_ratings(wanted, key=idempotency_key, digest=digest)
    )
    for start in range(0, len(rows), AT_A_TIME):
        for record in stored.results[start : start + AT_A_TIME]:
            if isinstance(record, RatingRecord) and not stored.replayed:
                rooms.current.learn(record)
        await asyncio.sleep(0)
    response = await run_in_threadpool(bulk.answer_of, stored, refused)
    if stored.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


async def _store(
    rooms: Rooms, user_id: str, movie_id: str, body: schemas.RatingBody
) -> RatingRecord:
    """Store a rating; on return it is durable and the next request knows it."""
    rated_at = int(time.time()) if body.rated_at is None else body.rated_at
    record = await asyncio.wrap_future(
        rooms.store.put_rating(
            user_id, movie_id, rooms.settings.scale.nearest(body.rating), rated_at
        )
    )
    rooms.current.learn(record)
    return record


def _line(rooms: Rooms, record: RatingRecord) -> dict[str, Any]:
    movie = rooms.current.catalogue.get(record.movie_id)
    return {
        "movie_id": record.movie_id,
        "title": movie.title if movie else None,
        "year": movie.year if movie else None,
        "genres": movie.genres if movie else (),
        "rating": record.rating,
        "rated_at": format_time(record.rated_at),
        "version": record.version,
    }
