"""What a half-step solves: one equation for each row of a side, while the other side stands still.

For a row with the entries j, each with a weight w_j and a goal g_j that the product should meet,

    minimize  Σ_j w_j (x_j·y - g_j)² + yᵀ gram y + ridge ‖y‖²,

which is to solve ``(gram + ridge·I + Σ_j w_j x_j x_jᵀ) y = Σ_j w_j g_j x_j``.

The words of this folder: the *standing* side is fixed and its vectors are the x_j; *goals* are
what products should be; what is *shared* is gram + ridge, the part of a row's matrix that its
entries do not change; *left* is what of a goal is not met yet, the residual; *turning* is to
rotate into another basis.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from recommender.arrays import frozen
from recommender.solvers.instructions import padded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Rows, SparseRows


@dataclass(frozen=True, eq=False)
class Equations:
    """The rows that are to be solved.

    Attributes
    ----------
    matrix
        (n, m) sparse: which x_j a row has, and the code of each entry.
    weights, goals
        (n_levels,) float32: w and g of each code. Weights are at least 0.
    ridge
        (n,) float32: each row's regularization.
    shares
        Which rows each thread solves.
    """

    matrix: SparseRows
    weights: NDArray[np.float32]
    goals: NDArray[np.float32]
    ridge: NDArray[np.float32]
    shares: list[Rows]

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """Return the arrays that every kernel takes, in the order in which it takes them."""
        # Numba compiles anew for read-only arrays, and a model on disk is one: so all are, always.
        matrix = self.matrix
        given = (matrix.indptr, matrix.indices, matrix.codes, np.sqrt(self.weights), self.goals)
        return (*(frozen(np.asarray(array)) for array in given), frozen(self.ridge))


@dataclass(frozen=True, eq=False)
class Standing:
    """The side that stands still, prepared for one half-step.

    Attributes
    ----------
    vectors
        (m, k) float32 x_j; k is a multiple of ``LANES``, see :func:`widened`.
    baselines
        (m,) float32 taken off the goals: what biases already say. Or empty, for none.
    eigenvalues
        (k,) float32, ascending: the diagonal of ``gram``, which is diagonal in training (see
        ``basis.py``). Empty when it is not.
    gram
        (k, k) float32 when it is not diagonal; else empty.
    """

    vectors: NDArray[np.float32]
    baselines: NDArray[np.float32]
    eigenvalues: NDArray[np.float32]
    gram: NDArray[np.float32]

    @classmethod
    def diagonal(
        cls,
        vectors: NDArray[np.float32],
        eigenvalues: NDArray[np.float32],
        baselines: NDArray[np.float32] | None = None,
    ) -> Self:
        """The usual case: ``gram`` is diagonal in the basis of the vectors."""
        nothing = np.empty(0, np.float32)
        return cls(
            vectors, nothing if baselines is None else baselines, eigenvalues, nothing.reshape(0, 0)
        )

    @classmethod
    def for_one_row(
        cls,
        vectors: NDArray[np.float32],
        gram: NDArray[np.float32],
        baselines: NDArray[np.float32],
    ) -> Self:
        """One row is solved sooner than ``gram`` is taken apart: (m, k) and (k, k), any k."""
        k = len(gram)
        # Beyond k something is divided; nothing there may be 0, or larger than what is real.
        wide = np.eye(padded(k), dtype=np.float32) * np.diagonal(gram).max(initial=0)
        wide[:k, :k] = gram
        return cls(widened(vectors), baselines, np.empty(0, np.float32), wide)

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """Return the arrays that every kernel takes, in the order in which it takes them."""
        return self.read_only[:3]

    @cached_property
    def read_only(self) -> tuple[NDArray[Any], ...]:
        """Those arrays, and ``gram``, which the exact solver takes as well."""
        every = (self.vectors, self.baselines, self.eigenvalues, self.gram)
        return tuple(frozen(array) for array in every)


def widened(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the vectors with columns of zeros up to the next multiple of ``LANES``."""
    n, k = vectors.shape
    if k == padded(k) and vectors.flags.c_contiguous:
        return vectors
    wide = np.zeros((n, padded(k)), np.float32)
    wide[:, :k] = vectors
    return wide
