"""Ratings: acknowledged when they are durable, and known to the next request by then."""

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.api import cursors
from app.api.answering import answer
from app.api.rooms import In, Rooms
from app.api.schemas import ratings as schemas
from app.api.schemas.fields import CursorText, MovieIdPath, PageSize, UserIdPath, format_time
from app.api.strict_route import StrictRoute
from app.api.versions import NoKey, Reached
from app.limits import LIMITS
from app.problems import ProblemError, field_path, invalid, translate
from app.store.records import RatingRecord
from recommender.data.rating_scale import RatingScale

router = APIRouter(prefix="/v1", tags=["ratings"], route_class=StrictRoute)

WAVE = 1_000
"""How many rows of one call wait for the store at a time: others want to write too."""

_ROW: TypeAdapter[schemas.BulkRating] = TypeAdapter(schemas.BulkRating)


@router.put("/users/{user_id}/ratings/{movie_id}", response_model=schemas.Rating)
async def put_rating(
    user_id: UserIdPath, movie_id: MovieIdPath, body: schemas.RatingBody, rooms: In
) -> Response:
    """Store a rating, in place of an earlier one; a new user is created by it."""
    wrong = _objection(body, rooms.settings.scale)
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


@router.post(
    "/ratings",
    response_model=schemas.BulkResults,
    response_model_exclude_unset=True,
    dependencies=[NoKey],
)
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
    rooms: In,
) -> Response:
    """Store up to 10,000 ratings; each row gets its own result, and a bad one spoils no other.

    When no row can be stored the answer is a problem with the first reasons.
    """
    results: list[dict[str, Any]] = []
    for start in range(0, len(rows), WAVE):
        wave = enumerate(rows[start : start + WAVE], start)
        results += await asyncio.gather(*(_bulk_row(rooms, place, row) for place, row in wave))
    refused = [result for result in results if result["status"] != 200]
    if len(refused) == len(results):
        raise _all_refused(refused)
    stored = len(results) - len(refused)
    return answer({"stored": stored, "refused": len(refused), "results": results})


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


def _objection(body: schemas.RatingBody, scale: RatingScale) -> tuple[str, str, str] | None:
    """Return field, code and message of what the settings and the clock do not allow."""
    if body.rating not in scale:
        return "rating", "rating_scale", f"allowed: {scale}"
    if body.rated_at is not None and body.rated_at > time.time() + LIMITS.clock_skew_seconds:
        return (
            "rated_at",
            "time_range",
            f"at most {LIMITS.clock_skew_seconds} seconds in the future are allowed",
        )
    return None


async def _bulk_row(rooms: Rooms, place: int, row: object) -> dict[str, Any]:
    try:
        rating = _ROW.validate_python(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return _refusal(place, 422, field_path(first["loc"]), first["msg"])
    wrong = _objection(rating, rooms.settings.scale)
    if wrong is not None:
        return _refusal(place, 422, wrong[0], wrong[2])
    try:
        record = await _store(rooms, rating.user_id, rating.movie_id, rating)
    except Exception as error:
        problem = translate(error).problem
        if problem.status >= 500 and problem.name != "store-unavailable":
            raise
        field = "movie_id" if problem.name == "unknown-movie" else ""
        return _refusal(place, problem.status, field, problem.title)
    return {"row": place, "status": 200, "version": record.version}


def _refusal(place: int, status: int, field: str, message: str) -> dict[str, Any]:
    return {"row": place, "status": status, "field": field or None, "message": message[:160]}


def _all_refused(refused: list[dict[str, Any]]) -> ProblemError:
    if all(result["status"] == 503 for result in refused):
        return ProblemError("store-unavailable")
    errors = [
        {
            "field": f"body[{result['row']}]" + (f".{result['field']}" if result["field"] else ""),
            "code": "unknown_movie" if result["status"] == 404 else "invalid",
            "message": result["message"],
        }
        for result in refused
    ]
    return ProblemError("invalid-request", errors=errors)


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
