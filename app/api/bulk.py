"""Many ratings in one body: which of them may be stored, and what is answered for each."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from app.api.answering import answer
from app.api.schemas import ratings as schemas
from app.limits import LIMITS
from app.problems import ProblemError, field_path, problem_response, translate
from app.store.records import RatingRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from app.store.records import Stored
    from recommender.data.rating_scale import RatingScale

_ROW: TypeAdapter[schemas.BulkRating] = TypeAdapter(schemas.BulkRating)

_IN_FUTURE = (
    "rated_at",
    "time_range",
    f"at most {LIMITS.clock_skew_seconds} seconds in the future are allowed",
)


def objection(body: schemas.RatingBody, scale: RatingScale) -> tuple[str, str, str] | None:
    """Return field, code and message of what the settings and the clock do not allow."""
    if body.rating not in scale:
        return "rating", "rating_scale", f"allowed: {scale}"
    if body.rated_at is not None and body.rated_at > time.time() + LIMITS.clock_skew_seconds:
        return _IN_FUTURE
    return None


def check(
    rows: Sequence[object], scale: RatingScale
) -> tuple[list[tuple[str, str, float, int] | None], dict[int, dict[str, Any]]]:
    """Return what is to be stored, and the results of the rows that are not.

    Returns
    -------
    wanted
        For each row what the store takes, ``None`` where it is refused.
    refused
        The results of the refused rows by their place.
    """
    now = int(time.time())
    wanted: list[tuple[str, str, float, int] | None] = []
    refused: dict[int, dict[str, Any]] = {}
    for place, row in enumerate(rows):
        wanted.append(None)
        try:
            rating = _ROW.validate_python(row)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            refused[place] = _refusal(place, 422, field_path(first["loc"]), first["msg"])
            continue
        wrong = objection(rating, scale)
        if wrong is not None:
            refused[place] = _refusal(place, 422, wrong[0], wrong[2])
            continue
        rated_at = now if rating.rated_at is None else rating.rated_at
        stars = scale.nearest(rating.rating)
        wanted[-1] = (rating.user_id, rating.movie_id, stars, rated_at)
    return wanted, refused


def answer_of(stored: Stored, refused: Mapping[int, dict[str, Any]]) -> Response:
    """Return the answer: every row's result, or a problem when no row was stored."""
    results = [_result(place, one, refused) for place, one in enumerate(stored.results)]
    without = [result for result in results if result["status"] != 200]
    if len(without) == len(results):
        return problem_response(_all_refused(without))
    return answer(
        {"stored": len(results) - len(without), "refused": len(without), "results": results}
    )


def _result(place: int, result: object, refused: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    if isinstance(result, RatingRecord):
        return {"row": place, "status": 200, "version": result.version}
    if isinstance(result, Exception):
        problem = translate(result).problem
        field = "movie_id" if problem.name == "unknown-movie" else ""
        return _refusal(place, problem.status, field, problem.title)
    # What the clock forbade the first time it may allow when the answer is given again.
    return refused.get(place) or _refusal(place, 422, _IN_FUTURE[0], _IN_FUTURE[2])


def _refusal(place: int, status: int, field: str, message: str) -> dict[str, Any]:
    return {"row": place, "status": status, "field": field or None, "message": message[:160]}


def _all_refused(refused: Sequence[Mapping[str, Any]]) -> ProblemError:
    errors = [
        {
            "field": f"body[{result['row']}]" + (f".{result['field']}" if result["field"] else ""),
            "code": "unknown_movie" if result["status"] == 404 else "invalid",
            "message": result["message"],
        }
        for result in refused
    ]
    return ProblemError("invalid-request", errors=errors)
