"""The chain of draws of a Bayesian factorization, and the model that they make together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import frozen
from recommender.counting import transpose
from recommender.models.factor_model import FactorModel
from recommender.models.gibbs import Prior, Side
from recommender.models.implicit_features import implicit_features
from recommender.models.objective import GaussianObjective
from recommender.models.posterior import MeanProduct, Spread
from recommender.models.time_effects import DrawnTimes
from recommender.models.uncertainty import Uncertainty
from recommender.solvers.instructions import padded
from recommender.solvers.sampling import Linked, draw, residuals
from recommender.solvers.threads import deal_rows, worthwhile_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import SparseRows
    from recommender.data.ratings import Ratings

_COMPARED = 8
"""Draws that are kept until the end, to see how far vectors scatter."""

_BIAS_UNIT = 32.0
"""What biases are counted in, in standard deviations of the ratings."""


class Chain:
    """The draws, one after the other. All is in units of the ratings' standard deviation."""

    def __init__(
        self, ratings: Ratings, k: int, samples: int, implicit: bool, seed: int, threads: int | None
    ) -> None:
        self._ratings = ratings
        self._k = k
        self._random = random = np.random.default_rng(seed)
        values = ratings.values.astype(np.float64)
        self._mean, self._unit = float(values.mean()), float(values.std()) or 1.0
        self._values = ((values - self._mean) / self._unit).astype(np.float32)
        self._to_items = _order_by_item(ratings)
        n_threads = worthwhile_threads(threads, ratings.n_ratings)
        self._users, self._items = (
            Side(
                Linked(matrix, np.empty(0, np.float32), deal_rows(matrix.indptr, n_threads)),
                Prior.begin(*_features(matrix, implicit), k + 1),
                k,
            )
            for matrix in (ratings.by_user, ratings.by_item)
        )
        self._items.factors[:] = 0.1 * random.standard_normal(self._items.factors.shape)
        self._times = None
        if ratings.timestamps is not None:
            self._times = DrawnTimes(ratings.user_rows, ratings.timestamps)
        self._noise_precision = 2.0
        self._product = MeanProduct(k)
        counts = np.diff(ratings.by_user.indptr), np.diff(ratings.by_item.indptr)
        self._spread = Spread(*counts, seed)
        self._kept = 0
        self._sums = np.zeros(ratings.n_users), np.zeros(ratings.n_items)
        self._noise_sum = 0.0
        self._every = -(-samples // _COMPARED)
        self._compared: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []

    def sweep(self, number: int) -> float:
        """Draw everything once; return the mean squared residual in the ratings' units."""
        users, items, random = self._users, self._items, self._random
        if number > 1:
            for side in (users, items):
                side.prior.draw(side.drawn[:, : self._k + 1].astype(np.float64), random)
        self._aim(self._values if self._times is None else self._values - self._times.offsets())
        users.draw(items, self._noise_precision, random)
        items.draw(users, self._noise_precision, random)
        left = residuals(users.linked, items.met(), items.biases.copy(), users.drawn).astype(float)
        if self._times is not None:
            self._times.draw(left, self._noise_precision, random)
        squares = float(np.square(left).sum())
        n = len(left)
        self._noise_precision = random.gamma(1 + 0.5 * n, 1 / (1e-3 + 0.5 * squares))
        return squares / n * self._unit**2

    def _aim(self, targets: NDArray[np.float32]) -> None:
        users, items = self._users, self._items
        users.linked = Linked(users.linked.matrix, targets, users.linked.shares)
        items.linked = Linked(items.linked.matrix, targets[self._to_items], items.linked.shares)

    def keep(self) -> None:
        """Let the newest draw count."""
        users, items = self._users, self._items
        if self._kept % self._every == 0:
            self._compared.append((users.factors.copy(), items.factors.copy()))
        self._kept += 1
        self._product.add(users.factors, items.factors)
        for total, side in zip(self._sums, (users, items), strict=True):
            total += side.biases
        self._noise_sum += 1 / self._noise_precision
        # A bias on one side meets a 1 on the other.
        d = self._k + 1
        ones = np.ones(len(users.drawn), np.float32)
        self._spread.add(
            np.column_stack((users.drawn[:, :d], ones)),
            np.column_stack((items.met()[:, :d], items.biases)),
        )
        if self._times is not None:
            self._times.keep()

    def model(self) -> FactorModel:
        """Bring the draws together, and fold all users in."""
        k, unit = self._k, self._unit
        W, H = (half.astype(np.float64) for half in self._product.mean())
        user_biases, item_biases = (total / self._kept for total in self._sums)
        # In these units users are N(0, I): that is then the prior of whoever is folded in.
        average = W.mean(axis=0)
        variances, basis = np.linalg.eigh(np.cov(W.T).reshape(k, k))
        lengths = np.sqrt(np.maximum(variances, 0))
        real = lengths > 1e-6 * max(lengths.max(), 1e-300)
        inverse = np.where(real, 1 / np.where(real, lengths, 1), 0)
        white = (W - average) @ (basis * inverse)
        item_biases = item_biases + H @ average + user_biases.mean()
        H = H @ (basis * np.where(real, lengths, 0))
        noise = self._noise_sum / self._kept
        objective = GaussianObjective(
            noise_variance=noise * unit**2,
            item_variance=self._scatter(white, H) * unit**2,
            bias_variance=max(float(user_biases.var()), 1e-6) * unit**2,
            bias_unit=_BIAS_UNIT * unit,
        )
        item_factors = (H * unit).astype(np.float32)
        return self._folded(item_factors, (item_biases * unit).astype(np.float32), objective)

    def _scatter(self, white: NDArray[np.float64], H: NDArray[np.float64]) -> float:
        """Return the mean variance, from draw to draw, of a coordinate of an item."""
        away = [
            np.square(h @ (w.T.astype(np.float64) @ white) / len(white) - H).mean()
            for w, h in self._compared
        ]
        return float(np.mean(away))

    def _folded(
        self,
        item_factors: NDArray[np.float32],
        item_biases: NDArray[np.float32],
        objective: GaussianObjective,
    ) -> FactorModel:
        k, users, ratings = self._k, self._users, self._ratings
        times = None if self._times is None else self._times.mean(self._unit)
        targets = ratings.values - np.float32(self._mean)
        if times is not None and ratings.timestamps is not None:
            effects = times.at(ratings.user_rows.astype(np.int64), ratings.timestamps)
            targets = targets - effects.astype(np.float32)
        met = np.zeros((ratings.n_items, padded(k + 1)), np.float32)
        met[:, :k], met[:, k] = item_factors, objective.bias_unit
        precision = np.eye(met.shape[1], dtype=np.float32)
        precision[: k + 1, : k + 1] = objective.gram(met[:, : k + 1])
        solved = np.zeros((ratings.n_users, met.shape[1]), np.float32)
        ridge = objective.ridge(np.diff(ratings.indptr), ratings.n_items)
        linked = Linked(ratings.by_user, targets.astype(np.float32), users.linked.shares)
        draw(linked, met, item_biases, precision, ridge, np.zeros_like(solved), solved)
        return FactorModel(
            np.ascontiguousarray(solved[:, :k]),
            item_factors,
            ratings,
            objective,
            self._mean,
            solved[:, k] * np.float32(objective.bias_unit),
            item_biases,
            times=times,
            uncertainty=self._uncertainty(objective),
        )

    def _uncertainty(self, objective: GaussianObjective) -> Uncertainty:
        of_user, of_item = self._spread.fitted()
        return Uncertainty(objective.noise_variance, of_user, of_item * np.float32(self._unit**2))


def _order_by_item(ratings: Ratings) -> NDArray[np.uint32] | NDArray[np.int64]:
    """(n_ratings,) which rating of ``by_user`` stands at each place of ``by_item``."""
    by_user, by_item = ratings.by_user, ratings.by_item
    n = ratings.n_ratings
    kind: type[np.integer[Any]] = np.uint32 if n < 2**32 else np.int64
    order: Any = np.empty(n, kind)
    rows, codes = np.empty_like(by_item.indices), np.zeros_like(by_item.codes)
    transpose(
        by_user.indptr, by_user.indices, by_user.codes, frozen(np.arange(n, dtype=kind)),
        by_item.indptr[:-1].copy(), rows, codes, order,
    )  # fmt: skip
    return order  # type: ignore[no-any-return]


def _features(matrix: SparseRows, wanted: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if not wanted:
        return np.zeros((matrix.n_rows, 0)), np.zeros(0)
    return implicit_features(matrix)
