"""Movies in bodies and answers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from app.api.schemas.fields import NO_CONTROL, Answer, Attributes, Schema
from app.limits import LIMITS
from recommender.data.cells import FIRST_YEAR, LAST_YEAR

Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LIMITS.title_length, pattern=NO_CONTROL),
    Field(examples=["The Shawshank Redemption"]),
]
Genre = Annotated[
    str, StringConstraints(min_length=1, max_length=LIMITS.genre_length, pattern=NO_CONTROL)
]

SHAWSHANK: dict[str, Any] = {
    "movie_id": "318",
    "title": "The Shawshank Redemption",
    "year": 1994,
    "genres": ["Crime", "Drama"],
}

MODEL_EXAMPLE: dict[str, Any] = {
    "generation": 7,
    "trained_at": "2026-11-23T10:00:00Z",
    "fresh_ratings": 0,
}


class MovieBody(Schema):
    """A movie as ``PUT /v1/movies/{movie_id}`` takes it: the whole record, not a change to it."""

    title: Title
    year: Annotated[int | None, Field(ge=FIRST_YEAR, le=LAST_YEAR)] = None
    genres: Annotated[list[Genre], Field(max_length=LIMITS.genres)] = Field(default_factory=list)
    available: bool = Field(True, description="False keeps it out of every list.")
    attributes: Attributes = Field(default_factory=dict)


class MovieLine(Answer):
    """What every list says of a movie."""

    movie_id: str
    title: str
    year: int | None
    genres: list[str]


class ChosenMovieLine(Answer):
    """What a list says of a movie: all but its attributes, or what ``fields`` names."""

    movie_id: str
    title: str | None = None
    year: int | None = None
    genres: list[str] | None = None
    attributes: dict[str, Any] | None = None


class Movie(MovieLine):
    """A movie of the catalogue."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**SHAWSHANK, "available": True, "attributes": {}}]}
    )
    available: bool
    attributes: dict[str, Any]


class Movies(Answer):
    """A page of the catalogue."""

    movies: list[Movie]
    next_cursor: str | None


class ModelBlock(Answer):
    """Which model answered."""

    generation: int
    trained_at: str
    fresh_ratings: int = Field(
        description="Changes of this user that are newer than the model and taken into account."
    )


class SimilarMovie(ChosenMovieLine):
    """A neighbour."""

    score: float | None = Field(
        None, description="The cosine of the two embeddings, -1 to 1; with `by=dot` their product."
    )


class SimilarMovies(Answer):
    """The nearest neighbours of a movie, nearest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "movie_id": "296",
                    "model": MODEL_EXAMPLE,
                    "movies": [{**SHAWSHANK, "score": 0.87}],
                }
            ]
        }
    )
    movie_id: str
    model: ModelBlock
    movies: list[SimilarMovie]


class PopularMovie(ChosenMovieLine):
    """A movie with how often it was rated."""

    n_ratings: int | None = Field(None, description="Ratings that the model was trained on.")
    trend: float | None = Field(
        None, description="With `by=trend`: its ratings, each halved for every month since."
    )


class PopularMovies(Answer):
    """The movies with the most ratings, most first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": MODEL_EXAMPLE,
                    "matched": 9742,
                    "movies": [{**SHAWSHANK, "n_ratings": 317, "trend": 4.2}],
                }
            ]
        }
    )
    model: ModelBlock
    matched: int
    movies: list[PopularMovie]
