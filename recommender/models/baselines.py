"""What a factorization must beat: popularity, and what each user and item is like on average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import frozen
from recommender.counting import count
from recommender.errors import InvalidInputError
from recommender.models.checking import check_any, check_histories, check_rows, checked_floats
from recommender.models.options import BIASES, check_options
from recommender.models.products import times, times_transposed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from recommender.arrays import Rows, Scores, SparseRows
    from recommender.data.ratings import Ratings
    from recommender.data.vocabulary import Id

    Doubles = NDArray[np.float64]

_ONES: Any = np.empty(0)  # see products.py
_PRECISION = 1e-10
_MOST_STEPS = 10_000


@dataclass(frozen=True, eq=False)
class Popularity:
    """Everyone gets what most have rated.

    Attributes
    ----------
    counts
        (n_items,) float32: how many users rated each item.

    Examples
    --------
    >>> from recommender import Ratings
    >>> model = Popularity.fit(Ratings.from_arrays([0, 0, 1], ["alien", "shrek", "shrek"]))
    >>> model.score_user(0)
    array([1., 2.], dtype=float32)
    """

    counts: Scores

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", frozen(self.counts))

    @classmethod
    def fit(cls, ratings: Ratings) -> Popularity:
        """Count."""
        counts = np.zeros(ratings.n_items, np.int64)
        count(ratings.indices, 0, counts)
        return cls(counts.astype(np.float32))

    def score_user(self, user_row: int) -> Scores:  # noqa: ARG002 - the same for everyone
        """(n_items,) float32: the counts, whoever asks."""
        return self.counts.copy()

    def score_users(self, user_rows: Rows) -> NDArray[np.float32]:
        """(B, n_items) float32: the counts, for each of (B,) users."""
        return np.tile(self.counts, (len(user_rows), 1))

    def score_histories(self, histories: SparseRows, rows: Rows) -> NDArray[np.float32]:
        """(B, n_items) float32: the counts, whatever the (B,) histories."""
        check_histories(histories, len(self.counts))
        return self.score_users(check_rows(rows, histories.n_rows))


@dataclass(frozen=True)
class Biases:
    """Predict stars by ``μ + b_u + b_i``: the mean, and how far user and item are off it.

    Parameters
    ----------
    regularization
        λ ≥ 0 of ``Σ (μ + b_u + b_i - r)² + λ Σ_u b_u² + λ Σ_i b_i²``: each user and each item is
        taken to have so many ratings more, at what would be expected of anyone.

    Raises
    ------
    InvalidOptionError
        When the option is outside its range.

    Notes
    -----
    The baseline predictor of Koren, Bell and Volinsky, "Matrix factorization techniques for
    recommender systems", IEEE Computer 42(8), 2009, equation 3, alone.

    Examples
    --------
    >>> from recommender import Ratings
    >>> ratings = Ratings.from_arrays([0, 0, 1, 1], [0, 1, 0, 1], [5, 4, 3, 2])
    >>> model = Biases(regularization=0).fit(ratings)
    >>> model.global_bias, model.user_biases, model.item_biases
    (3.5, array([ 1., -1.], dtype=float32), array([ 0.5, -0.5], dtype=float32))
    >>> model.predict([0, 99], [1, 1])  # nobody knows user 99
    array([4., 3.], dtype=float32)
    """

    regularization: float = 4.0

    def __post_init__(self) -> None:
        for name, value in check_options(BIASES, self.__dict__).items():
            object.__setattr__(self, name, value)

    def fit(self, ratings: Ratings) -> BiasModel:
        """Find the biases of the least loss, all at once.

        Parameters
        ----------
        ratings
            At least one; the values are what is predicted.

        Raises
        ------
        TooFewRatingsError
            When there are none.
        InvalidInputError
            When values are too large to compute with.

        Notes
        -----
        The users are eliminated (``b_u`` has a closed form given the items), and the equations
        that remain for the items are solved by conjugate gradients, which need no matrix and a
        few passes over the ratings. With ``regularization=0`` the loss has more than one minimum
        (all users up, all items down); then this is the one near zero.
        """
        check_any(ratings)
        levels, counts = ratings.histogram()
        mean = float(np.average(levels.astype(np.float64), weights=counts))
        X, gaps = ratings.by_user, levels.astype(np.float64) - mean
        n_users, n_items = np.diff(ratings.indptr), np.zeros(ratings.n_items, np.int64)
        count(ratings.indices, 0, n_items)
        # Who has no ratings has no equation; a divisor of 1 keeps the bias at 0.
        held_users = np.maximum(n_users + self.regularization, n_users == 0)
        held_items = np.maximum(n_items + self.regularization, n_items == 0)
        user_gaps = times(X, gaps, np.ones(ratings.n_items))
        item_gaps = times_transposed(X, gaps, np.ones(ratings.n_users))

        def without_users(b: Doubles) -> Doubles:
            through = times_transposed(X, _ONES, times(X, _ONES, b) / held_users)
            left: Doubles = held_items * b - through
            return left

        right = item_gaps - times_transposed(X, _ONES, user_gaps / held_users)
        items = _conjugate_gradients(without_users, right, held_items)
        users = (user_gaps - times(X, _ONES, items)) / held_users
        advice = "bring the values to a scale like 1 to 5"
        return BiasModel(
            ratings,
            self.regularization,
            mean,
            checked_floats(users, advice),
            checked_floats(items, advice),
        )


@dataclass(frozen=True, eq=False)
class BiasModel:
    """Mean and biases: ``score(u, i) = μ + b_u + b_i``, in stars.

    Attributes
    ----------
    ratings
        What it was trained on.
    regularization
        λ, which says how far a new user's ratings count.
    global_bias
        μ, the mean of the training's values.
    user_biases, item_biases
        (n_users,) and (n_items,) float32, read-only; 0 where there are no ratings.
    """

    ratings: Ratings
    regularization: float
    global_bias: float
    user_biases: NDArray[np.float32]
    item_biases: NDArray[np.float32]

    def predict(
        self, user_ids: Sequence[Id] | NDArray[Any], item_ids: Sequence[Id] | NDArray[Any]
    ) -> NDArray[np.float32]:
        """Predict stars for pairs.

        Parameters
        ----------
        user_ids, item_ids
            (n,) ids, pair by pair.

        Returns
        -------
        (n,) float32, not clipped to the scale. An unknown user or item has no bias: what is known
        of the other side remains, and the mean.

        Raises
        ------
        InvalidInputError
            When there are not as many users as items.
        """
        users, items = self.ratings.users.rows(user_ids), self.ratings.items.rows(item_ids)
        if users.shape != items.shape:
            raise InvalidInputError(
                f"user_ids and item_ids must be of one length; found {len(users)} and {len(items)}"
            )
        predicted = np.full(len(users), self.global_bias, dtype=np.float32)
        predicted[users >= 0] += self.user_biases[users[users >= 0]]
        predicted[items >= 0] += self.item_biases[items[items >= 0]]
        return predicted

    def score_user(self, user_row: int) -> Scores:
        """(n_items,) float32: the predicted stars of every item for a user of the training."""
        scores: Scores = self.score_users(np.array([user_row]))[0]
        return scores

    def score_users(self, user_rows: Rows) -> NDArray[np.float32]:
        """(B, n_items) float32: the score of every item for each of (B,) users of the training.

        What may be asked is said by :class:`recommender.evaluation.contestants.Ranker`. The
        scores are predicted stars.
        """
        return self._stars(self.user_biases[check_rows(user_rows, self.ratings.n_users)])

    def score_histories(self, histories: SparseRows, rows: Rows) -> NDArray[np.float32]:
        """(B, n_items) float32: the score of every item for each of (B,) histories of strangers.

        What may be asked is said by :class:`recommender.evaluation.contestants.HistoryRanker`.
        The scores are predicted stars; a user's bias follows from the items', and is 0 for who has
        rated nothing.
        """
        check_histories(histories, self.ratings.n_items)
        chosen = check_rows(rows, histories.n_rows)
        biases = np.zeros(len(chosen), np.float32)
        for place, row in enumerate(chosen):
            items, stars = histories.row(int(row))
            if len(items):
                left = stars.astype(np.float64) - self.global_bias - self.item_biases[items]
                biases[place] = left.sum() / (len(items) + self.regularization)
        return self._stars(biases)

    def _stars(self, user_biases: NDArray[np.float32]) -> NDArray[np.float32]:
        stars: NDArray[np.float32] = (
            user_biases[:, None] + self.item_biases[None, :] + np.float32(self.global_bias)
        )
        return stars


def _conjugate_gradients(
    apply: Callable[[Doubles], Doubles], right: Doubles, diagonal: Doubles
) -> Doubles:
    """Solve ``A x = right`` from zero, A symmetric and not negative, divided by a diagonal first.

    Sums are NumPy's own, not those of BLAS, which depend on its number of threads.
    """
    x, left = np.zeros_like(right), right
    near = left / diagonal
    direction, length = near, (left * near).sum()
    enough = _PRECISION**2 * length
    for _ in range(_MOST_STEPS):
        turned = apply(direction)
        curvature = (direction * turned).sum()
        if length <= enough or curvature <= 0:
            break
        step = length / curvature
        x = x + step * direction
        left = left - step * turned
        near = left / diagonal
        before, length = length, (left * near).sum()
        direction = near + (length / before) * direction
    return x
