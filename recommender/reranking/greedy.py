"""A list chosen movie by movie: each is the best beside those that stand before it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import as_count
from recommender.errors import InvalidInputError, InvalidOptionError
from recommender.reranking.calibration import RunningDivergence
from recommender.reranking.checking import as_finite, directions_of, first_of_the_best

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from recommender.arrays import Rows


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each criterion counts beside relevance, from 0 (not) to 1 (alone).

    Attributes
    ----------
    diversity
        That a movie is unlike those before it.
    novelty
        That few people know it.
    calibration
        That the list has the genres which the user likes, each to its part.

    Raises
    ------
    InvalidOptionError
        When one is not a number from 0 to 1.
    """

    diversity: float = 0.0
    novelty: float = 0.0
    calibration: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            weight = getattr(self, field.name)
            is_number = isinstance(weight, Real) and not isinstance(weight, bool)
            if not is_number or not 0 <= weight <= 1:
                raise InvalidOptionError(
                    f"{field.name} must be a number from 0 to 1; found {weight!r}"
                )

    @property
    def any(self) -> bool:
        """Whether anything but relevance counts."""
        return bool(self.diversity or self.novelty or self.calibration)


def rerank(
    scores: ArrayLike,
    vectors: ArrayLike,
    n: int,
    weights: Weights,
    *,
    information: ArrayLike | None = None,
    genres: ArrayLike | None = None,
    taste: ArrayLike | None = None,
) -> Rows:
    """Choose n movies of a pool, one after the other, by relevance and what else counts.

    Each step takes the movie with the largest value, a nest of mixtures: a weight of 0 leaves its
    criterion out, a weight of 1 leaves nothing else. With ``scores`` taken to 0..1::

        a = (1 - novelty)     · score + novelty     · information / largest information
        b = (1 - diversity)   · a     - diversity   · largest cosine to those before
        c = (1 - calibration) · b     - calibration · KL(taste ‖ genres of those before and this)

    The second line is maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998), the third
    is Steck's (RecSys 2018), with the divergence of :mod:`recommender.reranking.calibration`, in
    bits; the first is a weighted sum with the novelty of Vargas and Castells (RecSys 2011).

    Parameters
    ----------
    scores
        (m,) float32, best first.
    vectors
        (m, k) float32: the movies; a zero vector is similar to none.
    n
        How many, at least 1; fewer come back when the pool has fewer.
    weights
        How much each criterion counts.
    information
        (m,) bits, as :func:`~recommender.reranking.criteria.self_information` has them; needed
        when novelty counts.
    genres, taste
        (m, G) and (G,), as :func:`~recommender.reranking.criteria.genre_distribution` and
        :func:`~recommender.reranking.criteria.taste_of` have them; needed when calibration
        counts. A taste of zeros leaves the order to the other criteria.

    Returns
    -------
    (≤ n,) int64 places in the pool, in the order chosen. Of equal values the smaller place comes
    first; without weights the answer is 0, 1, 2, …

    Raises
    ------
    InvalidInputError
        When shapes do not fit, a number is not finite, scores are not best first, genres or taste
        are no distributions, or what a weight needs is missing.

    Examples
    --------
    >>> scores, vectors = [3.0, 2.9, 1.0], [[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]
    >>> rerank(scores, vectors, 2, Weights())
    array([0, 1])
    >>> rerank(scores, vectors, 2, Weights(diversity=0.6))
    array([0, 2])
    """
    ranked = as_finite(scores, "scores", (None,))
    if (ranked[1:] > ranked[:-1]).any():
        place = int(np.argmax(ranked[1:] > ranked[:-1]))
        raise InvalidInputError(
            f"scores must be best first; scores[{place}] is {ranked[place]:g}, "
            f"scores[{place + 1}] is {ranked[place + 1]:g}"
        )
    m = len(ranked)
    points = as_finite(vectors, "vectors", (m, None))
    chosen: Rows = np.arange(min(as_count(n), m))
    if not weights.any or not m:
        return chosen
    worth = _relevance_and_novelty(ranked, information, weights.novelty)
    calibration = None
    if weights.calibration:
        if genres is None or taste is None:
            raise InvalidInputError(
                f"calibration counts {weights.calibration:g} and needs genres and taste; found "
                f"{'no genres' if genres is None else 'no taste'}"
            )
        calibration = RunningDivergence(genres, taste, m)
    directions = directions_of(points) if weights.diversity else None
    similarity = np.zeros(m)
    barred = np.zeros(m)  # -inf where a movie is chosen already
    for step in range(len(chosen)):
        value = (1 - weights.diversity) * worth - weights.diversity * similarity
        if calibration is not None:
            value *= 1 - weights.calibration
            value -= weights.calibration * calibration.with_each()
        place = first_of_the_best(value + barred)
        chosen[step] = place
        barred[place] = -np.inf
        if directions is not None:
            cosines = directions @ directions[place]
            similarity = np.maximum(similarity, cosines) if step else cosines
        if calibration is not None:
            calibration.add(place)
    return chosen


def _relevance_and_novelty(
    ranked: NDArray[np.float64], information: ArrayLike | None, novelty: float
) -> NDArray[np.float64]:
    """(m,) in 0..1: what does not depend on the other movies of the list."""
    spread = ranked[0] - ranked[-1]
    relevance = (ranked - ranked[-1]) / spread if spread > 0 else np.ones(len(ranked))
    if not novelty:
        return relevance
    if information is None:
        raise InvalidInputError(f"novelty counts {novelty:g} and needs information; found none")
    bits = as_finite(information, "information", (len(ranked),), least=0)
    mixed: NDArray[np.float64] = (1 - novelty) * relevance + novelty * bits / (bits.max() or 1.0)
    return mixed
