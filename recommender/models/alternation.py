"""Alternating least squares: solve the users while the items stand still, then the items.

Both models do this; they differ in their objective and in what their tables hold. From epoch to
epoch the items are carried on a little in the direction in which they moved, which halves the
number of epochs: see ``momentum.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from recommender.errors import InvalidInputError
from recommender.models.momentum import Momentum
from recommender.solvers import cholesky, conjugate_gradient, subspace
from recommender.solvers.basis import diagonalize
from recommender.solvers.equations import Equations, Standing
from recommender.solvers.threads import deal_rows, worthwhile_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recommender.arrays import SparseRows
    from recommender.models.early_stopping import Monitor
    from recommender.models.factor_model import FactorModel
    from recommender.models.objective import AnyObjective

Solve: TypeAlias = "Callable[[Equations, Standing, NDArray[np.float32]], float]"

SOLVERS: dict[str, Solve] = {
    "cholesky": cholesky.solve,
    "conjugate_gradient": conjugate_gradient.solve,
    "subspace": subspace.solve,
}

EXACT_UP_TO = 16
"""Factors up to which ``solver="auto"`` solves exactly; docs/decisions/0011-solver-auto.md."""

_ROUNDING = 1e-6
"""What the loss may seem to rise by and has not: its rows are solved in float32."""


def choose_solver(solver: str, factors: int) -> Solve:
    """Return the solver of that name; ``"auto"`` is exact for few factors, iterates for many."""
    if solver == "auto":
        solver = "cholesky" if factors <= EXACT_UP_TO else "conjugate_gradient"
    return SOLVERS[solver]


class Table(Protocol):
    """One side's unknowns, and how the other side meets them."""

    solved: NDArray[np.float32]
    """(n, k') what the solver writes: vectors, then a bias where there is one, then zeros."""

    def standing(self, eigenvalues: NDArray[np.float32]) -> Standing:
        """Return this side as the other one meets it."""


@dataclass(eq=False)
class Vectors:
    """A side that is vectors and nothing else."""

    solved: NDArray[np.float32]

    def standing(self, eigenvalues: NDArray[np.float32]) -> Standing:
        """Return the vectors themselves."""
        return Standing.diagonal(self.solved, eigenvalues)


@dataclass(eq=False)
class Alternation:
    """One training: two sides that are solved in turn.

    Attributes
    ----------
    users, items
        What is to be solved.
    W, H
        The tables of the users and of the items.
    solve
        How.
    k
        How many columns the shared part of the equations has; 0 when nothing is shared.
    shared_weight
        α0, the weight of the shared part.
    momentum
        ``None`` for plain alternation.
    """

    users: Equations
    items: Equations
    W: Table
    H: Table
    solve: Solve
    k: int
    shared_weight: float
    momentum: Momentum | None = field(default_factory=Momentum)

    def epoch(self, loss_before: float) -> float:
        """Solve the users, then the items.

        Parameters
        ----------
        loss_before
            What the last epoch returned; infinity in the first.

        Returns
        -------
        The loss where both sides now stand. It is at hand: what the items' equations minimize,
        and the users' regularization. It never rises by more than rounding, a millionth.
        """
        if self.momentum is not None and loss_before < np.inf:
            self.momentum.carry(self.H.solved)
        loss = self.solve_users()
        rose = loss > loss_before * (1 + _ROUNDING)
        if rose and self.momentum is not None and self.momentum.carried:
            self.momentum.undo(self.H.solved)
            # The users have followed too far as well; from there a few steps may not lead back.
            self.solve_users(cholesky.solve)
        return self._half_step(self.items, self.W, self.H, self.users, self.solve)

    def solve_users(self, solve: Solve | None = None) -> float:
        """Solve the users alone, and return the loss."""
        return self._half_step(self.users, self.H, self.W, self.items, solve or self.solve)

    def _half_step(
        self, equations: Equations, standing: Table, out: Table, held: Equations, solve: Solve
    ) -> float:
        threads = max(len(equations.shares), len(held.shares))
        if self.k:
            turned = [self.W.solved, self.H.solved]
            if self.momentum is not None and self.momentum.newest is not None:
                turned.append(self.momentum.newest)
            diagonal = diagonalize(standing.solved, self.k, self.shared_weight, turned, threads)
        else:
            diagonal = np.zeros(out.solved.shape[1], np.float32)
        loss = solve(equations, standing.standing(diagonal), out.solved)
        loss += _held(held.ridge, standing.solved)
        if not np.isfinite(loss):
            raise InvalidInputError(
                f"the loss has become {loss}: values or options are too large for 32-bit numbers; "
                f"bring the values to a scale like 1 to 5, or regularize more"
            )
        return loss


def _held(ridge: NDArray[np.float32], vectors: NDArray[np.float32]) -> float:
    """``Σ_r ridge_r ‖row_r‖²``, a row's length in float32."""
    lengths = np.einsum("nk,nk->n", vectors, vectors)
    return float((ridge.astype(np.float64) * lengths).sum())  # no BLAS: its sums know threads


def run_epochs(
    alternation: Alternation,
    epochs: int,
    callback: Callable[[int, float, float | None], None] | None,
    monitor: Monitor | None,
    model: Callable[[], FactorModel],
) -> None:
    """Run epochs until there are enough, or the monitor has seen enough; end with the users.

    The last half-step is exact whatever the solver, so that folding in a user of the training
    gives the vector of the training.

    Raises
    ------
    InvalidInputError
        When numbers grow beyond what float32 can hold.
    """
    loss = np.inf
    for epoch in range(1, epochs + 1):
        started = perf_counter()
        loss = alternation.epoch(loss)
        seconds = perf_counter() - started
        if callback is not None:
            callback(epoch, seconds, loss)
        if monitor is not None and monitor.is_enough(_snapshot(model()), alternation.H.solved):
            break
    if monitor is not None:
        alternation.H.solved[:] = monitor.best
    alternation.solve_users(cholesky.solve)


def _snapshot(model: FactorModel) -> FactorModel:
    """Return a copy that training does not write to: a score may be taken of it later."""
    return replace(
        model, user_factors=model.user_factors.copy(), item_factors=model.item_factors.copy()
    )


def narrowed(table: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """Return the first k columns, contiguous: without a copy where there are no others."""
    return np.ascontiguousarray(table[:, :k])


def equations(matrix: SparseRows, objective: AnyObjective, threads: int | None) -> Equations:
    """Return what one orientation of the ratings asks to be solved."""
    return Equations(
        matrix,
        objective.weights(matrix.levels),
        objective.goals(matrix.levels),
        objective.ridge(np.diff(matrix.indptr), matrix.n_columns),
        deal_rows(matrix.indptr, worthwhile_threads(threads, len(matrix.indices))),
    )
