"""The objective of anybody's factors, in float64: the judge of all programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.compiling import kernel
from recommender.solvers.threads import deal_rows, run_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.training.objective import Objective
    from recommender.arrays import Rows


def loss(
    objective: Objective,
    indptr: NDArray[np.int32] | NDArray[np.int64],
    indices: NDArray[np.int32],
    W: NDArray[np.float32] | NDArray[np.float64],
    H: NDArray[np.float32] | NDArray[np.float64],
    *,
    threads: int = 1,
) -> float:
    """Compute L of ``objective.py``.

    Parameters
    ----------
    indptr, indices
        (n_users + 1,) and (n_ratings,): which items each user has rated.
    W, H
        (n_users, k) and (n_items, k), in our units.

    Notes
    -----
    Pairs that nobody rated are never touched: ``Σ_all ŷ² = <WᵀW, HᵀH>``.
    """
    starts = indptr.astype(np.int64)
    rows, columns = W.astype(np.float64), H.astype(np.float64)

    def work(share: Rows) -> float:
        return float(_observed(share, starts, indices, rows, columns))

    observed = sum(part or 0.0 for part in run_shares(work, deal_rows(starts, threads)))
    everything = float(np.vdot(rows.T @ rows, columns.T @ columns))
    users = objective.ridge(np.diff(starts), len(H))
    items = objective.ridge(np.bincount(indices, minlength=len(H)), len(W))
    held = users @ np.square(rows).sum(axis=1) + items @ np.square(columns).sum(axis=1)
    return float(observed + objective.unobserved_weight * everything + held)


@kernel
def _observed(
    share: Rows,
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    W: NDArray[np.float64],
    H: NDArray[np.float64],
) -> float:
    """``Σ_observed (w_u·h_i - 1)²`` over some users."""
    total = 0.0
    for row in share:
        w = W[row]
        for entry in range(indptr[row], indptr[row + 1]):
            h = H[indices[entry]]
            product = 0.0
            for i in range(len(w)):
                product += w[i] * h[i]
            total += (product - 1.0) * (product - 1.0)
    return total
