"""The files of an experiment: what is trained on and what is asked, with ids that agree.

They are CSV with a header ``user,item,rating[,timestamp]``, as :func:`read_ratings
<recommender.data.tables.read_ratings>` takes it. Where all ids of a column are whole numbers they
become numbers, so that a million of them cost little and stand in the order that people expect.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recommender.data.rating_rows import ITEM, RATING, TIMESTAMP, USER
from recommender.data.rating_scale import RatingScale
from recommender.data.ratings import Ratings
from recommender.data.sources import Source, file_source
from recommender.data.tables import read_ratings
from recommender.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

TOLERANCE = 1e-3
"""How far a rating may be from what is written: it is kept in 32 bits, some seven digits."""


class _AnyNumber(RatingScale):
    """Every number that 32 bits hold to within the tolerance: all whole ones up to 16,777,216."""

    __slots__ = ()

    def __str__(self) -> str:
        return (
            f"numbers that seven digits tell to within {TOLERANCE:g}, as whole ones up to "
            "16,777,216; subtract what all have in common, or use a coarser unit"
        )

    def __contains__(self, rating: object) -> bool:
        return RatingScale.__contains__(self, rating) and bool(self.accepts(rating))  # type: ignore[arg-type]

    def accepts(self, values: ArrayLike) -> NDArray[np.bool_]:
        numbers = np.asarray(values, np.float64)
        inside = RatingScale.accepts(self, numbers)
        kept = np.where(inside, numbers, 0).astype(np.float32)
        return inside & (np.abs(kept - np.where(inside, numbers, 0)) <= TOLERANCE)


ANY_RATING = _AnyNumber(-1e9, 1e9, None)
"""Experiments are run on stars, on percentages and on counts alike."""

_WHOLE_NUMBER = r"^(?:0|[1-9][0-9]{0,17})$"
"""How a number is written when it can be read and written again without a difference."""

_AT_ONCE = 1 << 24
"""Bytes of a file that are looked through at a time."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One training part with what it is to be judged by.

    Attributes
    ----------
    train, test
        Ratings with vocabularies of their own; 1 each where the file has no column ``rating``.
    fold_in
        What is known of the users of ``test`` where training never saw them; else ``None``.
    negatives
        Who is asked about what besides the users' own test items; else ``None``.
    repeated
        By the role of each file: how many rows stand for a pair that comes again further down.
        The last one counts.
    """

    train: Ratings
    test: Ratings
    fold_in: Ratings | None = None
    negatives: Ratings | None = None
    repeated: dict[str, int] = field(default_factory=dict)


def read_fold(
    train: Path,
    test: Path,
    *,
    fold_in: Path | None = None,
    negatives: Path | None = None,
    stars: bool = False,
    relevant_from: bool = False,
    timestamps: bool = True,
) -> Fold:
    """Read the files of one experiment.

    Parameters
    ----------
    train, test, fold_in, negatives
        The files; the last two where the experiment has them.
    stars
        Whether stars are to be predicted, so that both files need a column ``rating``.
    relevant_from
        Whether stars say what is relevant, so that the test file needs a column ``rating``.
    timestamps
        Whether the column ``timestamp`` is kept where there is one.

    Raises
    ------
    FileFormatError
        When a file is missing, lacks a column, holds no rows or a bad one (with its line); when
        the ids of one file are whole numbers and those of another text, and none agree; or when
        one of train and fold-in has ratings and the other has none.
    """
    paths = {"train": train, "test": test, "fold_in": fold_in, "negatives": negatives}
    needed = {"train": stars, "test": stars or relevant_from}
    tables = {
        role: _Table(path, _read(path, needed.get(role, False)))
        for role, path in paths.items()
        if path is not None
    }
    asked_of = "train" if fold_in is None else "fold_in"  # where the users of the test are known
    _agree(tables, USER, (("test", asked_of), ("negatives", "test")))
    _agree(tables, ITEM, (("test", "train"), ("fold_in", "train"), ("negatives", "train")))
    if "fold_in" in tables:
        _check_same_kind_of_rating(tables["train"], tables["fold_in"])
    ratings = {role: table.ratings(timestamps) for role, table in tables.items()}
    repeated = {role: tables[role].frame.height - len(ratings[role]) for role in tables}
    return Fold(**ratings, repeated=repeated)


def read_experiment(path: Path, *, stars: bool = False) -> Ratings:
    """Read the training file of an experiment alone.

    Parameters
    ----------
    path
        CSV with a header ``user,item[,rating][,timestamp]``; of a pair that stands twice, the
        last row counts.
    stars
        Whether stars are to be predicted, so that it needs a column ``rating``.

    Raises
    ------
    FileFormatError
        When it is missing, lacks a column, holds no rows or a bad one (with its line).
    """
    return _Table(path, _read(path, stars)).ratings()


@dataclass(eq=False)
class _Table:
    path: Path
    frame: pl.DataFrame

    def ratings(self, timestamps: bool = True) -> Ratings:
        """Bring the rows into one matrix."""
        columns = self.frame.columns
        return Ratings.from_frame(
            self.frame,
            rating=RATING if RATING in columns else None,
            timestamp=TIMESTAMP if timestamps and TIMESTAMP in columns else None,
        )


def _read(path: Path, rating_required: bool) -> pl.DataFrame:
    if path.is_dir():
        raise FileFormatError(
            path, "is a folder where a CSV file is expected, such as the ratings.csv in it"
        )
    source = file_source(path)
    if not _has_odd_numbers(source):
        try:
            return read_ratings(
                source, scale=ANY_RATING, integer_ids=True, rating_required=rating_required
            )
        except FileFormatError:
            pass  # ids are text; if it is anything else, the next lines say so
    frame = read_ratings(source, scale=ANY_RATING, rating_required=rating_required)
    return frame.with_columns(_as_numbers(frame[USER]), _as_numbers(frame[ITEM]))


def _has_odd_numbers(source: Source) -> bool:
    """Whether some cell begins with a sign or a needless zero: as numbers 07 and 7 were one."""
    carried = b"\n"
    with source.open() as stream:
        while chunk := stream.read(_AT_ONCE):
            text = np.frombuffer(carried + chunk, np.uint8)
            inner = text[1:-1]
            zero, plus, minus = (ord(sign) for sign in "0+-")
            places = np.flatnonzero((inner == zero) | (inner == plus) | (inner == minus)) + 1
            before, after = text[places - 1], text[places + 1]
            begins = np.isin(before, np.frombuffer(b'\n,"', np.uint8))
            digit = (after >= zero) & (after <= ord("9"))
            if (begins & digit).any():
                return True
            carried = text[-2:].tobytes()
    return False


def _as_numbers(ids: pl.Series) -> pl.Series:
    """Return the ids as Int64 when all are whole numbers as they are usually written."""
    if ids.dtype == pl.String and ids.unique().str.contains(_WHOLE_NUMBER).all():
        return ids.cast(pl.Int64)
    return ids


def _agree(tables: dict[str, _Table], column: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Make the ids of a column all numbers or all text.

    Raises
    ------
    FileFormatError
        When two files differ in that, and not one id is in both.
    """
    text = {role for role, table in tables.items() if table.frame[column].dtype == pl.String}
    if len(text) in (0, len(tables)):
        return
    for table in tables.values():
        table.frame = table.frame.with_columns(table.frame[column].cast(pl.String))
    for role, other in pairs:
        if role not in tables or other not in tables or (role in text) is (other in text):
            continue
        here, there = tables[role], tables[other]
        if not here.frame[column].unique().is_in(there.frame[column].unique().implode()).any():
            kinds = ("text", "whole numbers") if role in text else ("whole numbers", "text")
            raise FileFormatError(
                here.path,
                f"column {column!r}: the ids here are {kinds[0]} (first: "
                f"{here.frame[column][0]!r}), those in {there.path} are {kinds[1]} (first: "
                f"{there.frame[column][0]!r}), and none is in both; use the same ids in both files",
            )


def _check_same_kind_of_rating(train: _Table, fold_in: _Table) -> None:
    has, lacks = (train, fold_in) if RATING in train.frame.columns else (fold_in, train)
    if (RATING in has.frame.columns) is not (RATING in lacks.frame.columns):
        raise FileFormatError(
            lacks.path,
            f"the header lacks a column: 'rating', which {has.path} has; "
            "a model folds in what it was trained on, so both or neither must have it",
            line=1,
        )
