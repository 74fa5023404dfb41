"""A vector for an item that training never saw, from the ratings of users that it did see.

All users stand still, and the loss is minimized by one item. For alternating least squares that
is the half-step of the training, on one row. A Bayesian model has no half-step; there the item
gets the mean of its distribution, given its ratings and what the other items are like.

An item may be folded in *around* a vector that something else says of it, such as its attributes:
it is taken for that until its ratings say otherwise. Users who have not rated it are then no
evidence against it, as long as the score that they have of that vector stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from recommender.arrays import codes_of_few
from recommender.attributes.learned import with_bias
from recommender.errors import InvalidInputError
from recommender.fold_in import fold_in
from recommender.models.item_vector import ItemVector
from recommender.models.objective import GaussianObjective
from recommender.solvers.equations import Standing

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from recommender.arrays import Rows
    from recommender.models.factor_model import FactorModel
    from recommender.models.objective import ExplicitObjective, ImplicitObjective

_FLAT = 1e-6
"""A direction in which items vary by less than this part of the widest is taken for that wide."""

_AROUND = 20
"""As how many ratings what is folded in around counts, where each rating adds to the ridge.

With movies held out of ml-latest-small, 20 had the least error in stars from 1 to 10 ratings
(benchmarks/new_movies.py); without, one rating made it larger than with none.
"""


class UsersStanding(Protocol):
    """The users of a model, prepared once so that items can be folded in."""

    def solve(
        self, rows: Rows, values: NDArray[np.float32], around: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """(k,) or, with a bias, (k+1,) float32: for (n,) increasing user rows and their ratings.

        ``around`` is (k+1,), whether there are biases or not.
        """


def standing_users(model: FactorModel) -> UsersStanding:
    """Prepare the users of a model."""
    if isinstance(model.objective, GaussianObjective):
        return Posterior.of(model, model.objective)
    return HalfStep.of(model, model.objective)


def fold_in_item(
    standing: UsersStanding,
    rows: Rows,
    values: NDArray[np.float32],
    k: int,
    around: ItemVector | None = None,
) -> ItemVector:
    """Fold in one item: (n,) distinct user rows in any order, and (n,) float32 ratings.

    Raises
    ------
    InvalidInputError
        When values are too large to compute with, or ``around`` is no vector of k factors.
    """
    order = np.argsort(rows)
    solved = standing.solve(rows[order], values[order], _checked(around, k))
    if not np.isfinite(solved).all():
        raise InvalidInputError(
            f"values up to {np.abs(values).max():g} are too large to compute with; "
            "the training's were on another scale"
        )
    return ItemVector(solved[:k], float(solved[k]) if len(solved) > k else 0.0)


def _checked(around: ItemVector | None, k: int) -> NDArray[np.float32] | None:
    if around is None:
        return None
    whole = np.append(around.vector, np.float32(around.bias)).astype(np.float32)
    if whole.shape != (k + 1,) or not np.isfinite(whole).all():
        raise InvalidInputError(
            f"an item can be folded in around a vector of {k} finite numbers and a finite bias; "
            f"found the shape {around.vector.shape} and the bias {around.bias}"
        )
    return whole


@dataclass(frozen=True, eq=False)
class HalfStep:
    """The half-step of alternating least squares on the items' side.

    Attributes
    ----------
    standing
        The users, with what their biases say and the part that every item shares.
    objective
        The loss.
    n_users
        How many there are: an item's regularization may depend on it.
    width
        How many coordinates mean something: the factors, and the bias where there is one.
    """

    standing: Standing
    objective: ImplicitObjective | ExplicitObjective
    n_users: int
    width: int

    @classmethod
    def of(cls, model: FactorModel, objective: ImplicitObjective | ExplicitObjective) -> Self:
        """Prepare the users of a model."""
        met = met_by_items(model)
        standing = Standing.for_one_row(met, objective.gram(met), user_baselines(model))
        return cls(standing, objective, len(met), met.shape[1])

    def solve(
        self, rows: Rows, values: NDArray[np.float32], around: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """(width,) float32; when nobody has rated it, what it is folded in around, or zero.

        Around a, what is solved for is ``y - a``, whose goals are what a leaves of them.
        """
        codes, levels = codes_of_few(values)
        weights, goals = self.objective.weights(levels), self.objective.goals(levels)
        count = len(rows)
        if around is None:
            ridge = float(self.objective.ridge(count, self.n_users))
            return fold_in(rows, codes, weights, goals, self.standing, ridge, self.width)
        centre = around[: self.width]
        baselines = self.standing.baselines.copy()
        baselines[rows] += self.standing.vectors[rows, : self.width] @ centre
        standing = replace(self.standing, baselines=baselines)
        ridge = float(self.objective.ridge(count + _AROUND, self.n_users))
        return centre + fold_in(rows, codes, weights, goals, standing, ridge, self.width)


@dataclass(frozen=True, eq=False)
class Posterior:
    """The mean of an item's distribution, where items are normal and users known up to a variance.

    For y, an item's vector and after it the bias, the minimum of
    ``Σ_j [(x_j·y + baseline_j - r_j)² + Σ_c s_c y_c²] + σ² (y-m)ᵀ Λ (y-m)``.

    Attributes
    ----------
    met
        (n_users, k+1) float32 x.
    baselines
        (n_users,) float32: the mean, and the users' biases.
    scatter
        (k+1,) s: the variance of a coordinate of a user that has rated something; 0 for the
        bias, which meets a 1.
    mean
        (k+1,) m: the item of which nothing is known.
    prior
        (k+1, k+1) ``σ² Λ``, in squared stars over what the coordinate is counted in, squared.
    """

    met: NDArray[np.float32]
    baselines: NDArray[np.float32]
    scatter: NDArray[np.float64]
    mean: NDArray[np.float64]
    prior: NDArray[np.float64]

    @classmethod
    def of(cls, model: FactorModel, objective: GaussianObjective) -> Self:
        """Prepare the users of a model, and find out what its items are like."""
        counts = np.diff(model.ratings.by_user.indptr).astype(np.float64)
        squares = np.square(model.user_factors.astype(np.float64)).T @ counts
        # A user is N(0, I) before anything is known of him: by the law of total variance, what
        # the vectors, which are means, do not vary by is how far they are off. Each counts as
        # often as he has rated, because a rater is who an item meets.
        scatter = np.zeros(len(squares) + 1)
        scatter[:-1] = np.maximum(1 - squares / max(counts.sum(), 1), 0)
        items = with_bias(model.item_factors, model.item_biases).astype(np.float64)
        away = items - items.mean(axis=0)
        variance = away.T @ away / len(away)
        # By the same law, items vary by what their means do, and by what each is off.
        k = model.n_factors
        variance[range(k), range(k)] += objective.item_variance
        widths, axes = np.linalg.eigh(variance)
        widths = np.maximum(widths, max(_FLAT * widths[-1], np.finfo(np.float32).tiny))
        prior = objective.noise_variance * (axes / widths) @ axes.T
        met = met_by_items(model)
        return cls(met, user_baselines(model), scatter, items.mean(axis=0), prior)

    def solve(
        self, rows: Rows, values: NDArray[np.float32], around: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """(k+1,) float32; when nobody has rated it, what it is folded in around, or the mean item.

        What it is folded in around takes the place of the mean, as far as items vary.
        """
        mean = self.mean if around is None else around.astype(np.float64)
        met = self.met[rows].astype(np.float64)
        A = met.T @ met + self.prior + np.diag(len(rows) * self.scatter)
        left = values.astype(np.float64) - self.baselines[rows]
        solved = np.linalg.solve(A, met.T @ left + self.prior @ mean)
        with np.errstate(over="ignore"):  # what has become infinite is refused
            narrow: NDArray[np.float32] = solved.astype(np.float32)
        return narrow


def met_by_items(model: FactorModel) -> NDArray[np.float32]:
    """(n_users, k or k+1) float32: what an item's vector meets; for its bias a 1."""
    if model.user_biases is None:
        return model.user_factors
    ones = np.ones((len(model.user_factors), 1), np.float32)
    return np.hstack((model.user_factors, ones))


def user_baselines(model: FactorModel) -> NDArray[np.float32]:
    """(n_users,) float32: what is said of a user before anything is known of the item."""
    mean = np.full(len(model.user_factors), model.global_bias, dtype=np.float32)
    return mean if model.user_biases is None else mean + model.user_biases
