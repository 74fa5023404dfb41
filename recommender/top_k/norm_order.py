"""Items in the order of their lengths, for a scan that may stop early.

A score is a dot product, and no dot product is larger than the product of the two lengths
(Cauchy-Schwarz). So when items are looked at from the longest to the shortest, nobody further down
can be among the best once the length alone would not be enough; and among those before, the few
coordinates in which items differ most tell for nearly all that they are not either. Teflioudi,
Gemulla, Mykytiuk, "LEMP" (SIGMOD 2015), and Li, Chan, Yiu, Mamoulis, "FEXIPRO" (SIGMOD 2017),
have both ideas. Everything is exact: only what cannot be among the best is passed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from recommender.arrays import frozen, pointers
from recommender.solvers.threads import run_shares, worthwhile_threads
from recommender.top_k.full_sort import top_k
from recommender.top_k.scan import LANES, STEP, best_of, best_of_each, score_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Indices, Mask, Rows, Scores, Vector

Scalar = TypeVar("Scalar", bound=np.generic)
Number = TypeVar("Number", np.int32, np.int64, np.float32)

_HEAD = 16
"""Coordinates that are looked at first."""

_MANY = 512
"""Where so many are asked for, keeping them in order costs more than scoring everything."""

_NOBODY = frozen(np.empty(0, np.int64))
_ALL = frozen(np.empty(0, np.bool_))
_NONE = frozen(np.empty(0, np.float32))


def exact_scores(
    items: NDArray[np.float32],
    baselines: NDArray[np.float32] | None,
    vector: Vector,
    rows: Rows | None = None,
) -> Scores:
    """Return the float32 nearest to ``items[row] · vector + baselines[row]``.

    Parameters
    ----------
    items
        (n_items, k) float32.
    baselines
        (n_items,) float32; ``None`` or empty for none.
    vector
        (k,) float32.
    rows
        (n,) int64 whose scores are asked for; ``None`` for all, in order.

    Returns
    -------
    (n,) float32. It does not depend on which others are asked for.
    """
    scores = np.empty(len(items) if rows is None else len(rows), np.float32)
    if len(scores):
        asked = _NOBODY if rows is None else np.asarray(rows, np.int64)
        given = _fixed(items), _NONE if baselines is None else _fixed(baselines)
        score_rows(*given, _fixed(asked), _fixed(vector), scores)
    return scores


@dataclass(frozen=True, eq=False)
class NormOrder:
    """Items laid out for :meth:`best`. Make one with :meth:`of`.

    A score is the float32 nearest to ``items[row] · vector + baselines[row]``: it does not depend
    on which others are asked for, and equal vectors have equal scores.

    Attributes
    ----------
    items
        (n_items, k) float32.
    baselines
        (n_items,) float32 that are added to scores, or empty.
    heads, tails
        (n_blocks · 16, LANES) and (n_blocks · rest, LANES) float32: the items, longest first, in
        coordinates sorted by how much they hold, divided by the longest; block by block.
    rests
        (n_blocks · LANES,) float32: the lengths of the tails, rounded up.
    norms
        (n_blocks · LANES,) float32: the lengths, rounded up.
    order
        (n_blocks · LANES,) int32 rows of the items; -1 where a block is not full.
    rotation
        (k or k+1, coordinates) float64.
    longest
        The length of the longest item.
    """

    items: NDArray[np.float32]
    baselines: NDArray[np.float32]
    heads: NDArray[np.float32]
    tails: NDArray[np.float32]
    rests: NDArray[np.float32]
    norms: NDArray[np.float32]
    order: NDArray[np.int32]
    rotation: NDArray[np.float64]
    longest: float

    @classmethod
    def of(
        cls, items: NDArray[np.float32], baselines: NDArray[np.float32] | None = None
    ) -> NormOrder:
        """Lay items out: (n_items, k) finite float32, and (n_items,) float32 or ``None``."""
        own = _NONE if baselines is None else np.ascontiguousarray(baselines)
        table = items.astype(np.float64)
        if baselines is not None:  # one coordinate more, which every vector meets with a 1
            table = np.column_stack((table, baselines))
        norms = np.linalg.norm(table, axis=1)
        order = np.argsort(-norms, kind="stable")
        longest = float(norms.max(initial=0.0)) or 1.0
        table, norms = table[order] / longest, norms[order] / longest
        rotation = np.linalg.eigh(table.T @ table)[1][:, ::-1]
        width = -(-table.shape[1] // STEP) * STEP
        head = min(_HEAD, width)
        n_blocks = -(-len(items) // LANES)
        turned = np.zeros((n_blocks * LANES, width), np.float32)
        turned[: len(items), : table.shape[1]] = table @ rotation
        blocks = turned.reshape(n_blocks, LANES, width).transpose(0, 2, 1)
        rests = np.linalg.norm(turned[:, head:].astype(np.float64), axis=1)
        return cls(
            items=frozen(np.ascontiguousarray(items)),
            baselines=frozen(own),
            heads=frozen(np.ascontiguousarray(blocks[:, :head]).reshape(-1, LANES)),
            tails=frozen(np.ascontiguousarray(blocks[:, head:]).reshape(-1, LANES)),
            rests=frozen(_up(rests, len(turned))),
            norms=frozen(_up(norms, len(turned))),
            order=frozen(_filled(order.astype(np.int32), len(turned), -1)),
            rotation=frozen(np.ascontiguousarray(rotation)),
            longest=longest,
        )

    def best(
        self,
        vector: Vector,
        n: int,
        allowed: Mask | None = None,
        seen: Rows | Indices | None = None,
    ) -> tuple[Rows, Scores]:
        """Return the rows and scores of the n best items, best first.

        Parameters
        ----------
        vector
            (k,) finite float32.
        n
            How many; fewer come back when fewer are left.
        allowed
            (n_items,) bool; ``None`` allows all.
        seen
            Increasing rows that are left out as well, as int64 or as a sparse matrix keeps them;
            ``None`` for none.

        Returns
        -------
        (≤ n,) int64 rows and (≤ n,) float32 scores. Of equal scores the smaller row comes first:
        the answer is that of a full stable sort.
        """
        n = min(n, len(self.items))
        seen = _NOBODY if seen is None else seen
        best, scores = np.empty(n, np.int64), np.empty(n, np.float32)
        if n == 0:
            return best, scores
        if n > _MANY:
            return self._sorted(vector, n, allowed, seen)
        mask = _ALL if allowed is None else _fixed(allowed)
        found = best_of(*self._arrays, _fixed(vector), mask, _fixed(seen), best, scores)
        return (best, scores) if found == n else (best[:found], scores[:found])

    def best_of_each(
        self,
        vectors: NDArray[np.float32],
        n: int,
        seen: tuple[NDArray[np.int64], Rows | Indices] | None = None,
        allowed: Mask | None = None,
        threads: int | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the rows and scores of the n best items of each of many vectors.

        Parameters
        ----------
        vectors
            (B, k) finite float32.
        n, allowed
            As in :meth:`best`.
        seen
            ``indptr`` and ``indices`` of a sparse matrix with the increasing rows that each of the
            B leaves out; ``None`` for none.
        threads
            Cores to use; ``None`` for all that the process may use.

        Returns
        -------
        (B, min(n, n_items)) int64 rows and float32 scores; where fewer are left, row -1, score 0.
        """
        n = min(n, len(self.items))
        indptr, rows = seen or (pointers(np.zeros(len(vectors), np.int64)), _NOBODY)
        best = np.empty((len(vectors), n), np.int64)
        scores = np.empty((len(vectors), n), np.float32)
        if n > _MANY:
            for user, vector in enumerate(vectors):
                own = rows[indptr[user] : indptr[user + 1]]
                found, their_scores = self._sorted(vector, n, allowed, own)
                best[user], scores[user] = _filled(found, n, -1), _filled(their_scores, n, 0)
            return best, scores
        mask = _ALL if allowed is None else _fixed(allowed)
        given = _fixed(vectors), mask, frozen(indptr), frozen(rows)
        arrays = (*self._arrays, *given, best, scores)
        shared = worthwhile_threads(threads, len(vectors) * 50)
        shares = [frozen(np.arange(one, len(vectors), shared)) for one in range(shared)]
        run_shares(lambda which: best_of_each(which, *arrays), shares)
        return best, scores

    def score(self, vector: Vector, rows: Rows | None = None) -> Scores:
        """(n,) float32: the scores of some rows, or of all items."""
        return exact_scores(self.items, self.baselines, vector, rows)

    def _sorted(
        self, vector: Vector, n: int, allowed: Mask | None, seen: Rows | Indices
    ) -> tuple[Rows, Scores]:
        scores = self.score(vector)
        left = np.ones(len(scores), np.bool_) if allowed is None else allowed.copy()
        left[seen] = False
        rows = top_k(scores, n, left)
        return rows, scores[rows]

    @cached_property
    def _arrays(self) -> tuple[object, ...]:
        """What the kernels take first, in their order."""
        return (
            self.heads, self.tails, self.rests, self.norms, self.order,
            self.items, self.baselines, self.rotation, self.longest,
        )  # fmt: skip


def _fixed(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return it as the kernels take it: for others they would be compiled anew, in a request."""
    flags = array.flags
    if not flags.c_contiguous or not flags.aligned:
        array = array.copy()
    return frozen(array) if array.flags.writeable else array


def _up(lengths: NDArray[np.float64], size: int) -> NDArray[np.float32]:
    """Return lengths as float32 that are never less, with zeros behind."""
    return _filled((lengths * (1 + 2.4e-7)).astype(np.float32), size, 0)


def _filled(values: NDArray[Number], size: int, filling: int) -> NDArray[Number]:
    filled = np.full(size, filling, values.dtype)
    filled[: len(values)] = values
    return filled
