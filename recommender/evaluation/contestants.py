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
        """Score every item for some users.

        Parameters
        ----------
        user_rows
            (B,) whole numbers: rows of users in the training, in any order, repeated or not.

        Returns
        -------
        (B, n_items) float32, finite, larger is better: a line a user, a column an item of the
        training. The array is the caller's own.

        Raises
        ------
        InvalidInputError
            When a row is none of a user. (A model that answers everyone alike may not know.)
        """


class HistoryRanker(Protocol):
    """Scores items for users whom its training never saw, by what they have rated."""

    def score_histories(self, histories: SparseRows, rows: Rows) -> NDArray[np.float32]:
        """Score every item for some histories.

        Parameters
        ----------
        histories
            (n, n_items) sparse: stars in the item rows of the training.
        rows
            (B,) whole numbers: which rows of it are asked for, in any order, repeated or not.

        Returns
        -------
        (B, n_items) float32, finite, larger is better; for who has rated nothing too. The array
        is the caller's own.

        Raises
        ------
        InvalidInputError
            When the histories are about another number of items, or a row is not there.
        """


class StarPredictor(Protocol):
    """Predicts stars."""

    def predict(self, user_ids: NDArray[Any], item_ids: NDArray[Any]) -> NDArray[np.float32]:
        """(n,) float32: the stars of each pair; unknown ids fall back to what is known."""
