"""The items that are most similar to each item, found without a matrix of all pairs.

One item after the other: its products with all items are summed up by way of its raters, and the
best are kept in a heap. So a thread needs room for one number an item (two, where stars count).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import frozen, index_type, pointers
from recommender.compiling import kernel
from recommender.counting import count
from recommender.models.products import (
    add_gram_row,
    arrays_of,
    pairs_of_columns,
    run_over_columns,
    times_transposed,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.data.ratings import Ratings

    Array = NDArray[Any]


def nearest_items(
    ratings: Ratings, table: NDArray[np.float32], k: int, shrinkage: float, threads: int | None
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Find for each item the k others with the largest similarities above 0.

    Parameters
    ----------
    table
        What a rating counts, as in :mod:`recommender.models.products`.
    shrinkage
        How many raters in common make the similarity half of the cosine.

    Returns
    -------
    (n_items, k) int32 item rows in no particular order, -1 behind the last; and (n_items, k)
    float32 their similarities. Of equal ones the smaller rows are kept.
    """
    n_items = ratings.n_items
    # A cosine does not know the scale; sums of products up to 1 cannot overflow.
    table = table / max(np.abs(table).max(initial=0), np.finfo(np.float32).tiny)
    squares = times_transposed(
        ratings.by_user, np.square(table, dtype=np.float64), np.ones(ratings.n_users)
    )
    work = pairs_of_columns(ratings.by_user)
    rows = np.full((n_items, k), -1, np.int32)
    similarities = np.zeros((n_items, k), np.float32)
    given = (
        *arrays_of(ratings.by_item), *arrays_of(ratings.by_user), frozen(table),
        frozen(np.sqrt(squares)), frozen(work), shrinkage, rows, similarities,
    )  # fmt: skip
    run_over_columns(lambda items: _search(items, *given), work, threads)
    return rows, similarities


def by_neighbour(
    rows: NDArray[np.int32], similarities: NDArray[np.float32]
) -> tuple[NDArray[np.int64], Array, NDArray[np.float32]]:
    """Turn lists of neighbours around: which items have each item in their list.

    Returns
    -------
    (n_items + 1,) int64 where each begins; the items, increasing; and their similarities.
    """
    n_items = len(rows)
    counts = np.zeros(n_items + 1, np.int64)
    count(rows.ravel(), -1, counts)
    indptr = pointers(counts[1:])
    items = np.empty(indptr[-1], index_type(n_items))
    values = np.empty(indptr[-1], np.float32)
    _turn_around(rows, similarities, indptr[:-1].copy(), items, values)
    return indptr, items, values


@kernel
def _search(
    items: Array,
    raters_indptr: Array, raters: Array, rater_codes: Array,
    indptr: Array, indices: Array, codes: Array,
    table: Array, lengths: Array, work: Array, shrinkage: float,
    rows_out: Array, similarities_out: Array,
) -> None:  # fmt: skip
    n_items = len(lengths)
    products = np.zeros(n_items, np.float32)
    # How many raters two items have in common; where every rating is 1, their product says it.
    common = np.zeros(n_items if len(table) else 0, np.float32)
    for item in items:
        add_gram_row(
            item, raters_indptr, raters, rater_codes, indptr, indices, codes, table, products
        )
        if len(table):
            add_gram_row(
                item, raters_indptr, raters, rater_codes, indptr, indices, codes, table[:0], common
            )
        kept, best = rows_out[item], similarities_out[item]
        found = 0
        if work[item] < n_items:
            # Fewer pairs than items: look where there was something to add, and only there.
            for place in range(raters_indptr[item], raters_indptr[item + 1]):
                rater = raters[place]
                for entry in range(indptr[rater], indptr[rater + 1]):
                    found = _judge(
                        item, indices[entry], products, common, lengths, shrinkage,
                        kept, best, found,
                    )  # fmt: skip
        else:
            for other in range(n_items):
                found = _judge(item, other, products, common, lengths, shrinkage, kept, best, found)


@kernel
def _judge(
    item: int, other: int, products: Array, common: Array, lengths: Array, shrinkage: float,
    kept: Array, best: Array, found: int,
) -> int:  # fmt: skip
    """Offer one item as a neighbour of another, and leave zeros behind for the next.

    The similarity is rounded to float32 before it is compared: what is equal on paper then is
    equal here, in whatever order it was multiplied.
    """
    product = np.float64(products[other])
    shared = np.float64(common[other]) if len(common) else product
    products[other] = np.float32(0)
    if len(common):
        common[other] = np.float32(0)
    if product <= 0 or other == item:
        return found
    cosine = product / (lengths[item] * lengths[other])
    similarity = np.float32(cosine * (shared / (shared + shrinkage)))
    return _offer(kept, best, found, other, similarity)  # type: ignore[no-any-return]


@kernel
def _offer(rows: Array, values: Array, found: int, row: int, value: float) -> int:
    """Keep a row if it is among the best so far; return how many are kept.

    A heap: the worst stands in front, and each is worse than its children at ``2p + 1`` and
    ``2p + 2``.
    """
    if found < len(rows):
        place = found
        while place > 0:
            parent = (place - 1) // 2
            if not _is_worse(value, row, values[parent], rows[parent]):
                break
            rows[place], values[place] = rows[parent], values[parent]
            place = parent
        rows[place], values[place] = row, value
        return found + 1
    if not _is_worse(values[0], rows[0], value, row):
        return found
    place = 0
    while 2 * place + 1 < found:
        child = 2 * place + 1
        if child + 1 < found and _is_worse(
            values[child + 1], rows[child + 1], values[child], rows[child]
        ):
            child += 1
        if not _is_worse(values[child], rows[child], value, row):
            break
        rows[place], values[place] = rows[child], values[child]
        place = child
    rows[place], values[place] = row, value
    return found


@kernel
def _is_worse(value: float, row: int, other_value: float, other_row: int) -> bool:
    return value < other_value or (value == other_value and row > other_row)


@kernel
def _turn_around(
    rows: Array, similarities: Array, places: Array, items_out: Array, values_out: Array
) -> None:
    for item in range(rows.shape[0]):
        for column in range(rows.shape[1]):
            row = rows[item, column]
            if row < 0:
                break
            items_out[places[row]] = item
            values_out[places[row]] = similarities[item, column]
            places[row] += 1
