"""The same model in other axes: those of the model before it.

A factorization is known up to a rotation: with every orthogonal Q, ``(W Q)(H Q)ᵀ = W Hᵀ``. Two
trainings of nearly the same ratings score alike and still have vectors that cannot be compared.
Turned towards the earlier one, they can: who keeps embeddings finds neighbours across models.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.models.factor_model import FactorModel

_AT_ONCE = 65_536
"""Rows turned at a time, in float64."""


def turn_towards(model: FactorModel, before: FactorModel) -> FactorModel:
    """Rotate and reflect a model's axes so that it lies as near as can be to an earlier one.

    Parameters
    ----------
    model
        What was trained now.
    before
        What was trained earlier; users and items are matched by id.

    Returns
    -------
    A model with the same scores, but for rounding; ``model`` itself when the two have another
    number of factors or nobody in common, or when what is known of its uncertainty or of time is
    told in its own axes.

    Notes
    -----
    The orthogonal Procrustes problem (Schönemann 1966): Q = U Vᵀ with ``U Σ Vᵀ = Aᵀ B``, A and B
    the vectors of whom both models know, minimizes ``‖A Q − B‖``.
    """
    if model.n_factors != before.n_factors or model.times is not None:
        return model
    cross = np.zeros((model.n_factors, model.n_factors))
    for ids, vectors, known, then in (
        (model.users, model.user_factors, before.users, before.user_factors),
        (model.items, model.item_factors, before.items, before.item_factors),
    ):
        rows = known.rows(ids.ids)
        here = np.flatnonzero(rows >= 0)
        for begin in range(0, len(here), _AT_ONCE):
            some = here[begin : begin + _AT_ONCE]
            cross += vectors[some].T.astype(np.float64) @ then[rows[some]].astype(np.float64)
    if not cross.any():
        return model
    left, _, right = np.linalg.svd(cross)
    turn = left @ right
    return replace(
        model,
        user_factors=_turned(model.user_factors, turn),
        item_factors=_turned(model.item_factors, turn),
    )


def _turned(vectors: NDArray[np.float32], turn: NDArray[np.float64]) -> NDArray[np.float32]:
    turned = np.empty(vectors.shape, np.float32)
    for begin in range(0, len(vectors), _AT_ONCE):
        turned[begin : begin + _AT_ONCE] = vectors[begin : begin + _AT_ONCE] @ turn
    return turned
