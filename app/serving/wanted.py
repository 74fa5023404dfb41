"""What is asked of a list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from recommender.data.rating_scale import RatingScale
from recommender.reranking import Weights

if TYPE_CHECKING:
    from recommender.arrays import Mask, Vector

ADDED = ("score", "predicted_rating", "because")
"""What a list of recommendations adds to a movie."""


AS_RANKED = Weights()
"""No reranking."""


class Position(NamedTuple):
    """Where a page ended, and with which vector its list was made.

    Attributes
    ----------
    score
        Of the last movie of that page.
    movie_id
        Its id: rows of newcomers change as others come and go.
    vector
        The vector that the list was begun with, when it is not the one of the training.
    popular
        Whether the list is the same for all.
    fresh
        How many changes newer than the model went into it.
    """

    score: float
    movie_id: str
    vector: Vector | None = None
    popular: bool = False
    fresh: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes
    ----------
    n
        How many movies.
    exclude_seen
        Whether to leave out what the user has rated.
    explain
        Whether to say why.
    scale
        On which predicted ratings are told.
    expression, allowed
        The filter, and (n_rows,) bool which available movies it lets through; ``None`` for all.
    weights
        How much the list is reranked.
    fields
        What is told of each movie; ``None`` for the usual.
    after
        Where the page before ended; ``None`` for the first.
    """

    n: int = 10
    exclude_seen: bool = True
    explain: bool = False
    scale: RatingScale = field(default_factory=RatingScale)
    expression: str | None = None
    allowed: Mask | None = None
    weights: Weights = AS_RANKED
    fields: tuple[str, ...] | None = None
    after: Position | None = None
