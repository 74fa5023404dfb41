"""How well anybody's factors rank: NDCG@10 of the users who judge, by our own evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix

from recommender import Ratings
from recommender.data.splitting import Split
from recommender.evaluation.protocols import full_ranking

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.training.matrix import Stored


@dataclass(frozen=True, eq=False)
class _Factors:
    users: NDArray[np.float32]
    items: NDArray[np.float32]

    def score_users(self, user_rows: NDArray[np.int64]) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = self.users[user_rows] @ self.items.T
        return scores


def ndcg_at_10(stored: Stored, W: NDArray[np.float32], H: NDArray[np.float32]) -> float:
    """Rank the whole catalogue without what the user was trained on; the mean over the judges.

    Parameters
    ----------
    W, H
        (n_users, k) and (n_items, k): of all users, in the order of the stored matrix.
    """
    known = np.concatenate(
        [stored.indices[stored.indptr[user] : stored.indptr[user + 1]] for user in stored.judges]
    )
    counts = np.diff(stored.indptr)[stored.judges]
    train = _ratings(stored, np.concatenate(([0], np.cumsum(counts))), known)
    test = _ratings(stored, stored.held_indptr, stored.held_indices)
    ranker = _Factors(np.ascontiguousarray(W[stored.judges]), H)
    return float(full_ranking(ranker, Split(train, test))["ndcg"].mean())


def _ratings(stored: Stored, indptr: NDArray[Any], indices: NDArray[np.int32]) -> Ratings:
    shape = (len(stored.judges), stored.about.n_items)
    ones = np.ones(len(indices), np.float32)
    return Ratings.from_sparse(csr_matrix((ones, indices, indptr), shape=shape))
