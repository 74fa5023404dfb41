"""Equations at random, and what the slow loops say of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recommender.arrays import SparseRows
from recommender.solvers import reference
from recommender.solvers.equations import Equations, Standing, widened
from recommender.solvers.instructions import padded
from recommender.solvers.threads import deal_rows

LEVELS = 5


@dataclass(frozen=True)
class Problem:
    """What a solver is given, with k columns; it gets them padded."""

    matrix: SparseRows
    weights: np.ndarray
    goals: np.ndarray
    ridge: np.ndarray
    vectors: np.ndarray
    eigenvalues: np.ndarray
    baselines: np.ndarray

    @property
    def k(self):
        return self.vectors.shape[1]

    def equations(self, shares=None):
        dealt = deal_rows(self.matrix.indptr, 1) if shares is None else shares
        return Equations(self.matrix, self.weights, self.goals, self.ridge, dealt)

    def standing(self):
        """As training gives it: what is beyond k is divided by something ordinary."""
        eigenvalues = np.full(padded(self.k), self.eigenvalues.max(), np.float32)
        eigenvalues[: self.k] = self.eigenvalues
        return Standing.diagonal(widened(self.vectors), eigenvalues, self.baselines)

    def start(self, seed=0, scale=1.0):
        """(n, padded k) where the rows may stand before: zero beyond k, as in training."""
        out = np.zeros((self.matrix.n_rows, padded(self.k)), np.float32)
        shape = (self.matrix.n_rows, self.k)
        out[:, : self.k] = scale * np.random.default_rng(seed).normal(size=shape)
        return out

    def entries(self):
        """Weight and goal of each entry, baselines taken off, in float64."""
        weights = self.weights[self.matrix.codes].astype(float)
        goals = self.goals[self.matrix.codes].astype(float)
        if len(self.baselines):
            goals -= self.baselines[self.matrix.indices]
        return weights, goals

    def solution(self):
        """(n, k) float64 from the slow loops."""
        weights, goals = self.entries()
        gram = np.diag(self.eigenvalues.astype(float))
        return reference.solve_rows(
            self.matrix, weights, weights * goals, self.vectors, gram, self.ridge
        )

    def losses(self, out):
        """(n,) float64: what each row minimizes, where it stands."""
        weights, goals = self.entries()
        losses = np.zeros(self.matrix.n_rows)
        for row in range(self.matrix.n_rows):
            y = out[row, : self.k].astype(float)
            for entry in range(self.matrix.indptr[row], self.matrix.indptr[row + 1]):
                product = self.vectors[self.matrix.indices[entry]].astype(float) @ y
                losses[row] += weights[entry] * (product - goals[entry]) ** 2
            losses[row] += (self.eigenvalues * y) @ y + self.ridge[row] * (y @ y)
        return losses

    def but(self, **changed):
        return replace(self, **changed)


def sparse_rows(rng, lengths, n_columns, n_levels=LEVELS):
    """Rows of these lengths: distinct columns, increasing, with values 1 … n_levels."""
    indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    indices = np.concatenate(
        [np.sort(rng.choice(n_columns, length, replace=False)) for length in lengths]
    ).astype(np.int32)
    codes = rng.integers(0, n_levels, len(indices)).astype(np.uint8)
    levels = np.arange(1, n_levels + 1, dtype=np.float32)
    return SparseRows(indptr, indices, codes, levels, n_columns)


def problem(seed, k, lengths=None, n_columns=40, baselines=False):
    """Anything at all: one weight is 0, some goals are negative, some rows are empty."""
    rng = np.random.default_rng(seed)
    if lengths is None:
        lengths = rng.integers(0, n_columns + 1, 10)
        lengths[rng.integers(0, 10)] = 0
    weights = rng.uniform(0.1, 2, LEVELS).astype(np.float32)
    weights[rng.integers(0, LEVELS)] = 0
    return Problem(
        sparse_rows(rng, lengths, n_columns),
        weights,
        rng.normal(1, 1, LEVELS).astype(np.float32),
        rng.uniform(0.05, 2, len(lengths)).astype(np.float32),
        (rng.normal(size=(n_columns, k)) / np.sqrt(k)).astype(np.float32),
        rng.uniform(0.5, 3, k).astype(np.float32),
        rng.normal(size=n_columns if baselines else 0).astype(np.float32),
    )
