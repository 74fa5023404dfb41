"""A user's list if some ratings were other ones."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from app.api.schemas.fields import Answer, MovieId, UserId
from app.api.schemas.lists import PlainListBody
from app.api.schemas.movies import MODEL_EXAMPLE, SHAWSHANK, ChosenMovieLine, ModelBlock, MovieLine
from app.api.schemas.recommendations import AnonymousRating, Reason
from app.limits import LIMITS

_PULP: dict[str, Any] = {
    "movie_id": "296",
    "title": "Pulp Fiction",
    "year": 1994,
    "genres": ["Crime", "Drama"],
}


class WhatIfBody(PlainListBody):
    """What ``POST /v1/recommendations/what-if`` takes; nothing of it is stored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "42",
                    "set": [{"movie_id": "296", "rating": 5}],
                    "remove": ["593"],
                    "n": 10,
                }
            ]
        }
    )
    user_id: UserId
    set: Annotated[
        list[AnonymousRating],
        Field(
            max_length=LIMITS.anonymous_ratings,
            description="Ratings that the user would have given, in place of those before.",
        ),
    ] = Field(default_factory=list)
    remove: Annotated[
        list[MovieId],
        Field(
            max_length=LIMITS.anonymous_ratings,
            description="Movies that the user would not have rated.",
        ),
    ] = Field(default_factory=list)
    explain: bool = False


class MovedMovie(ChosenMovieLine):
    """One line of the new list."""

    rank: int | None = Field(None, description="Its place in the list, from 1.")
    rank_before: int | None = Field(
        None,
        description="Its place in the whole list before, from 1; null when it could not be in it, "
        "or when nothing was known of the user.",
    )
    score: float | None = Field(None, description="What ranks.")
    score_before: float | None = Field(
        None, description="What ranked it before; null where `rank_before` is."
    )
    predicted_rating: float | None = Field(
        None, description="Stars that this user would give; null when the model predicts none."
    )
    predicted_rating_before: float | None = None
    because: list[Reason] | None = Field(
        None, description="With explain=true: the up to three ratings that speak most for it."
    )


class LeftMovie(MovieLine):
    """A movie that would be in the list no more."""

    rank_before: int
    rank: int | None = Field(
        description="Its place in the whole new list; null when it cannot be in it, being rated."
    )


class WhatIf(Answer):
    """The list that a user would have, and how movies would move."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "42",
                    "model": MODEL_EXAMPLE,
                    "matched": 9480,
                    "movies": [
                        {
                            **SHAWSHANK,
                            "rank": 1,
                            "rank_before": 4,
                            "score": 0.98,
                            "score_before": 0.93,
                            "predicted_rating": 4.7,
                            "predicted_rating_before": 4.6,
                        }
                    ],
                    "left": [{**_PULP, "rank_before": 1, "rank": None}],
                    "unknown_movies": [],
                    "not_rated": ["593"],
                }
            ]
        }
    )
    user_id: str
    model: ModelBlock
    fallback: Literal["popular"] | None = Field(
        None,
        description="There when nothing would be known of the user and the list would be the same "
        "for all; score is then the share of users who rated the movie.",
    )
    matched: int = Field(description="How many movies could be in the new list.")
    movies: list[MovedMovie]
    left: list[LeftMovie] = Field(
        description="Those of the first n before that are no more among the first n."
    )
    unknown_movies: list[str] = Field(
        description="Movies of `set` and `remove` that the model does not know: what they are "
        "rated says nothing to it."
    )
    not_rated: list[str] = Field(
        description="Movies of `remove` that the user has not rated, without effect."
    )
