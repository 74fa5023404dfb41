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


class SimilarMovie(MovieLine):
    """A neighbour."""

    score: float = Field(
        description="The cosine of the two embeddings, -1 to 1; with `by=dot` their product."
    )


class SimilarMovies(Answer):
    """The nearest neighbours of a movie, nearest first."""

    movie_id: str
    model: ModelBlock
    movies: list[SimilarMovie]


class PopularMovie(MovieLine):
    """A movie with how often it was rated."""

    n_ratings: int = Field(description="Ratings that the model was trained on.")


class PopularMovies(Answer):
    """The movies with the most ratings, most first."""

    model: ModelBlock
    matched: int
    movies: list[PopularMovie]
