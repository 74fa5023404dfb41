"""Many users at a time: their vectors, and the score of every item for each of them.

One matrix product for a batch of users is many times as quick as a product for each of them. How
many there are in a batch is for the caller to say: the answer has a number for every item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.errors import InvalidInputError
from recommender.models.alternation import equations
from recommender.solvers import cholesky

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Rows, SparseRows
    from recommender.models.objective import AnyObjective
    from recommender.solvers.equations import Standing


def score_batch(
    vectors: NDArray[np.float32],
    design: NDArray[np.float32],
    baselines: NDArray[np.float32] | None,
) -> NDArray[np.float32]:
    """Score every item for each of some vectors.

    Parameters
    ----------
    vectors
        (B, k) float32: users, with their bias as the last entry where there are biases.
    design
        (n_items, k) float32: what a user's vector meets.
    baselines
        (n_items,) float32 added to each user's scores, or ``None``.

    Returns
    -------
    (B, n_items) float32, which is the caller's.
    """
    scores: NDArray[np.float32] = vectors @ design.T
    if baselines is not None:
        scores += baselines
    return scores


def fold_in_batch(
    histories: SparseRows,
    rows: Rows,
    objective: AnyObjective,
    standing: Standing,
    k: int,
) -> NDArray[np.float32]:
    """Solve the training objective for some users while all items stand still.

    It is :func:`recommender.fold_in.fold_in` for many: the exact half-step of the training.

    Parameters
    ----------
    histories
        (n, n_items) sparse: who rated what, in the item rows of the model.
    rows
        (B,) int64 which rows of ``histories`` are asked for; all of them are there.
    objective
        The loss.
    standing
        The items, with what their biases say and the part that every user shares.
    k
        How many coordinates mean something; those beyond fill up a vector.

    Returns
    -------
    (B, k) float32; zero for who has rated nothing.

    Raises
    ------
    InvalidInputError
        When values are too large to compute with.
    """
    asked = histories.rows(rows)
    vectors = np.zeros((len(rows), len(standing.gram)), np.float32)
    cholesky.solve(equations(asked, objective, None), standing, vectors)
    folded: NDArray[np.float32] = np.ascontiguousarray(vectors[:, :k])
    if not np.isfinite(folded).all():
        raise InvalidInputError(
            f"values up to {np.abs(asked.levels).max():g} are too large to compute with; "
            "the training's were on another scale"
        )
    return folded
