"""What an experiment asks of a model; whatever answers can take part."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recommender.arrays import Rows, SparseRows

Progress = Callable[[str, int, int], None]
"""Called with the phase, the steps done and the steps to do."""


class Ranker(Protocol):
    """Scores items for users of its training."""

    def score_users(self, user_rows: Rows) -> NDArray[np.float32]:
        """(B, n_items) float32: the finite score of every item for each of (B,) users."""


class HistoryRanker(Protocol):
    """Scores items for users whom its training never saw."""

    def score_histories(self, histories: SparseRows, rows: Rows) -> NDArray[np.float32]:
        """(B, n_items) float32: the finite score of every item for some rows of the histories."""


class StarPredictor(Protocol):
    """Predicts stars."""

    def predict(self, user_ids: NDArray[Any], item_ids: NDArray[Any]) -> NDArray[np.float32]:
        """(n,) float32: the stars of each pair; unknown ids fall back to what is known."""
