"""Lists of recommendations, and what an anonymous visitor sends to get one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from app.api.schemas.fields import FILTER_HELP, Answer, MovieId, Schema, Stars
from app.api.schemas.movies import SHAWSHANK, ModelBlock, MovieLine
from app.limits import LIMITS


class Reason(Answer):
    """A movie that the user rated, and what that added to the score."""

    movie_id: str
    title: str
    contribution: float


class Recommendation(MovieLine):
    """One line of the list."""

    score: float = Field(description="What ranks: the dot product of user and movie.")
    predicted_rating: float | None = Field(
        description="Stars that this user would give; null when the model predicts none."
    )
    because: list[Reason] | None = Field(
        None, description="With explain=true: the up to three ratings that speak most for it."
    )


class Recommendations(Answer):
    """A list for a user."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "42",
                    "model": {
                        "generation": 7,
                        "trained_at": "2026-11-23T10:00:00Z",
                        "fresh_ratings": 1,
                    },
                    "matched": 9481,
                    "movies": [
                        {
                            **SHAWSHANK,
                            "score": 0.93,
                            "predicted_rating": 4.6,
                            "because": [
                                {"movie_id": "296", "title": "Pulp Fiction", "contribution": 0.21}
                            ],
                        }
                    ],
                }
            ]
        }
    )
    user_id: str
    model: ModelBlock
    fallback: Literal["popular"] | None = Field(
        None,
        description="There when nothing is known of the user and the list is the same for all; "
        "score is then the share of users who rated the movie.",
    )
    matched: int = Field(description="How many movies could have been in the list.")
    movies: list[Recommendation]


class AnonymousRecommendations(Answer):
    """A list for somebody who is not stored."""

    model: ModelBlock
    fallback: Literal["popular"] | None = None
    matched: int
    movies: list[Recommendation]
    unknown_movies: list[str] = Field(
        description="Rated movies that the model does not know; they were left out."
    )


class AnonymousRating(Schema):
    """One rating of the visitor."""

    movie_id: MovieId
    rating: Stars


class AnonymousBody(Schema):
    """What ``POST /v1/recommendations`` takes; nothing of it is stored."""

    ratings: Annotated[list[AnonymousRating], Field(max_length=LIMITS.anonymous_ratings)]
    n: Annotated[int, Field(ge=1, le=LIMITS.n)] = 10
    exclude_seen: bool = True
    explain: bool = False
    filter: Annotated[
        str | None, Field(max_length=LIMITS.filter_length, description=FILTER_HELP)
    ] = None
