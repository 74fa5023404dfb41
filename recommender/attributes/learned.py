"""What a training has learned of attributes: a map for each of its models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from recommender.attributes.attribute_map import AttributeMap, trust
from recommender.attributes.features import Features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.attributes.item_attributes import ItemAttributes


@dataclass(frozen=True, eq=False)
class LearnedAttributes:
    """A map for the model that ranks and, where there is one, for the model of stars.

    A map's vectors are the model's k factors, and after them the bias, which is 0 in a model
    without biases: (m, k+1).
    """

    ranking: AttributeMap
    stars: AttributeMap | None = None

    @classmethod
    def fit(
        cls,
        attributes: ItemAttributes,
        n_ratings: NDArray[np.integer[Any]],
        ranking: NDArray[np.float32],
        stars: NDArray[np.float32] | None = None,
    ) -> Self:
        """Learn from all items of a training.

        Parameters
        ----------
        attributes
            Of n items.
        n_ratings
            (n,) how many ratings each has; one without any teaches nothing.
        ranking, stars
            (n, k+1) their vectors, and after each its bias; see :func:`with_bias`.
        """
        features, weights = Features.of(attributes), trust(n_ratings)
        first = AttributeMap.fit(attributes, ranking, weights, features)
        if stars is None:
            return cls(first)
        return cls(first, AttributeMap.fit(attributes, stars, weights, features))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that :meth:`from_arrays` takes back."""
        tables = {"ranking": self.ranking.table}
        if self.stars is not None:
            tables["stars"] = self.stars.table
        return {**self.ranking.features.arrays(), **tables}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        """Open what :meth:`arrays` gave.

        Raises
        ------
        InvalidInputError
            When the arrays do not fit together, or are not finite.
        """
        features = Features.from_arrays(arrays)
        stars = AttributeMap(features, arrays["stars"]) if "stars" in arrays else None
        return cls(AttributeMap(features, arrays["ranking"]), stars)


def with_bias(
    vectors: NDArray[np.float32], biases: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """(n, k+1) float32: vectors, and after each its bias, 0 where there are none."""
    last = np.zeros(len(vectors), np.float32) if biases is None else biases
    return np.column_stack((vectors, last))
