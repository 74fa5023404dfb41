"""From attributes to vectors: ridge regression, its regularization chosen by the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from recommender.arrays import frozen
from recommender.attributes.features import CONSTANTS, Features
from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from recommender.arrays import Mask
    from recommender.attributes.item_attributes import ItemAttributes

_GRID = 10.0 ** np.arange(-2, 4.5, 0.5)
"""What is tried for λ, in weights of an average item."""

_HALF_TRUSTED = 10.0
"""Ratings at which half of what a vector says is the item, and half is chance."""


def trust(n_ratings: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """(n,) float64 ``n / (n + 10)``: what each item should weigh in :meth:`AttributeMap.fit`.

    An item's vector is off from its kind by what it has of its own, and by chance, which its
    ratings average out: so it deserves a weight like n / (n + c). With movies held out of
    ml-latest-small, c = 10 ranked new movies best (AUC .809) and gave them as many places in lists
    of all movies as they have among what people liked: 9 %. Where all weigh alike, the many
    movies of a few ratings, whose vectors are short, make new ones short (AUC .802, 5 %). Weights
    of √n (.800, 12 %) or n (.796, 19 %) make them look like what is popular, and recommend them
    to everyone; only the error in stars is less with n: .907, where it is .913
    (benchmarks/new_movies.py).
    """
    weights: NDArray[np.float64] = n_ratings / (n_ratings + _HALF_TRUSTED)
    return weights


@dataclass(frozen=True, eq=False)
class AttributeMap:
    """A linear map from features to vectors.

    A new item gets the average vector of items of its kind. Where no genre is known, that is the
    average over genres, and so it is with years. That an item has no tags says something, though:
    nobody has cared to give it any.

    Attributes
    ----------
    features
        What it looks at.
    table
        (n_features, d) float32: what each feature adds. The first row is the vector of an item
        of which nothing is known.
    """

    features: Features
    table: NDArray[np.float32]

    def __post_init__(self) -> None:
        fits = self.table.dtype == np.float32 and self.table.ndim == 2
        if not fits or len(self.table) != len(self.features):
            raise InvalidInputError(
                f"the table of {len(self.features)} features must be float32 with a row for "
                f"each; found {self.table.dtype} of the shape {self.table.shape}"
            )
        if not np.isfinite(self.table).all():
            raise InvalidInputError("the table of features has numbers that are not finite")
        object.__setattr__(self, "table", frozen(self.table))

    @classmethod
    def fit(
        cls,
        attributes: ItemAttributes,
        targets: NDArray[Any],
        weights: NDArray[Any] | None = None,
        features: Features | None = None,
    ) -> Self:
        """Learn the map from items whose vectors are known.

        ``Σ_i w_i ‖a + z_i B - y_i‖² + λ ‖B‖²``, where z are features less their averages; λ is the
        one of the grid with the least generalized cross-validation error, which is exact from
        one eigendecomposition (Golub, Heath, Wahba 1979).

        Parameters
        ----------
        attributes
            Of n ≥ 1 items.
        targets
            (n, d) their vectors.
        weights
            (n,) at least 0, what each item counts, see :func:`trust`; all alike when not given.
        features
            What to look at; what there is enough of in the attributes when not given.

        Raises
        ------
        InvalidInputError
            When shapes do not fit together, or numbers are not finite.
        """
        n = len(attributes)
        y, w = _checked(targets, weights, n)
        chosen = features or Features.of(attributes)
        matrix = chosen.matrix(attributes)
        constants, words = matrix[:, :CONSTANTS].toarray(), matrix[:, CONSTANTS:]
        average = w @ y / n
        left = y - average
        # z = f - c A, without an array of n rows that is not sparse
        averages = _averages(chosen, constants, words, w)
        by_weight = words.multiply(w[:, None]).tocsr()
        crossed = np.asarray(by_weight.T @ constants) @ averages
        gram = (by_weight.T @ words).toarray() - crossed - crossed.T
        gram += averages.T @ (constants.T @ (w[:, None] * constants)) @ averages
        aims = by_weight.T @ left - averages.T @ (constants.T @ (w[:, None] * left))
        slopes = _ridge(gram, aims, float(w @ np.square(left).sum(axis=1)), n)
        table = np.vstack((-averages @ slopes, slopes))
        table[0] += average
        return cls(chosen, table.astype(np.float32))

    def predict(self, attributes: ItemAttributes) -> NDArray[np.float32]:
        """(m, d) float32: the vectors of m items; genres and tags that are new are ignored."""
        # Sparse rows are multiplied one by one: a vector does not depend on who is beside it.
        predicted: NDArray[np.float64] = self.features.matrix(attributes) @ self.table
        return predicted.astype(np.float32)

    def knows(self, attributes: ItemAttributes) -> Mask:
        """(m,) bool: of which items there is a genre, a year or a tag that the map looks at."""
        return self.features.knows(attributes)


def _checked(
    targets: NDArray[Any], weights: NDArray[Any] | None, n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    y = np.asarray(targets, np.float64)
    w = np.ones(n) if weights is None else np.asarray(weights, np.float64)
    if n == 0 or y.ndim != 2 or len(y) != n or w.shape != (n,):
        raise InvalidInputError(
            f"a map needs at least one item, and a target and a weight for each; found {n} items, "
            f"targets of the shape {y.shape} and weights of the shape {w.shape}"
        )
    if not (np.isfinite(y).all() and np.isfinite(w).all() and (w >= 0).all()):
        raise InvalidInputError("targets and weights must be finite, and weights at least 0")
    total = w.sum()
    return y, w * n / total if total else np.ones(n)


def _averages(
    features: Features, constants: NDArray[np.float64], words: csr_matrix, w: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(3, n_features - 3): how often each word stands in an item of which its kind is known.

    Genres and decades belong to items with one; tags to all.
    """
    held = constants * w[:, None]
    often = (
        np.asarray(words.T @ held).T / np.maximum(held.sum(axis=0), np.finfo(float).tiny)[:, None]
    )
    n_genres, n_decades = len(features.genres), len(features.decades)
    kinds = np.repeat([1, 2, 0], [n_genres, n_decades, len(features.tags)])
    averages: NDArray[np.float64] = np.where(kinds == np.arange(CONSTANTS)[:, None], often, 0)
    return averages


def _ridge(
    gram: NDArray[np.float64], aims: NDArray[np.float64], squares: float, n: int
) -> NDArray[np.float64]:
    """Solve ``(gram + λ I) B = aims`` for the λ of the grid with the least error to be expected.

    The generalized cross-validation error is ``n RSS(λ) / (n - 1 - tr H(λ))²``; in the basis of
    the gram, both are sums over its eigenvalues.
    """
    eigenvalues, basis = np.linalg.eigh(gram)
    e = np.maximum(eigenvalues, 0)
    turned = basis.T @ aims
    sizes = np.square(turned).sum(axis=1)

    def error(ridge: float) -> float:
        rss = max(squares - float((sizes * (e + 2 * ridge) / np.square(e + ridge)).sum()), 0)
        left = n - 1 - float((e / (e + ridge)).sum())
        return n * rss / left**2 if left > 1e-6 * n else np.inf

    # Of equal errors, the stronger: where nothing can be learned, nothing is.
    best = min(_GRID[::-1].tolist(), key=error)
    slopes: NDArray[np.float64] = basis @ (turned / (e + best)[:, None])
    return slopes
