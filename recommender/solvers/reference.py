"""Slow loops that read like the paper: the truth that every fast solver is tested against.

Rendle, Krichene, Zhang, Koren: "Revisiting the Performance of iALS on Item Recommendation
Benchmarks" (2021), equations 1 to 4; Hu, Koren, Volinsky: "Collaborative Filtering for Implicit
Feedback Datasets" (2008). Everything is float64 here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import SparseRows


def solve_rows(
    matrix: SparseRows,
    weights: NDArray[np.float32],
    targets: NDArray[np.float32],
    other: NDArray[np.float32],
    gram: NDArray[np.float32],
    ridge: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Solve ``(gram + Σ_j w_j x_j x_jᵀ + ridge_r·I) y_r = Σ_j t_j x_j`` for each row r.

    Parameters
    ----------
    matrix
        (n, m) sparse: entry j of row r says which row of ``other`` is x_j.
    weights, targets
        (n_entries,) w_j and t_j.
    other
        (m, k) the side that stands still.
    gram
        (k, k) what every row shares: α0·OᵀO for the implicit loss, zero for the explicit one.
    ridge
        (n,) the row's regularization.

    Returns
    -------
    (n, k) float64; a row without entries is zero.
    """
    k = other.shape[1]
    solved = np.zeros((matrix.n_rows, k))
    for row in range(matrix.n_rows):
        entries = range(matrix.indptr[row], matrix.indptr[row + 1])
        if not entries:
            continue
        A = gram.astype(np.float64) + float(ridge[row]) * np.eye(k)
        b = np.zeros(k)
        for entry in entries:
            x = other[matrix.indices[entry]].astype(np.float64)
            A += float(weights[entry]) * np.outer(x, x)
            b += float(targets[entry]) * x
        solved[row] = np.linalg.lstsq(A, b, rcond=None)[0]
    return solved


def implicit_ridge(
    matrix: SparseRows, regularization: float, unobserved_weight: float, frequency_scaling: float
) -> NDArray[np.float64]:
    """(n,) ``λ (n_r + α0·m)^ν``: regularization that grows with what the loss says of a row."""
    counts = np.diff(matrix.indptr)
    return regularization * np.power(
        counts + unobserved_weight * matrix.n_columns, frequency_scaling
    )


def implicit_loss(
    matrix: SparseRows,
    weights: NDArray[np.float32],
    rows: NDArray[np.float32],
    columns: NDArray[np.float32],
    unobserved_weight: float,
    row_ridge: NDArray[np.float64],
    column_ridge: NDArray[np.float64],
) -> float:
    """``Σ_observed c(ŷ-1)² + α0·Σ_all ŷ² + Σ_r ridge_r‖w_r‖² + Σ_c ridge_c‖h_c‖²``."""
    W, H = rows.astype(np.float64), columns.astype(np.float64)
    loss = 0.0
    for row in range(matrix.n_rows):
        for column in range(matrix.n_columns):
            loss += unobserved_weight * float(W[row] @ H[column]) ** 2
        for entry in range(matrix.indptr[row], matrix.indptr[row + 1]):
            score = float(W[row] @ H[matrix.indices[entry]])
            loss += float(weights[entry]) * (score - 1.0) ** 2
        loss += float(row_ridge[row]) * float(W[row] @ W[row])
    for column in range(matrix.n_columns):
        loss += float(column_ridge[column]) * float(H[column] @ H[column])
    return loss


def implicit_gradient(
    matrix: SparseRows,
    weights: NDArray[np.float32],
    rows: NDArray[np.float32],
    columns: NDArray[np.float32],
    unobserved_weight: float,
    row_ridge: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(n, k) half the derivative of :func:`implicit_loss` by the rows; zero at a half-step."""
    W, H = rows.astype(np.float64), columns.astype(np.float64)
    gradient = np.zeros_like(W)
    for row in range(matrix.n_rows):
        for column in range(matrix.n_columns):
            gradient[row] += unobserved_weight * float(W[row] @ H[column]) * H[column]
        for entry in range(matrix.indptr[row], matrix.indptr[row + 1]):
            h = H[matrix.indices[entry]]
            gradient[row] += float(weights[entry]) * (float(W[row] @ h) - 1.0) * h
        gradient[row] += float(row_ridge[row]) * W[row]
    return gradient
