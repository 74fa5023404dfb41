"""Someone with a vector: from the training, or folded in a moment ago; both answer alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import as_count, as_mask
from recommender.errors import UnknownItemError
from recommender.explanation import Explanation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from recommender.arrays import Rows, Scores, Vector
    from recommender.data.vocabulary import Id
    from recommender.models.factor_model import FactorModel


@dataclass(frozen=True, eq=False)
class FoldedUser:
    """A user's vector with the ratings that it stands for.

    Attributes
    ----------
    model
        Whose items it ranks.
    vector
        (k,) float32; where the model has biases (k+1,), the last entry being the user's bias.
    rated
        (n,) int64 item rows, increasing.
    values
        (n,) float32 stars.
    """

    model: FactorModel
    vector: Vector
    rated: Rows
    values: NDArray[np.float32]

    def recommend(
        self, n: int = 10, exclude_seen: bool = True, mask: ArrayLike | None = None
    ) -> tuple[NDArray[Any], Scores]:
        """Return the n best items, as :meth:`FactorModel.recommend` does for a known user."""
        rows, scores = self.best_rows(as_count(n), exclude_seen, mask)
        return self.model.item_ids[rows], scores

    def explain(self, item_id: Id) -> Explanation:
        """Say which of the ratings made the score of one item."""
        row = self.model.item_row(item_id)
        parts = self.contributions(np.array([row]))[0]
        strongest_first = np.argsort(-parts, kind="stable")
        base = self.model.base_of(row)
        return Explanation(
            self.model.item_ids[self.rated[strongest_first]],
            parts[strongest_first],
            base,
            base + float(parts.sum()),
        )

    def predict(self, item_ids: Sequence[Id] | NDArray[Any]) -> Scores:
        """(n,) float32: the score of each item; of an unknown one, the mean and the user's bias."""
        rows = self.model.items.rows(item_ids)
        known = rows >= 0
        bias = float(self.vector[-1]) if self.model.user_biases is not None else 0.0
        scores = np.full(len(rows), self.model.global_bias + bias, dtype=np.float32)
        scores[known] = self.model.score_rows(self.vector, rows[known])
        return scores

    def best_rows(self, n: int, exclude_seen: bool, mask: ArrayLike | None) -> tuple[Rows, Scores]:
        """Return the rows and the scores of the n best items."""
        allowed = as_mask(mask, len(self.model.items))
        return self.model.best_rows(self.vector, n, allowed, self.rated if exclude_seen else None)

    def contributions(self, asked: Rows) -> NDArray[np.float64]:
        """(len(asked), n) float64: what each rating contributes to the scores of the asked rows."""
        if len(asked) and (asked.min() < 0 or asked.max() >= len(self.model.items)):
            raise UnknownItemError("an item row outside the model")
        return self.contributions_to(self.model.item_factors[asked])

    def contributions_to(self, item_vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """(m, n) float64: what each rating contributes to (m, k) item vectors, known or not."""
        return self.model.explain_vectors(self.rated, self.values, item_vectors)
