"""An item with a vector that is not among those of the training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recommender.arrays import Vector


@dataclass(frozen=True, eq=False)
class ItemVector:
    """What a user's score of an item needs: ``mean + b_u + bias + w_u · vector``.

    Attributes
    ----------
    vector
        (k,) float32, beside ``FactorModel.item_factors``.
    bias
        In the units of the ratings, beside ``FactorModel.item_biases``; 0 where the model has
        no biases.
    """

    vector: Vector
    bias: float
