"""The scan behind :class:`~recommender.top_k.norm_order.NormOrder`, compiled.

Items stand in blocks of ``LANES``, longest first, and are scored a block at a time: first the
coordinates that hold most of everything (the *head*), then, if one of the block can still be
among the best, the others (the *tail*). Those sums are float32 and decide only what is not worth
looking at. Whoever is left is scored anew, in double precision from the vectors as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import extending, types

from recommender.compiling import inlined, kernel
from recommender.solvers.instructions import LANES, ZERO, Writer, number

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LANES", "STEP", "best_of", "best_of_each", "score_rows"]

STEP = 4
"""Coordinates taken together, each in a sum of its own, so that no addition waits for another."""

_TINY = np.float32(1e-30)
"""What products of very small numbers may be off by, being too small for float32."""

_ULP = np.float32(1.2e-7)
"""The distance between 1 and the next float32, rounded up."""

intrinsic: Any = extending.intrinsic
_Place, _Number = types.int64, types.float32


def _sums(w: Writer, blocks: int, begin: Any, n: Any, q: Any, start: Any) -> Any:
    """Write ``start + Σ_j q[j] · blocks[begin + j]``, a lane for each item of the block."""
    block = w.at(blocks, begin, number(0))

    def body(j: ir.Value, sums: Sequence[Any]) -> Sequence[Any]:
        added = []
        for m in range(STEP):
            place = w.b.add(j, number(m))
            coordinates = w.load(w.move(block, w.b.mul(place, number(LANES))))
            factor = w.spread(w.b.load(w.move(q, place)))
            added.append(w.multiply_add(coordinates, factor, sums[m]))
        return added

    one, two, three, four = w.loop(number(0), n, STEP, [start, ZERO, ZERO, ZERO], body)
    return w.b.fadd(w.b.fadd(one, two), w.b.fadd(three, four))


def _which(w: Writer, vector: Any, limit: Any) -> Any:
    """Write which lanes are at least the limit, as the bits of a number."""
    reached = w.b.fcmp_ordered(">=", vector, w.spread(limit))
    return w.b.zext(w.b.bitcast(reached, ir.IntType(LANES)), ir.IntType(64))


@intrinsic
def _heads(context, heads, begin, n, q, rests, at, left, limit, sums):
    """Begin the sums of a block; say who could reach the limit with ``rests[at:] · left`` more."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        w = Writer(context, builder, signature, arguments)
        _, begin, n, _, _, at, left, limit, _ = arguments
        begun = _sums(w, 0, begin, n, w.at(3, number(0)), ZERO)
        w.store(begun, w.at(8, number(0)))
        most = w.multiply_add(w.load(w.at(4, at)), w.spread(left), begun)
        return _which(w, most, limit)

    arguments = (heads, _Place, _Place, q, rests, _Place, _Number, _Number, sums)
    return types.int64(*arguments), lower


@intrinsic
def _tails(context, tails, begin, n, q, first, limit, sums):
    """Finish the sums of a block with ``q[first:]``; say who reaches the limit."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        w = Writer(context, builder, signature, arguments)
        _, begin, n, _, first, limit, _ = arguments
        done = _sums(w, 0, begin, n, w.at(3, first), w.load(w.at(6, number(0))))
        w.store(done, w.at(6, number(0)))
        return _which(w, done, limit)

    return types.int64(tails, _Place, _Place, q, _Place, _Number, sums), lower


@inlined
def _score(items, baselines, row, vector):
    """Return the nearest float32 to the score: products of float32 are exact in float64."""
    score = 0.0
    for j in range(len(vector)):
        score += np.float64(items[row, j]) * np.float64(vector[j])
    if len(baselines):
        score += np.float64(baselines[row])
    return np.float32(score)


@inlined
def _is_among(rows, row):
    """Say whether a row stands in increasing rows."""
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) >> 1
        if np.int64(rows[middle]) < row:
            low = middle + 1
        else:
            high = middle
    return low < len(rows) and np.int64(rows[low]) == row


@inlined
def _insert(score, row, found, best, scores):
    """Put a row where it belongs among the best so far; return how many there are now."""
    n = len(best)
    if found == n:
        if score < scores[n - 1] or (score == scores[n - 1] and row > best[n - 1]):
            return found
        at = n - 1
    else:
        at = found
        found += 1
    while at > 0 and (scores[at - 1] < score or (scores[at - 1] == score and best[at - 1] > row)):
        scores[at], best[at] = scores[at - 1], best[at - 1]
        at -= 1
    scores[at], best[at] = score, row
    return found


@inlined
def _rotate(rotation, vector, has_baseline, q):
    """Write the vector in the coordinates of the blocks, at length 1; return its length."""
    k = len(vector)
    turned = np.zeros(len(q), np.float64)
    square = 0.0
    for a in range(k + has_baseline):
        x = np.float64(vector[a]) if a < k else 1.0
        square += x * x
        for j in range(rotation.shape[1]):
            turned[j] += x * rotation[a, j]
    length = np.sqrt(square)
    scale = 1 / length if length > 0 else 0.0
    for j in range(len(q)):
        q[j] = np.float32(turned[j] * scale)
    return length


@inlined
def _first_of(allowed, seen, n_items, best, scores):
    """Write the first rows that may appear, which is the order where all scores are 0."""
    found = 0
    for row in range(n_items):
        if (len(allowed) == 0 or allowed[row]) and not _is_among(seen, row):
            best[found], scores[found] = row, 0
            found += 1
            if found == len(best):
                break
    return found


@kernel
def best_of(
    heads, tails, rests, norms, order, items, baselines, rotation, longest,
    vector, allowed, seen, best, scores,
):  # fmt: skip
    """Write the best rows and their scores, best first; return how many there are.

    The first arrays are those of a ``NormOrder``; ``allowed`` is (n_items,) bool or empty for all;
    ``seen`` are increasing rows that are left out; ``best`` and ``scores`` are (n,) and written.
    """
    n = len(best)
    n_blocks = len(norms) // LANES
    head, tail = len(heads) // n_blocks, len(tails) // n_blocks
    q = np.empty(head + tail, np.float32)
    length = _rotate(rotation, vector, 1 if len(baselines) else 0, q)
    if length == 0:
        return _first_of(allowed, seen, len(items), best, scores)
    rest = 0.0
    for j in range(head, head + tail):
        rest += np.float64(q[j]) * np.float64(q[j])
    left = np.float32(np.sqrt(rest)) * (1 + 4 * _ULP)
    unit = length * longest
    slack = np.float32((head + tail + 8) * _ULP)
    sums = np.empty(LANES, np.float32)
    found = 0
    limit = np.float32(-np.inf)
    for block in range(n_blocks):
        first = block * LANES
        reach = limit - slack * norms[first]
        if found == n and norms[first] < reach:
            break
        bits = _heads(heads, block * head, head, q, rests, first, left, reach, sums)
        if bits:
            bits &= _tails(tails, block * tail, tail, q, head, reach, sums)
        lane = 0
        while bits:
            if bits & 1 and sums[lane] >= limit - slack * norms[first]:
                row = np.int64(order[first + lane])
                if row >= 0 and (len(allowed) == 0 or allowed[row]) and not _is_among(seen, row):
                    score = _score(items, baselines, row, vector)
                    found = _insert(score, row, found, best, scores)
                    if found == n and unit > 0:
                        worst = np.float64(scores[n - 1]) / unit
                        limit = np.float32(worst - abs(worst) * 4e-7) - _TINY
            bits >>= 1
            lane += 1
    return found


@kernel
def best_of_each(
    which, heads, tails, rests, norms, order, items, baselines, rotation, longest,
    vectors, allowed, indptr, seen, best, scores,
):  # fmt: skip
    """Do :func:`best_of` for each user of ``which``; places that nobody takes get row -1."""
    for user in which:
        own = seen[indptr[user] : indptr[user + 1]]
        found = best_of(
            heads, tails, rests, norms, order, items, baselines, rotation, longest,
            vectors[user], allowed, own, best[user], scores[user],
        )  # fmt: skip
        for place in range(found, best.shape[1]):
            best[user, place] = -1
            scores[user, place] = 0


@kernel
def score_rows(items, baselines, rows, vector, scores):
    """Write the score of some rows; of all, in order, when ``rows`` is empty."""
    for place in range(len(scores)):
        row = rows[place] if len(rows) else place
        scores[place] = _score(items, baselines, row, vector)
