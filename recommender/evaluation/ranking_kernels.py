"""Ranking compiled: what is done for every item of every user.

All of them trust their arguments: a row outside its array is not caught. Arrays are read-only
except those that are written, and rows of items increase within a user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.compiling import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


@kernel
def mark_members(rows: Array, columns: Array, indptr: Array, indices: Array, out: Array) -> None:
    """``out[e]`` becomes whether the column of pair e is in its row; -1 is in none, or is none."""
    for entry in range(len(rows)):
        row, column = rows[entry], columns[entry]
        if row >= 0 and column >= 0:
            at = _lower(indices, indptr[row], indptr[row + 1], column)
            out[entry] = at < indptr[row + 1] and indices[at] == column


@inlined
def _lower(values: Array, begin: int, end: int, wanted: Any) -> int:
    """Return the first place from ``begin`` on whose value is not below the wanted one."""
    while begin < end:
        middle = (begin + end) // 2
        if values[middle] < wanted:
            begin = middle + 1
        else:
            end = middle
    return begin


@kernel
def rank_share(
    places: Array, lines: Array, scores: Array, rows: Array, seen_indptr: Array, seen: Array,
    lists: Array, is_cut: Array,
) -> int:  # fmt: skip
    """Write the best items of some users; of equal scores the smaller row comes first.

    Parameters
    ----------
    places
        Which users of the batch.
    lines
        (B,) which line of ``scores`` is each user's.
    scores
        (lines, n_items) float32.
    rows
        (B,) each user's row in the sparse matrix of what is left out, or -1.
    lists
        (B, k) all -1; written, best first.
    is_cut
        (B,) bool, written: whether an item of the same score as the last one stayed outside.

    Returns
    -------
    A place with a score that is not finite; -1 when all are.
    """
    best = np.empty(lists.shape[1], np.float32)
    for turn in range(len(places)):
        place = places[turn]
        line, left_out = scores[lines[place]], seen[0:0]
        if not _all_finite(line):
            return int(place)
        if rows[place] >= 0:
            left_out = seen[seen_indptr[rows[place]] : seen_indptr[rows[place] + 1]]
        is_cut[place] = _find_best(line, left_out, lists[place], best)
    return -1


@inlined
def _find_best(line: Array, left_out: Array, chosen: Array, best: Array) -> bool:
    """Write the best items of one line; return whether one of the last one's score is not there."""
    k, found, at = len(chosen), 0, 0
    tied, least = False, np.float32(-np.inf)
    for item in range(len(line)):
        score = line[item]
        if score < least:
            continue
        while at < len(left_out) and left_out[at] < item:
            at += 1
        if at < len(left_out) and left_out[at] == item:
            continue
        if found < k:
            free, found = found, found + 1
        elif score > least:
            free = k - 1
            # Who stays outside is at best equal to the one that goes.
            tied = k > 1 and best[k - 2] == least
        else:
            tied = True
            continue
        while free > 0 and best[free - 1] < score:
            best[free], chosen[free] = best[free - 1], chosen[free - 1]
            free -= 1
        best[free], chosen[free] = score, item
        if found == k:
            least = best[k - 1]
    return tied


@inlined
def _all_finite(line: Array) -> bool:
    """Whether no score is infinite or no number: either times 0 is no number."""
    total = np.float32(0)
    for item in range(len(line)):
        total += line[item] * np.float32(0)
    return bool(total == 0)


@kernel
def find_hits(lists: Array, begins: Array, ends: Array, relevant: Array, hits: Array) -> None:
    """Write whether each item of each list is among the user's relevant ones."""
    for user in range(len(lists)):
        begin, end = begins[user], ends[user]
        for place in range(lists.shape[1]):
            item = lists[user, place]
            at = _lower(relevant, begin, end, item)
            hits[user, place] = item >= 0 and at < end and relevant[at] == item


@kernel
def win_share(
    places: Array, lines: Array, scores: Array, rows: Array, seen_indptr: Array, seen: Array,
    begins: Array, ends: Array, relevant: Array, wins: Array, others: Array,
) -> None:  # fmt: skip
    """Compare every relevant item with every other one that is not left out.

    Parameters
    ----------
    places … seen
        As in :func:`rank_share`.
    begins, ends, relevant
        User u's relevant items are ``relevant[begins[u] : ends[u]]``.
    wins
        (B,) float64, written: how many of these pairs the relevant item wins; a tie is half.
    others
        (B,) int64, written: how many items are neither left out nor relevant.
    """
    for turn in range(len(places)):
        place = places[turn]
        line, own = scores[lines[place]], relevant[begins[place] : ends[place]]
        left_out = seen[0:0]
        if rows[place] >= 0:
            left_out = seen[seen_indptr[rows[place]] : seen_indptr[rows[place] + 1]]
        n_others, won = len(line) - len(left_out) - len(own), 0.0
        for e in range(len(own)):
            score = line[own[e]]
            above, equal = _count(line, score)
            above_left_out, equal_left_out = _count_at(line, left_out, score)
            above_own, equal_own = _count_at(line, own, score)
            above -= above_left_out + above_own
            won += n_others - above - 0.5 * (equal - equal_left_out - equal_own)
        wins[place], others[place] = won, n_others


@inlined
def _count(line: Array, score: Any) -> tuple[int, int]:
    """Count what is above a score, and what equals it."""
    above, equal = 0, 0
    for item in range(len(line)):
        above += line[item] > score
        equal += line[item] == score
    return above, equal


@inlined
def _count_at(line: Array, items: Array, score: Any) -> tuple[int, int]:
    """Count the same among some items."""
    above, equal = 0, 0
    for at in range(len(items)):
        above += line[items[at]] > score
        equal += line[items[at]] == score
    return above, equal


@kernel
def place_positives(
    lines: Array, scores: Array, positive_indptr: Array, positives: Array,
    negative_indptr: Array, negatives: Array, above: Array, equal: Array,
) -> None:  # fmt: skip
    """Count for each positive how many of the user's negatives score more, and how many the same.

    Items that training never saw, -1, score less than all others, and the same among themselves.

    Parameters
    ----------
    lines
        (B,) which line of ``scores`` is each user's.
    positive_indptr, negative_indptr
        (B + 1,) from where to where each user's items are.
    above, equal
        (n_positives,) int64, written.
    """
    for user in range(len(lines)):
        line = scores[lines[user]]
        for e in range(positive_indptr[user], positive_indptr[user + 1]):
            item = positives[e]
            more, same = 0, 0
            for f in range(negative_indptr[user], negative_indptr[user + 1]):
                other = negatives[f]
                if item < 0 or other < 0:
                    more += item < 0 <= other
                    same += item < 0 and other < 0
                else:
                    more += line[other] > line[item]
                    same += line[other] == line[item]
            above[e], equal[e] = more, same
