"""What models that know a user by the rated items alone have in common: how they are asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import frozen
from recommender.models.checking import check_histories, check_rows
from recommender.models.products import table_of
from recommender.solvers.threads import available_threads, run_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Rows, Scores, SparseRows
    from recommender.data.ratings import Ratings
    from recommender.data.vocabulary import Vocabulary

_ROWS_A_THREAD = 16
"""How many users are worth a thread: to start one takes as long as a few lists."""


@dataclass(frozen=True, eq=False)
class ItemBasedModel(ABC):
    """A model that knows a user by the ratings alone: ``score(u, i) = Σ_j x_uj · weight_ji``.

    So someone whom training never saw is served as well as its own users, without folding in.

    Attributes
    ----------
    ratings
        What it was trained on: the vocabularies, and what each user has rated.
    values
        ``"ones"`` or ``"stars"``: what x_uj is where u has rated j; 0 where not.
    threads
        Cores to score with; ``None`` for all that the process may use.
    """

    ratings: Ratings
    values: str
    threads: int | None

    @property
    def users(self) -> Vocabulary:
        """The user ids and their rows."""
        return self.ratings.users

    @property
    def items(self) -> Vocabulary:
        """The item ids and their rows."""
        return self.ratings.items

    def score_user(self, user_row: int) -> Scores:
        """(n_items,) float32: the score of every item for a user of the training."""
        scores: Scores = self.score_users(np.array([user_row]))[0]
        return scores

    def score_users(self, user_rows: Rows) -> NDArray[np.float32]:
        """(B, n_items) float32: the score of every item for each of (B,) users of the training.

        What may be asked is said by :class:`recommender.evaluation.contestants.Ranker`.
        """
        return self._score(self.ratings.by_user, user_rows)

    def score_histories(self, histories: SparseRows, rows: Rows) -> NDArray[np.float32]:
        """(B, n_items) float32: the score of every item for each of (B,) histories of strangers.

        What may be asked is said by :class:`recommender.evaluation.contestants.HistoryRanker`.
        Who has rated nothing gets zeros.
        """
        check_histories(histories, self.ratings.n_items)
        return self._score(histories, rows)

    def _score(self, histories: SparseRows, rows: Rows) -> NDArray[np.float32]:
        chosen = frozen(check_rows(rows, histories.n_rows))
        table = frozen(table_of(histories.levels, self.values))
        scores = np.zeros((len(chosen), self.ratings.n_items), np.float32)
        threads = min(self.threads or available_threads(), 1 + len(chosen) // _ROWS_A_THREAD)
        run_shares(
            lambda share: self._add_scores(histories, table, chosen, frozen(share), scores),
            [np.arange(thread, len(chosen), threads) for thread in range(threads)],
        )
        return scores

    @abstractmethod
    def _add_scores(
        self,
        histories: SparseRows,
        table: NDArray[np.float32],
        chosen: Rows,
        places: Rows,
        scores: NDArray[np.float32],
    ) -> None:
        """Add to ``scores[p]`` what the history ``chosen[p]`` says, for each p of ``places``."""
