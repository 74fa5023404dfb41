"""One text among many, compiled: a request looks up its user before anything else.

A search by bisection reads some forty places all over the memory; where a million users are asked
for at random, waiting for those takes longer than a whole list. A table of hashes leads to the
text with three.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recommender.compiling import kernel

LONGEST_WALK = 64
"""So many texts may stand between the place that a text's hash names and its own.

In a table that is half empty none comes near. Ids that were chosen to meet in one place would make
each search for them as long as they are many; there bisection is the better way.
"""


def hash_table(offsets: Any, text: Any, seed: np.uint64) -> Any:
    """Return (size,) int32: a row in each place that its text's hash leads to, -1 in the others.

    Parameters
    ----------
    offsets, text
        (n+1,) int64 and (n_bytes,) uint8: text r is ``text[offsets[r] : offsets[r + 1]]``.
    seed
        What nobody outside knows: with it, nobody can choose texts that meet.

    Returns
    -------
    (size,) int32, at least half of it empty; of size 0 when too many texts meet.
    """
    size = 1 << max((2 * (len(offsets) - 1) - 1).bit_length(), 1)
    table = np.full(size, -1, np.int32)
    return table if _fill(offsets, text, seed, table) else table[:0]


@kernel
def _fill(offsets: Any, text: Any, seed: Any, table: Any) -> Any:
    """Put every row into its place; return whether all found one near enough."""
    last = len(table) - 1
    for row in range(len(offsets) - 1):
        place = _hash(text[offsets[row] : offsets[row + 1]], seed) & np.uint64(last)
        for _ in range(LONGEST_WALK):
            if table[place] < 0:
                table[place] = row
                break
            place = (place + np.uint64(1)) & np.uint64(last)
        else:
            return False
    return True


@kernel
def find_text(offsets: Any, text: Any, table: Any, seed: Any, wanted: Any) -> Any:
    """Return the row of a text, -1 when it is not there.

    ``offsets``, ``text``, ``table`` and ``seed`` are those of :func:`hash_table`; the texts
    increase from row to row by their bytes, which is the order of their code points. ``wanted`` is
    (m,) uint8.
    """
    if len(table) == 0:
        return _bisect(offsets, text, wanted)
    last = np.uint64(len(table) - 1)
    place = _hash(wanted, seed) & last
    for _ in range(LONGEST_WALK):
        row = table[place]
        if row < 0:
            return -1
        if _compare(text, offsets[row], offsets[row + 1], wanted) == 0:
            return row
        place = (place + np.uint64(1)) & last
    return -1


@kernel
def _hash(text: Any, seed: Any) -> Any:
    """Return 64 bits of a text, eight of its bytes at a time."""
    state = seed ^ np.uint64(len(text))
    word = np.uint64(0)
    for place in range(len(text)):
        word = (word << np.uint64(8)) | np.uint64(text[place])
        if place & 7 == 7:
            state = _mixed(state ^ word)
            word = np.uint64(0)
    return _mixed(state ^ word)


@kernel
def _mixed(state: Any) -> Any:
    """Spread every bit over all (the finalizer of SplitMix64)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@kernel
def _bisect(offsets: Any, text: Any, wanted: Any) -> Any:
    """Return the row of a text as :func:`find_text` does, by the order of the texts."""
    low, high = 0, len(offsets) - 1
    while low < high:
        middle = (low + high) >> 1
        if _compare(text, offsets[middle], offsets[middle + 1], wanted) < 0:
            low = middle + 1
        else:
            high = middle
    if low < len(offsets) - 1 and _compare(text, offsets[low], offsets[low + 1], wanted) == 0:
        return low
    return -1


@kernel
def _compare(text: Any, begin: Any, end: Any, wanted: Any) -> Any:
    """Return less than 0, 0, or more, as the text comes before, is, or comes after."""
    size = end - begin
    for place in range(min(size, len(wanted))):
        difference = np.int64(text[begin + place]) - np.int64(wanted[place])
        if difference != 0:
            return difference
    return size - len(wanted)
