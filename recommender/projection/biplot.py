r"""One plane for users and items: the biplot of row-centred scores.

A factorization scores by dot products, :math:`s_{ui} = p_u \cdot q_i + b_i`. What ranks items for
a user are the differences of scores within that user's row, so the matrix to draw is

.. math:: X = \tilde P\,(\tilde Q - \bar q)^\top,\qquad \tilde P = [P, 1],\ \tilde Q = [Q, b],

the scores less each user's average. Its singular value decomposition :math:`X = L\Sigma R^\top`
gives users :math:`F = L\Sigma^{\alpha}` and items :math:`G = R\Sigma^{1-\alpha}`; their first two
columns are the best plane there is for the differences of scores (Eckart and Young 1936; Gabriel
1971, Biometrika 58:453-467). It is read by projecting items on a user's arrow, not by closeness,
and it does not change when the same model is written in other factors (:math:`PU, QU^{-\top}`).

X itself (users x items) is never formed: with thin factors :math:`\tilde P = A R_P` and
:math:`\tilde Q_c = B R_Q` (A, B orthonormal), only :math:`R_P R_Q^\top` (k x k) is decomposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import frozen
from recommender.errors import InvalidInputError
from recommender.projection.thin import Thin, check_thin, map_rows, root, second_moment

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Plane:
    """Users and items in one plane.

    Attributes
    ----------
    users, items
        (n_users, 2) and (n_items, 2) float32 coordinates; the dot product of a user and an item
        is the plane's score, relative to the user's average when ``centred``.
    share
        The share of the variance of within-user scores that the plane keeps, over all users and
        items: 1 when it shows them exactly (also when there is no variance to show).
    axis_shares
        The same for each of the two axes alone; they sum to ``share`` in a biplot.
    user_quality, item_quality
        (n_users,) and (n_items,) float32 in [0, 1]: the share for this row or column of X alone
        (the predictivity of Gower, Lubbe and le Roux); 1 for a row without variance.
    centred
        Whether scores are relative to each user's average.
    singular_values
        (rank,) float64, falling: those of X; empty for raw axes.
    """

    users: NDArray[np.float32]
    items: NDArray[np.float32]
    share: float
    axis_shares: tuple[float, float]
    user_quality: NDArray[np.float32]
    item_quality: NDArray[np.float32]
    centred: bool
    singular_values: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Biplot(Plane):
    """The plane of row-centred scores, with what places further points on it.

    Attributes
    ----------
    user_axes, item_axes
        (k + 1, 2) float64: ``[p, 1] @ user_axes`` is a user's place; an item's is
        ``([q, b] - item_centre) @ item_axes``. Without biases the last row is zero.
    item_centre
        (k + 1,) float64: the average of ``[q, b]``.
    alpha
        Where the singular values went: 1 to the users, 0 to the items, 0.5 to both alike.
    scale
        The λ by which users were divided and items multiplied.
    """

    user_axes: NDArray[np.float64]
    item_axes: NDArray[np.float64]
    item_centre: NDArray[np.float64]
    alpha: float
    scale: float

    def place_users(self, user_factors: ArrayLike) -> NDArray[np.float32]:
        """Return the (n, 2) places of further users from their (n, k) factors (folded in, say)."""
        factors = check_thin(user_factors, None, "user_factors", len(self.item_centre) - 1)
        return map_rows(Thin(factors.left, np.ones(len(factors.left))), self.user_axes)


def biplot(
    user_factors: ArrayLike,
    item_factors: ArrayLike,
    item_biases: ArrayLike | None = None,
    alpha: float = 0.5,
    scaling: bool = True,
) -> Biplot:
    """Place users and items in the plane that keeps most of the within-user score differences.

    Parameters
    ----------
    user_factors, item_factors
        (n_users, k) and (n_items, k) finite numbers, at least one row and one column each.
    item_biases
        (n_items,) finite numbers, or ``None`` for a model that ranks by dot product alone. User
        biases and the global one change no user's ranking and have no place here.
    alpha
        In [0, 1]. 1: distances between users are those of their scores; 0: distances between
        items are; 0.5: both alike. Dot products are the same for every alpha.
    scaling
        Whether to stretch both clouds to the same root-mean-square radius (λ-scaling), which
        leaves the dot products as they are.

    Returns
    -------
    Biplot
        Coordinates, singular values and share. Signs are fixed: on each axis the item furthest
        from the origin lies on the positive side, the first such item where several are equally
        far.

    Raises
    ------
    InvalidInputError
        When shapes do not fit, something is not finite, or alpha lies outside [0, 1].

    Notes
    -----
    Runs in O((n_users + n_items) k²) time and blocks of constant memory. Singular values in the
    order of 1e-7 of the largest are rounding, as they are in float32 factors.

    Examples
    --------
    >>> plane = biplot([[1, 0.1], [-1, 0], [0.2, -1]], [[0.9, -0.2], [-1, -0.8], [1, -1]])
    >>> plane.users.shape, plane.items.shape, round(plane.share, 6)
    ((3, 2), (3, 2), 1.0)
    """
    if not 0 <= alpha <= 1:
        raise InvalidInputError(f"alpha must lie between 0 and 1; found {alpha}")
    users, items = _both(user_factors, item_factors, item_biases)
    centre = items.mean()
    gram_users, gram_items = second_moment(users), second_moment(items, centre)
    root_users, root_items = root(users, gram_users), root(items, gram_items, centre)
    left, sigma, right_t = np.linalg.svd(root_users @ root_items.T, full_matrices=False)
    sigma = np.where(sigma > _rounding(gram_users, gram_items, centre, len(items.left)), sigma, 0.0)

    # L = P̃ R_Qᵀ B Σ⁻¹ and R = Q̃c R_Pᵀ A Σ⁻¹: nothing but the two leading σ is divided by.
    two = min(2, len(sigma))
    user_axes, item_axes = np.zeros((len(centre), 2)), np.zeros((len(centre), 2))
    axes = np.flatnonzero(sigma[:two] > sigma[0] * 1e-13)  # less has no direction of its own
    user_axes[:, axes] = root_items.T @ right_t[axes].T * sigma[axes] ** (alpha - 1)
    item_axes[:, axes] = root_users.T @ left[:, axes] * sigma[axes] ** (-alpha)

    scale = 1.0
    if scaling:
        mean_user = np.trace(user_axes.T @ gram_users @ user_axes) / len(users.left)
        mean_item = np.trace(item_axes.T @ gram_items @ item_axes) / len(items.left)
        if mean_user > 0 and mean_item > 0:
            scale = float((mean_user / mean_item) ** 0.25)
            user_axes, item_axes = user_axes / scale, item_axes * scale
    item_places = map_rows(items, item_axes, centre)
    signs = _signs(item_places)
    user_axes, item_axes = user_axes * signs, item_axes * signs

    total = float(np.sum(sigma**2))
    if total == 0:
        gram_users, gram_items = np.zeros_like(gram_users), np.zeros_like(gram_items)
    shares = np.zeros(2)
    shares[:two] = sigma[:two] ** 2 / total if total > 0 else 0.0
    drawn_users = user_axes @ (item_axes.T @ gram_items @ item_axes) @ user_axes.T
    drawn_items = item_axes @ (user_axes.T @ gram_users @ user_axes) @ item_axes.T
    return Biplot(
        users=frozen(map_rows(users, user_axes)),
        items=frozen(item_places * signs.astype(np.float32)),
        share=float(shares.sum()) if total > 0 else 1.0,
        axis_shares=(float(shares[0]), float(shares[1])),
        user_quality=frozen(users.ratio(drawn_users, gram_items)),
        item_quality=frozen(items.ratio(drawn_items, gram_users, centre)),
        centred=True,
        singular_values=frozen(sigma),
        user_axes=user_axes,
        item_axes=item_axes,
        item_centre=centre,
        alpha=float(alpha),
        scale=scale,
    )


def raw_axes(
    user_factors: ArrayLike,
    item_factors: ArrayLike,
    item_biases: ArrayLike | None = None,
    axes: tuple[int, int] = (0, 1),
) -> Plane:
    """Show two factors as they are.

    The axes of a factorization are arbitrary, so this is a fair picture only when there are no
    more than two factors and no biases; then every dot product in the plane is the score itself.

    Parameters
    ----------
    user_factors, item_factors, item_biases
        As for :func:`biplot`.
    axes
        Which two factors, counted from 0. With one factor the second coordinate is 0.

    Returns
    -------
    Plane
        ``share`` is 1 − ‖X − Y‖² / ‖X‖², with Y the row-centred dot products in the plane, and at
        least 0: arbitrary axes can be worse than drawing nothing.

    Raises
    ------
    InvalidInputError
        As for :func:`biplot`, and when an axis is no factor's number or both are the same.
    """
    users, items = _both(user_factors, item_factors, item_biases)
    k = users.left.shape[1]
    if len(set(axes)) != 2 or not all(0 <= axis < max(k, 2) for axis in axes):
        raise InvalidInputError(
            f"axes must be two different factors between 0 and {max(k, 2) - 1}; found {axes}"
        )
    shown = [axis for axis in axes if axis < k]
    centre = items.mean()
    gram_users, gram_items = second_moment(users), second_moment(items, centre)
    total = float(np.sum(gram_users * gram_items))  # ‖X‖² = tr(P̃ᵀP̃ Q̃cᵀQ̃c)
    if total <= _rounding(gram_users, gram_items, centre, len(items.left)) ** 2:
        total, gram_users, gram_items = 0.0, np.zeros_like(gram_users), np.zeros_like(gram_items)

    def share(columns: list[int]) -> float:
        rest = np.delete(np.arange(k + 1), columns)
        lost = float(np.sum(gram_users[np.ix_(rest, rest)] * gram_items[np.ix_(rest, rest)]))
        return min(1.0, max(0.0, 1.0 - lost / total)) if total > 0 else 1.0

    hidden = np.ones(k + 1)
    hidden[shown] = 0.0
    hide = np.outer(hidden, hidden)
    places = np.zeros((k + 1, 2))
    for column, axis in enumerate(axes):
        if axis < k:
            places[axis, column] = 1.0
    return Plane(
        users=frozen(map_rows(users, places)),
        items=frozen(map_rows(items, places)),
        share=share(shown),
        axis_shares=(share(shown[:1]), share(shown[1:]) if len(shown) > 1 else 0.0),
        user_quality=frozen(1 - users.ratio(gram_items * hide, gram_items, empty=0.0)),
        item_quality=frozen(1 - items.ratio(gram_users * hide, gram_users, centre, empty=0.0)),
        centred=False,
        singular_values=frozen(np.empty(0)),
    )


def _both(
    user_factors: ArrayLike, item_factors: ArrayLike, item_biases: ArrayLike | None
) -> tuple[Thin, Thin]:
    """Return P̃ = [P, 1] and Q̃ = [Q, b]; without biases both last columns are zero."""
    users = check_thin(user_factors, None, "user_factors")
    items = check_thin(item_factors, item_biases, "item_factors", users.left.shape[1])
    if item_biases is not None:
        users = Thin(users.left, np.ones(len(users.left)))
    return users, items


def _rounding(
    gram_users: NDArray[np.float64],
    gram_items: NDArray[np.float64],
    centre: NDArray[np.float64],
    n_items: int,
) -> float:
    """Return how large X can be by rounding alone, when all scores of each user are equal."""
    before_centring = np.trace(gram_items) + n_items * (centre @ centre)
    return float(1e-14 * np.sqrt(np.trace(gram_users) * before_centring))


def _signs(places: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return ±1 for each axis, so that the item furthest out along it has a positive place."""
    signs = np.ones(2)
    for axis in range(2):
        sizes = np.abs(places[:, axis])
        # Rounding must not choose between items that are equally far out: the first one decides.
        first = int(np.argmax(sizes >= sizes.max() * (1 - 1e-4)))
        signs[axis] = -1.0 if places[first, axis] < 0 else 1.0
    return signs
