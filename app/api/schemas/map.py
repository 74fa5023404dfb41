"""What the map's addresses answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.api.schemas.fields import Answer


class MapAxis(Answer):
    """One axis of the plane."""

    share: float = Field(description="Share of the variance of within-user scores, 0 to 1.")
    negative: str | None = Field(description="What the negative end is called, if known.")
    positive: str | None = Field(description="What the positive end is called, if known.")


class MapFidelity(Answer):
    """How far the plane can be trusted."""

    variance_kept: float = Field(description="Share of variance that the plane keeps, 0 to 1.")
    top_n: int = Field(description="How many best movies were compared.")
    top_agreement: float = Field(description="Share of them that plane and model agree on.")
    top_agreement_interval: list[float] = Field(description="Its 95 % interval: low, high.")
    rank_correlation: float | None = Field(description="Median Spearman correlation of a user.")
    users_compared: int
    sampled: bool = Field(description="Whether these are a sample of the users.")
    grade: Literal["good", "fair", "poor"]
    words: str = Field(description="The same as a sentence.")


class MapMeta(Answer):
    """Everything about a picture but its points."""

    model: Literal["course", "current"]
    projection: Literal["scores", "raw"]
    version: str = Field(description="Changes when any point does; send it to pin the answers.")
    generation: int | None
    trained_at: str | None
    projections: list[Literal["scores", "raw"]]
    users: int
    movies: int
    factors: int
    centred: bool = Field(description="Whether scores are relative to the user's average movie.")
    bbox: list[float] = Field(description="Left, bottom, right, top; the origin is inside.")
    singular_values: list[float] = Field(description="The first ones, falling; none when raw.")
    axes: list[MapAxis]
    fidelity: MapFidelity
    genre_names: list[str] = Field(description="Bit i of a movie's genres is genre_names[i].")
    log_popularity_scale: int
    matrix: bool = Field(description="Whether /v1/map/matrix answers for this model.")
    notice: str | None = Field(description="What has to be said about the data.")
    how_to_read: str


class MapMovies(Answer):
    """The movies, column by column, in the order of the points."""

    model: Literal["course", "current"]
    version: str
    movie_ids: list[str]
    titles: list[str]
    years: list[int | None]
    genre_names: list[str]
    genres: list[int] = Field(description="A mask: bit i is genre_names[i].")
    n_ratings: list[int]
    available: list[bool]


class MapUserIds(Answer):
    """The users in the order of the points."""

    model: Literal["course", "current"]
    version: str
    user_ids: list[str]
    n_ratings: list[int]


class MapMatrix(Answer):
    """A small world in full: vectors, products, observations."""

    model: Literal["course", "current"]
    version: str
    user_ids: list[str]
    movie_ids: list[str]
    titles: list[str]
    user_vectors: list[list[float]]
    movie_vectors: list[list[float]]
    products: list[list[float]] = Field(description="User times movie, unrounded.")
    observed: list[list[float | None]] = Field(description="What was rated; null is a blank.")
    ticks: bool = Field(description="Whether an observed value means no more than a tick.")
