"""What a list is like, in figures: to be held beside the list that relevance alone would make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recommender.reranking.calibration import divergence
from recommender.reranking.checking import as_finite, as_shares, directions_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Measures:
    """What one list is like.

    Attributes
    ----------
    score
        The mean score; ``None`` for an empty list.
    diversity
        From 0 to 2: the mean of 1 - cosine over all pairs, the intra-list distance of Ziegler et
        al. (WWW 2005); ``None`` for fewer than two movies.
    novelty
        The mean self-information in bits; ``None`` for an empty list, or where it is not known.
    miscalibration
        From 0 to 6.6 bits: how far the list's genres are from the taste
        (:func:`~recommender.reranking.calibration.divergence`); ``None`` for an empty list, or
        where no genres or no taste are known.
    """

    score: float | None
    diversity: float | None
    novelty: float | None
    miscalibration: float | None


def measure(
    scores: ArrayLike,
    vectors: ArrayLike,
    *,
    information: ArrayLike | None = None,
    genres: ArrayLike | None = None,
    taste: ArrayLike | None = None,
) -> Measures:
    """Return what one list is like.

    Parameters
    ----------
    scores, vectors
        (n,) and (n, k): the movies of the list, in any order.
    information, genres, taste
        (n,), (n, G) and (G,), as in :func:`~recommender.reranking.greedy.rerank`.

    Raises
    ------
    InvalidInputError
        When shapes do not fit, a number is not finite, or genres or taste are no distributions.

    Examples
    --------
    >>> measure([3.0, 1.0], [[1.0, 0.0], [0.0, 1.0]], information=[2.0, 5.0])
    Measures(score=2.0, diversity=1.0, novelty=3.5, miscalibration=None)
    """
    listed = as_finite(scores, "scores", (None,))
    n = len(listed)
    bits = None if information is None else as_finite(information, "information", (n,), least=0)
    shares = None if genres is None else as_shares(genres, "genres", (n, None))
    return Measures(
        score=_mean(listed),
        diversity=_diversity(directions_of(as_finite(vectors, "vectors", (n, None)))),
        novelty=None if bits is None else _mean(bits),
        miscalibration=_miscalibration(shares, taste),
    )


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if len(values) else None


def _diversity(directions: NDArray[np.float64]) -> float | None:
    n = len(directions)
    if n < 2:
        return None
    # Σ_{i≠j} u_i · u_j = ‖Σ_i u_i‖² - Σ_i ‖u_i‖²: no need to look at pairs
    together = directions.sum(axis=0)
    cosines = float(together @ together - (directions * directions).sum())
    return max(0.0, 1 - cosines / (n * (n - 1)))  # their last bits may make it less than nothing


def _miscalibration(shares: NDArray[np.float64] | None, taste: ArrayLike | None) -> float | None:
    if shares is None or taste is None or not len(shares):
        return None
    liked = as_shares(taste, "taste", (shares.shape[1],))
    return divergence(liked, shares.mean(axis=0)) if liked.any() else None
