"""Text ids by the million, in Polars: distinct, sorted, looked up by one join."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recommender.data.ids import MAXIMUM_ID_LENGTH
from recommender.data.numbering import Numbered, number_by
from recommender.errors import InvalidIdError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Rows

_CONTROL_CHARACTERS = r"[\x00-\x1f\x7f-\x9f]"


def number_text(ids: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.uint8], Numbered]:
    """Number text ids by their rank among the distinct ones.

    Returns
    -------
    offsets, text
        The distinct ids, sorted, as one block of UTF-8: id r is
        ``text[offsets[r] : offsets[r + 1]]``.
    numbered
        The row of each given id.

    Raises
    ------
    InvalidIdError
        When one is empty, longer than 128 characters, or has control characters.
    """
    # Polars numbers text as it likes, other columns' text among it; we rank what is ours.
    categories = ids.cast(pl.Categorical)
    different = categories.unique()
    numbers, distinct = different.to_physical().to_numpy(), different.cast(pl.String)
    _check_text(distinct)
    order = distinct.arg_sort().to_numpy()
    table = np.zeros(int(numbers.max()) + 1 if len(numbers) else 0, np.int32)
    table[numbers[order]] = np.arange(len(order), dtype=np.int32)
    keys = categories.to_physical().to_numpy().view(np.int32)
    return *_pack(distinct.gather(order)), number_by(keys, table, len(order))


def rows_of_text(ids: pl.Series, known: list[str]) -> Rows:
    """(m,) int64: the place of each id among the known ones, -1 where it has none."""
    rows = _join(ids, pl.Series(known, dtype=pl.String)).fill_null(-1)
    return rows.to_numpy().astype(np.int64)


def _join(asked: pl.Series, distinct: pl.Series) -> pl.Series:
    known = pl.DataFrame({"id": distinct, "row": np.arange(len(distinct), dtype=np.int32)})
    given = asked.alias("id").to_frame()
    return given.join(known, on="id", how="left", maintain_order="left")["row"]


def _check_text(distinct: pl.Series) -> None:
    """Refuse ids that no address and no line of a file could carry."""
    lengths = distinct.str.len_chars()
    wrong = (
        (lengths == 0) | (lengths > MAXIMUM_ID_LENGTH) | distinct.str.contains(_CONTROL_CHARACTERS)
    )
    if wrong.any():
        example = distinct.filter(wrong)[0]
        shown = ascii(example if len(example) <= 40 else example[:40] + "…")
        raise InvalidIdError(
            f"the id {shown} is not allowed; an id has 1 to {MAXIMUM_ID_LENGTH} characters "
            "and no control characters"
        )


def _pack(distinct: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    offsets = np.zeros(len(distinct) + 1, dtype=np.int64)
    np.cumsum(distinct.str.len_bytes().to_numpy(), out=offsets[1:])
    text = np.frombuffer("".join(distinct.to_list()).encode(), dtype=np.uint8)
    return offsets, text
