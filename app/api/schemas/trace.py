"""Why a list is what it is: each stage on the way to it, and what the stage dropped."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from app.api.schemas.fields import Answer
from app.api.schemas.movies import MODEL_EXAMPLE, SHAWSHANK, ModelBlock, MovieLine
from app.api.schemas.recommendations import Reason

StageName = Literal["catalogue", "vector", "filter", "seen", "top_n", "rerank"]
DropReason = Literal[
    "not_in_catalogue",
    "unavailable",
    "no_vector",
    "filter",
    "seen",
    "score_too_low",
    "reranked",
]

SCORE: Any = Field(
    description="What ranks; the share of users who rated the movie when nobody was identified; "
    "null without a vector."
)
RANK: Any = Field(
    description="Its place, from 1, among all movies that have a score, whether they may appear "
    "or not."
)


class Identified(Answer):
    """Whom the list is for, as the model sees them."""

    as_: Literal["trained", "folded_in", "nobody"] = Field(
        alias="as",
        description="`trained`: with the vector of the training; `folded_in`: with one made of the "
        "ratings as they are now; `nobody`: of whom nothing is known, so that the list is popular.",
    )
    ratings: int = Field(description="How many rated movies the vector stands for.")
    fresh_ratings: int = Field(description="How many changes newer than the model are in it.")
    vector_length: float | None = Field(description="The norm of the vector; null for nobody.")


class DroppedMovie(Answer):
    """A movie that a stage dropped."""

    movie_id: str
    title: str | None = Field(description="Null when the catalogue does not have the movie.")
    score: float | None = SCORE
    rank: int | None = RANK


class Dropped(Answer):
    """What a stage dropped for one reason."""

    reason: DropReason
    movies: int = Field(description="How many.")
    examples: list[DroppedMovie] = Field(description="Up to ten, the highest scores first.")


class Stage(Answer):
    """One stage on the way from all movies to the list."""

    stage: StageName
    taken_in: int
    let_out: int = Field(description="What the next stage takes in; of the last, the list.")
    dropped: list[Dropped]
    expression: str | None = Field(None, description="Of the filter: what was asked for.")
    lowest_score: float | None = Field(
        None, description="Of top_n: the score of the last movie that it let through."
    )


class TracedMovie(MovieLine):
    """A line of the list."""

    score: float = SCORE
    rank: int = Field(description="Its place in the list before reranking, from 1.")
    rank_now: int = Field(description="Its place in the list, from 1.")
    because: list[Reason] | None = Field(
        None, description="With explain=true: the up to three ratings that speak most for it."
    )


class Fate(DroppedMovie):
    """What became of the movie that was asked about."""

    in_list: bool
    rank_now: int | None = Field(description="Its place in the list, from 1.")
    dropped_by: StageName | None = Field(description="The stage that dropped it.")
    reason: DropReason | None = Field(description="Why that stage dropped it.")
    because: list[Reason] = Field(description="The up to three ratings that speak most for it.")
    contributions_sum: float | None = Field(
        description="What all ratings contribute, together: the score. Null without one of the two."
    )


def _stage(stage: StageName, taken_in: int, let_out: int, **more: Any) -> dict[str, Any]:
    counts = {"stage": stage, "taken_in": taken_in, "let_out": let_out}
    return {**counts, "dropped": [], **more}


def _dropped(reason: DropReason, movies: int, example: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"reason": reason, "movies": movies, "examples": [example]}]


_PULP: dict[str, Any] = {"movie_id": "296", "title": "Pulp Fiction", "score": 1.02, "rank": 1}
_FARGO: dict[str, Any] = {"movie_id": "608", "title": "Fargo", "score": 0.71, "rank": 58}
_HEAT: dict[str, Any] = {"movie_id": "6", "title": "Heat", "score": 0.9, "rank": 12}


class Trace(Answer):
    """A user's list with all that became of the movies that are not in it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "42",
                    "model": MODEL_EXAMPLE,
                    "identified": {
                        "as": "trained",
                        "ratings": 519,
                        "fresh_ratings": 0,
                        "vector_length": 1.37,
                    },
                    "stages": [
                        _stage("catalogue", 10_000, 10_000),
                        _stage("vector", 10_000, 10_000),
                        _stage(
                            "filter",
                            10_000,
                            7_000,
                            dropped=_dropped("filter", 3_000, _HEAT),
                            expression='not "Action" in genres',
                        ),
                        _stage("seen", 7_000, 6_481, dropped=_dropped("seen", 519, _PULP)),
                        _stage(
                            "top_n",
                            6_481,
                            1,
                            dropped=_dropped("score_too_low", 6_480, _FARGO),
                            lowest_score=0.93,
                        ),
                    ],
                    "movies": [{**SHAWSHANK, "score": 0.93, "rank": 1, "rank_now": 1}],
                    "movie": {
                        **_FARGO,
                        "in_list": False,
                        "rank_now": None,
                        "dropped_by": "top_n",
                        "reason": "score_too_low",
                        "because": [
                            {"movie_id": "296", "title": "Pulp Fiction", "contribution": 0.21}
                        ],
                        "contributions_sum": 0.71,
                    },
                }
            ]
        }
    )
    user_id: str
    model: ModelBlock
    identified: Identified
    stages: list[Stage] = Field(
        description="In their order; rerank stands there when the list was reranked."
    )
    movies: list[TracedMovie] = Field(description="The list, as /recommendations has it.")
    movie: Fate | None = Field(None, description="With movie_id: what became of that movie.")
