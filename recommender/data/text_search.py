"""One text among sorted ones, compiled: a request looks up its user before anything else."""

from __future__ import annotations

from typing import Any

import numpy as np

from recommender.compiling import kernel


@kernel
def find_text(offsets: Any, text: Any, wanted: Any) -> Any:
    """Return the row of a text, -1 when it is not there.

    Text r is ``text[offsets[r] : offsets[r + 1]]``, (n_bytes,) uint8; they increase from row to
    row by their bytes, which is the order of their code points. ``wanted`` is (m,) uint8.
    """
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
