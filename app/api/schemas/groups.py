"""Lists for groups."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from app.api.schemas.fields import Answer, UserId
from app.api.schemas.lists import PlainListBody
from app.api.schemas.movies import MODEL_EXAMPLE, SHAWSHANK, ChosenMovieLine, ModelBlock
from app.limits import LIMITS
from recommender.reranking import Strategy

_ASKED: dict[str, Any] = {"user_ids": ["42", "7"], "strategy": "least_misery"}


class GroupBody(PlainListBody):
    """What ``POST /v1/recommendations/group`` takes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_ASKED, "n": 10}]})
    user_ids: Annotated[
        list[UserId],
        Field(min_length=1, max_length=LIMITS.group_users, description="The members, each once."),
    ]
    strategy: Annotated[
        Strategy,
        Field(
            description="`average`: by the mean of the members' scores. `least_misery`: by the "
            "smallest. `fair`: chosen as a whole, so that soon everyone finds something."
        ),
    ] = "average"


class Member(Answer):
    """What one member would have of a movie."""

    user_id: str
    score: float = Field(description="What ranks the movie for this member alone.")
    predicted_rating: float | None


class GroupMovie(ChosenMovieLine):
    """One line of the list."""

    score: float | None = Field(
        None, description="The members' mean score; with `least_misery` the smallest."
    )
    predicted_rating: float | None = Field(
        None,
        description="The mean of the members' stars, with `least_misery` the fewest; null when "
        "the model predicts none.",
    )
    members: list[Member] | None = Field(
        None, description="The members of whom something is known, in the order asked."
    )


class GroupRecommendations(Answer):
    """A list for a group."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_ASKED,
                    "model": {**MODEL_EXAMPLE, "fresh_ratings": 1},
                    "matched": 9204,
                    "movies": [
                        {
                            **SHAWSHANK,
                            "score": 0.71,
                            "predicted_rating": 4.2,
                            "members": [
                                {"user_id": "42", "score": 0.93, "predicted_rating": 4.6},
                                {"user_id": "7", "score": 0.71, "predicted_rating": 4.2},
                            ],
                        }
                    ],
                    "unknown_users": [],
                }
            ]
        }
    )
    user_ids: list[str]
    strategy: Strategy
    model: ModelBlock
    fallback: Literal["popular"] | None = Field(
        None,
        description="There when nothing is known of any member and the list is the same for all; "
        "score is then the share of users who rated the movie.",
    )
    matched: int = Field(description="How many movies could be in the list.")
    movies: list[GroupMovie]
    unknown_users: list[str] = Field(
        description="Members of whom nothing is known; they have no say in the list."
    )
