"""Who is near whom on one side of a factorization: by direction, or by dot product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from recommender.errors import InvalidOptionError
from recommender.top_k import exact_scores, top_k

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Mask, Rows, Scores, Vector

Nearness = Literal["cosine", "dot"]

NEARNESSES: tuple[Nearness, ...] = ("cosine", "dot")


def lengths(factors: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,) the length of each row of (n, k) factors."""
    found: NDArray[np.float64] = np.sqrt(np.einsum("nk,nk->n", factors, factors, dtype=np.float64))
    return found


def nearest(
    factors: NDArray[np.float32],
    norms: NDArray[np.float64],
    vector: Vector,
    n: int,
    allowed: Mask | None = None,
    by: Nearness = "cosine",
    without: int = -1,
) -> tuple[Rows, Scores]:
    """Return the rows that are nearest to a vector.

    Parameters
    ----------
    factors, norms
        (m, k) vectors, and (m,) their :func:`lengths`.
    vector
        (k,) float32 whose neighbours.
    n
        How many; fewer come back when fewer are left.
    allowed
        (m,) bool; ``None`` allows all.
    by
        ``"cosine"``: which way vectors point, from -1 to 1; a zero vector points nowhere and is
        similar to none. ``"dot"``: the dot product, which long vectors have more of: those of
        items that many people know.
    without
        A row that is left out: the one that the vector is of; -1 for none.

    Returns
    -------
    (≤ n,) int64 rows and (≤ n,) float32 cosines or products, largest first.

    Raises
    ------
    InvalidOptionError
        When ``by`` is neither.
    """
    if by not in NEARNESSES:
        raise InvalidOptionError(f'by must be "cosine" or "dot"; found {by!r}')
    scores = exact_scores(factors, None, vector)
    if by == "cosine":
        both = norms * lengths(vector[np.newaxis])[0]
        cosines = np.zeros(len(scores))
        np.divide(scores, both, out=cosines, where=both > 0)
        scores = cosines.astype(np.float32)
    others = np.ones(len(factors), np.bool_) if allowed is None else allowed.copy()
    if without >= 0:
        others[without] = False
    rows = top_k(scores, n, others)
    return rows, scores[rows]
