"""Lists for many users."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from app.api.schemas.fields import Answer, UserId
from app.api.schemas.lists import ListBody
from app.api.schemas.movies import MODEL_EXAMPLE, SHAWSHANK, ModelBlock
from app.api.schemas.recommendations import Effect, Recommendation
from app.limits import LIMITS


class BatchBody(ListBody):
    """What ``POST /v1/recommendations/batch`` takes."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_ids": ["42", "7", "12"], "n": 10}]}
    )
    user_ids: Annotated[
        list[UserId],
        Field(
            min_length=1,
            max_length=LIMITS.batch_users,
            description="Whose lists; the lines come in this order.",
        ),
    ]


class BatchLine(Answer):
    """One line: a user's list as ``GET /v1/users/{user_id}/recommendations`` has it, one page."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "42",
                    "model": {**MODEL_EXAMPLE, "fresh_ratings": 1},
                    "matched": 9481,
                    "movies": [{**SHAWSHANK, "score": 0.93, "predicted_rating": 4.6}],
                }
            ]
        }
    )
    user_id: str
    model: ModelBlock
    fallback: Literal["popular"] | None = Field(
        None, description="There when nothing is known of the user."
    )
    matched: int
    effect: Effect | None = Field(
        None, description="With diversity, novelty or calibration: what they changed."
    )
    movies: list[Recommendation]
