"""Lists of recommendations, and what an anonymous visitor sends to get one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from app.api.schemas.fields import Answer, CursorField, MovieId, Schema, Stars
from app.api.schemas.lists import ListBody
from app.api.schemas.movies import MODEL_EXAMPLE, SHAWSHANK, ChosenMovieLine, ModelBlock
from app.limits import LIMITS


class Reason(Answer):
    """A movie that the user rated, and what that added to the score."""

    movie_id: str
    title: str
    contribution: float


class Recommendation(ChosenMovieLine):
    """One line of the list."""

    score: float | None = Field(None, description="What ranks: the dot product of user and movie.")
    predicted_rating: float | None = Field(
        None, description="Stars that this user would give; null when the model predicts none."
    )
    because: list[Reason] | None = Field(
        None, description="With explain=true: the up to three ratings that speak most for it."
    )


class Measures(Answer):
    """What a list is like."""

    score: float | None = Field(description="The mean score.")
    diversity: float | None = Field(
        description="The mean of 1 - cosine over all pairs of its movies, 0 to 2."
    )
    novelty: float | None = Field(
        description="The mean of -log2 of the part of users who rated a movie, in bits."
    )
    miscalibration: float | None = Field(
        description="How far its genres are from the user's: the Kullback-Leibler divergence, bits."
    )


class Effect(Answer):
    """What reranking changed: the list that would have been, and the list that is."""

    pool: int = Field(description="Among how many of the best movies was chosen.")
    replaced: int = Field(description="How many movies would not be in the list without it.")
    before: Measures
    after: Measures


NEXT: Any = Field(
    None, description="Send it as cursor for the next page; null on the last, or when reranked."
)


class Recommendations(Answer):
    """A list for a user."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "42",
                    "model": {**MODEL_EXAMPLE, "fresh_ratings": 1},
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
                    "next_cursor": "lqC6Tz0…",
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
    matched: int = Field(description="How many movies could be in the list, on all its pages.")
    effect: Effect | None = Field(
        None, description="With diversity, novelty or calibration: what they changed."
    )
    movies: list[Recommendation]
    next_cursor: str | None = NEXT


class AnonymousRecommendations(Answer):
    """A list for somebody who is not stored."""

    model: ModelBlock
    fallback: Literal["popular"] | None = None
    matched: int
    effect: Effect | None = None
    movies: list[Recommendation]
    next_cursor: str | None = NEXT
    unknown_movies: list[str] = Field(
        description="Rated movies that the model does not know; they were left out."
    )


class AnonymousRating(Schema):
    """One rating of the visitor."""

    movie_id: MovieId
    rating: Stars


class AnonymousBody(ListBody):
    """What ``POST /v1/recommendations`` takes; nothing of it is stored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "ratings": [{"movie_id": "318", "rating": 5}, {"movie_id": "296", "rating": 2}],
                    "n": 10,
                    "filter": 'year >= 1990 and not "Horror" in genres',
                    "explain": True,
                }
            ]
        }
    )
    ratings: Annotated[list[AnonymousRating], Field(max_length=LIMITS.anonymous_ratings)]
    cursor: CursorField = None
