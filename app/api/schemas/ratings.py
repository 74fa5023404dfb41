"""Ratings in bodies and answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from app.api.schemas.fields import Answer, MovieId, Schema, Stars, Time, UserId


class RatingBody(Schema):
    """What ``PUT`` takes for one rating."""

    rating: Stars
    rated_at: Annotated[
        Time | None,
        Field(description="When it was given: from 1970 to a minute from now; now if left out."),
    ] = None


class BulkRating(RatingBody):
    """One row of ``POST /v1/ratings``."""

    user_id: UserId
    movie_id: MovieId


class Rating(Answer):
    """A stored rating."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "42",
                    "movie_id": "318",
                    "rating": 5.0,
                    "rated_at": "2026-11-23T10:00:00Z",
                    "version": 100837,
                }
            ]
        }
    )
    user_id: str
    movie_id: str
    rating: float
    rated_at: str
    version: int = Field(description="Grows with every stored change.")


class DeletedRating(Answer):
    """The receipt of a deletion."""

    user_id: str
    movie_id: str
    version: int


class RatingLine(Answer):
    """One rating in the list of a user."""

    movie_id: str
    title: str | None
    year: int | None
    genres: list[str]
    rating: float
    rated_at: str
    version: int


class UserRatings(Answer):
    """A page of a user's ratings, by movie id."""

    user_id: str
    ratings: list[RatingLine]
    next_cursor: str | None


class BulkResult(Answer):
    """What became of one row."""

    row: int = Field(description="Its place in the array, from 0.")
    status: Literal[200, 404, 422]
    version: int | None = None
    field: str | None = None
    message: str | None = None


class BulkResults(Answer):
    """What became of all rows, in their order."""

    stored: int
    refused: int
    results: list[BulkResult]
