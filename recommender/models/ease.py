"""A linear model of every item from all others, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import frozen
from recommender.compiling import kernel
from recommender.errors import InvalidInputError
from recommender.models.checking import check_any, checked_floats
from recommender.models.item_based import ItemBasedModel
from recommender.models.options import EASE as EASE_OPTIONS
from recommender.models.options import check_options
from recommender.models.products import arrays_of, gram, table_of, times, times_transposed
from recommender.solvers.inversion import invert, multiply_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Rows, SparseRows
    from recommender.data.ratings import Ratings

    Array = NDArray[Any]

MOST_ITEMS = 20_000
"""Up to how many items there is room for all pairs of them."""

_SINGLE_UP_TO = 1e4
"""The condition up to which float32 suffices: see ``tests/recommender/models/test_ease.py``."""

_ITEMS_A_USER = 4
"""From how many items a user on it pays to invert a matrix of users; then it needs less memory."""

_POWER_STEPS = 10
_TILE = 2_048
"""Items scored at a time, so that the weights of much-rated items stay in a core's own cache."""


@dataclass(frozen=True)
class EASE:
    """Score an item by a weighted sum of the user's ratings, with the best weights there are.

    Weights B minimize ``‖X - X B‖² + λ ‖B‖²`` with a diagonal of zeros, so that no item explains
    itself: with ``P = (XᵀX + λ I)⁻¹``, ``B_ji = -P_ji / P_ii``. There is nothing to iterate and
    nothing random.

    Every option is explained, with its range, in :mod:`recommender.models.options`.

    Raises
    ------
    InvalidOptionError
        When an option is outside its range.

    Notes
    -----
    Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019, equations 5 to 8.

    All pairs of items stand in memory, and time grows with the cube of the items. While 20,000
    items are fitted, the most that there may be, 1.6 GB are needed beside the ratings, and 4.8 GB
    where weak regularization asks for 64-bit numbers; 1.6 GB are kept.

    Examples
    --------
    >>> from recommender import Ratings
    >>> ratings = Ratings.from_arrays([0, 0, 1, 1, 2], [0, 1, 0, 1, 2])
    >>> EASE(regularization=1).fit(ratings).item_weights.round(3)
    array([[0.   , 0.667, 0.   ],
           [0.667, 0.   , 0.   ],
           [0.   , 0.   , 0.   ]], dtype=float32)
    """

    regularization: float = 400.0
    values: str = "ones"
    threads: int | None = None

    def __post_init__(self) -> None:
        for name, value in check_options(EASE_OPTIONS, self.__dict__).items():
            object.__setattr__(self, name, value)

    def fit(self, ratings: Ratings) -> EaseModel:
        """Find the weights.

        Parameters
        ----------
        ratings
            At least one, of up to 20,000 items.

        Raises
        ------
        TooFewRatingsError
            When there are none.
        InvalidInputError
            When there are more items, or values are too large for the regularization.
        """
        check_any(ratings)
        _check_room(ratings.n_items)
        table = table_of(ratings.by_user.levels, self.values)
        dtype = _precision(ratings.by_user, table, self.regularization)
        few_users = ratings.n_users <= ratings.n_items // _ITEMS_A_USER
        solve = _inverse_by_users if few_users else _inverse_by_items
        try:
            weights = solve(ratings, table, self.regularization, self.threads, dtype)
        except np.linalg.LinAlgError:
            raise InvalidInputError(
                f"values up to {np.abs(ratings.by_user.levels).max():g} are too large for "
                f"regularization={self.regularization:g}: bring them to a scale like 1 to 5, or "
                f"regularize more"
            ) from None
        weights /= -weights.diagonal()
        weights += 0  # -0 + 0 = 0
        np.fill_diagonal(weights, 0)
        return EaseModel(
            ratings, self.values, self.threads, checked_floats(weights, "regularize more")
        )


@dataclass(frozen=True, eq=False)
class EaseModel(ItemBasedModel):
    """Weights between all pairs of items.

    Attributes
    ----------
    item_weights
        (n_items, n_items) float32, read-only: ``item_weights[j, i]`` is what a rating of j adds
        to the score of i. Zero on the diagonal.
    """

    item_weights: NDArray[np.float32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "item_weights", frozen(self.item_weights))

    def _add_scores(
        self,
        histories: SparseRows,
        table: NDArray[np.float32],
        chosen: Rows,
        places: Rows,
        scores: NDArray[np.float32],
    ) -> None:
        _add_scores(places, chosen, *arrays_of(histories), table, self.item_weights, scores)


def _check_room(n_items: int) -> None:
    if n_items > MOST_ITEMS:
        raise InvalidInputError(
            f"EASE holds a number for each pair of items: {n_items:,} items would take "
            f"{4 * n_items**2 / 1e9:.1f} GB and {(n_items / MOST_ITEMS) ** 3:.1f} times as long "
            f"as the {MOST_ITEMS:,} that are allowed. Use ItemNeighbours or ImplicitALS, or fit "
            f"it on the ratings of the {MOST_ITEMS:,} items with the most raters"
        )


def _inverse_by_items(
    ratings: Ratings, table: Array, regularization: float, threads: int | None, dtype: type
) -> Array:
    """(n_items, n_items) a multiple of ``(XᵀX + λ I)⁻¹``; what it is multiplied with cancels."""
    inverse = gram(ratings.by_user, ratings.by_item, table, threads, dtype)
    inverse[np.diag_indices_from(inverse)] += regularization
    invert(inverse, threads)
    return inverse


def _inverse_by_users(
    ratings: Ratings, table: Array, regularization: float, threads: int | None, dtype: type
) -> Array:
    """Return the same, sooner where users are few: ``λ (XᵀX + λ I)⁻¹ = I - Xᵀ (X Xᵀ + λ I)⁻¹ X``.

    (Woodbury's identity.) The matrix to be inverted has a row a user.
    """
    shared = gram(ratings.by_item, ratings.by_user, table, threads, dtype)
    shared[np.diag_indices_from(shared)] += regularization
    invert(shared, threads)
    X: Array = np.zeros((ratings.n_users, ratings.n_items), dtype)
    X[ratings.user_rows, ratings.indices] = table[ratings.by_user.codes] if len(table) else 1
    inverse: Array = np.empty((ratings.n_items,) * 2, dtype)
    multiply_blocks(X.T, multiply_blocks(shared, X, np.empty_like(X), threads), inverse, threads)
    np.negative(inverse, out=inverse)
    inverse[np.diag_indices_from(inverse)] += 1
    return inverse


def _precision(matrix: SparseRows, table: Array, regularization: float) -> type:
    """Return the type to compute in: float32 only where rounding cannot be seen in the weights.

    What counts is the condition of XᵀX + λI, its largest eigenvalue over λ. The largest of
    |X|ᵀ|X|, found by the power method, is no smaller, and the same where nothing is negative.
    """
    sizes = np.abs(table)
    x = np.ones(matrix.n_columns)
    length = 0.0
    for _ in range(_POWER_STEPS):
        x = times_transposed(matrix, sizes, times(matrix, sizes, x))
        length = float(np.sqrt(np.square(x).sum()))
        if length == 0:
            break
        x /= length
    return np.float32 if length <= _SINGLE_UP_TO * regularization else np.float64


@kernel
def _add_scores(
    places: Array, chosen: Array,
    history_indptr: Array, rated: Array, codes: Array, table: Array,
    weights: Array, scores: Array,
) -> None:  # fmt: skip
    n_items = weights.shape[1]
    for first in range(0, n_items, _TILE):
        last = min(first + _TILE, n_items)
        for place in places:
            mine = scores[place]
            for entry in range(history_indptr[chosen[place]], history_indptr[chosen[place] + 1]):
                x = table[codes[entry]] if len(table) else np.float32(1)
                _add_row(weights[rated[entry]], x, first, last, mine)


@kernel
def _add_row(row: Array, x: float, first: int, last: int, out: Array) -> None:
    for item in range(first, last):
        out[item] += x * row[item]
