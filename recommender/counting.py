"""Sorting by counting: the compiled loops that bring ratings into rows.

A row number is a place in an array, so nothing is ever compared: one pass counts what belongs to
each row, one pass moves everything there. Every loop reads its large arrays once, from front to
back. All of them trust their arguments: a number outside its table is not caught.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.compiling import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


@kernel
def count(keys: Array, low: int, counts: Array) -> None:
    """Add to ``counts[key - low]`` one for each key."""
    for entry in range(len(keys)):
        counts[keys[entry] - low] += 1


@kernel
def look_up(table: Array, keys: Array, low: int, out: Array) -> None:
    """``out[e] = table[keys[e] - low]``; ``out`` may be ``keys`` itself.

    Indexing with NumPy would first make eight bytes of every key.
    """
    for entry in range(len(keys)):
        out[entry] = table[keys[entry] - low]


@kernel
def are_in_order(
    row_keys: Array, row_low: int, row_table: Array,
    column_keys: Array, column_low: int, column_table: Array,
) -> bool:  # fmt: skip
    """Whether the entries come row by row, columns increasing within a row, none twice."""
    last_row, last_column = -1, -1
    for entry in range(len(row_keys)):
        row = row_table[row_keys[entry] - row_low]
        column = column_table[column_keys[entry] - column_low]
        if row < last_row or (row == last_row and column <= last_column):
            return False
        last_row, last_column = row, column
    return True


@kernel
def rows_increase(indptr: Array, indices: Array) -> bool:
    """Whether the columns increase within each row, none twice."""
    for row in range(len(indptr) - 1):
        for entry in range(indptr[row] + 1, indptr[row + 1]):
            if indices[entry] <= indices[entry - 1]:
                return False
    return True


@kernel
def deal(
    row_keys: Array, row_low: int, row_table: Array,
    column_keys: Array, column_low: int, column_table: Array,
    codes: Array, places: Array, rows_out: Array, codes_out: Array, order_out: Array,
) -> None:  # fmt: skip
    """Move each entry to its column, entries of one column in the order given.

    Parameters
    ----------
    row_keys, row_low, row_table
        The row of entry e is ``row_table[row_keys[e] - row_low]``; columns likewise.
    places
        (n_columns,) where the first entry of each column goes; moved on.
    codes_out
        All zeros; not touched where it stays 0. So where all ratings are one value, what was
        reserved for it never becomes memory.
    order_out
        Which entry went to each place; not written when it has no length.
    """
    carried = len(order_out) > 0
    for entry in range(len(row_keys)):
        column = column_table[column_keys[entry] - column_low]
        place = places[column]
        places[column] = place + 1
        rows_out[place] = row_table[row_keys[entry] - row_low]
        if codes[entry]:
            codes_out[place] = codes[entry]
        if carried:
            order_out[place] = entry


@kernel
def transpose(
    indptr: Array, indices: Array, codes: Array, order: Array,
    places: Array, rows_out: Array, codes_out: Array, order_out: Array,
) -> None:  # fmt: skip
    """Move each entry of a sparse matrix to its column; within a column the rows increase.

    ``order``, if it has any length, is carried along; ``codes_out`` as in :func:`deal`. A
    column's entries are written one behind the other, so that its cache line is filled before it
    is left: blocks of columns were slower.
    """
    carried = len(order) > 0
    for row in range(len(indptr) - 1):
        for entry in range(indptr[row], indptr[row + 1]):
            column = indices[entry]
            place = places[column]
            places[column] = place + 1
            rows_out[place] = row
            if codes[entry]:
                codes_out[place] = codes[entry]
            if carried:
                order_out[place] = order[entry]


@kernel
def keep_last(indptr: Array, indices: Array, codes: Array, order: Array) -> int:
    """Of neighbours in one row with the same column keep the last, and close up in place."""
    kept, begin = 0, 0
    for row in range(len(indptr) - 1):
        end = indptr[row + 1]
        for entry in range(begin, end):
            if entry + 1 < end and indices[entry] == indices[entry + 1]:
                continue
            if kept < entry:
                indices[kept] = indices[entry]
                codes[kept] = codes[entry]
                if len(order) > 0:
                    order[kept] = order[entry]
            kept += 1
        begin = end
        indptr[row + 1] = kept
    return kept


@kernel
def count_chosen(indptr: Array, chosen: Array, counts: Array) -> None:
    """Write how many entries of each row are chosen."""
    for row in range(len(indptr) - 1):
        total = 0
        for entry in range(indptr[row], indptr[row + 1]):
            total += chosen[entry]
        counts[row] = total


@kernel
def _number(keys: Array, numbers: Array, slots: Array, distinct: Array) -> int:
    """Number the keys by first appearance; return how many there are, -1 when too many.

    ``slots`` is a hash table with open addressing: the number of a key, or -1. ``numbers`` is all
    zeros, and not touched where it stays 0.
    """
    mask = np.uint64(len(slots) - 1)
    found = 0
    for entry in range(len(keys)):
        key = keys[entry]
        # The finalizer of MurmurHash3: keys in any pattern spread over all slots.
        mixed = np.uint64(key)
        mixed ^= mixed >> np.uint64(33)
        mixed *= np.uint64(0xFF51AFD7ED558CCD)
        mixed ^= mixed >> np.uint64(33)
        mixed *= np.uint64(0xC4CEB9FE1A85EC53)
        slot = (mixed ^ (mixed >> np.uint64(33))) & mask
        while slots[slot] >= 0 and distinct[slots[slot]] != key:
            slot = (slot + np.uint64(1)) & mask
        if slots[slot] < 0:
            if found == len(distinct):
                return -1
            slots[slot] = found
            distinct[found] = key
            found += 1
        if slots[slot]:
            numbers[entry] = slots[slot]
    return found


def number_distinct(keys: Array, numbers: Array, most: int) -> Array | None:
    """Number the distinct keys in the order of their first appearance.

    Parameters
    ----------
    keys
        (n,) whole numbers.
    numbers
        (n,) all zeros; written: the number of each key. Where all keys are one, what was reserved
        for it never becomes memory.
    most
        How many distinct keys there may be; less than 2³¹.

    Returns
    -------
    (d,) the distinct keys by number; ``None`` when there are more than ``most``.
    """
    most = min(most, max(len(keys), 1))
    room = min(512, most)
    while True:
        slots = np.full(2 << (room - 1).bit_length(), -1, np.int32)
        distinct = np.empty(room, keys.dtype)
        found = _number(keys, numbers, slots, distinct)
        if found >= 0:
            return distinct[:found].copy()
        if room == most:
            return None
        # Starting over costs less than a seventh of the last pass, and no second kernel.
        room = min(8 * room, most)
