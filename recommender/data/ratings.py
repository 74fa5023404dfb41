"""Who gave what how many stars, and when: one sparse matrix, by user and by item."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from recommender.arrays import Rows, SparseRows, as_values, frozen
from recommender.data.vocabulary import Id, Vocabulary
from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Ratings:
    """The ratings of all users, each user and item pair at most once.

    Attributes
    ----------
    users, items
        The ids, in the order of rows and columns.
    by_user
        (n_users, n_items) sparse, one row a user.
    timestamps
        (n_ratings,) int64 seconds since 1970 in the order of ``by_user``, or ``None``.

    Examples
    --------
    >>> ratings = Ratings.from_arrays(["ann", "bob", "ann"], ["alien", "alien", "shrek"], [5, 3, 1])
    >>> ratings
    <Ratings: 3 by 2 users of 2 items>
    >>> ratings.of_user(ratings.users.row("ann"))
    (array([0, 1], dtype=int32), array([5., 1.], dtype=float32))
    """

    users: Vocabulary
    items: Vocabulary
    by_user: SparseRows
    timestamps: NDArray[np.int64] | None = field(default=None)

    @classmethod
    def from_arrays(
        cls,
        users: Iterable[Id] | ArrayLike | pl.Series,
        items: Iterable[Id] | ArrayLike | pl.Series,
        values: ArrayLike | None = None,
        timestamps: ArrayLike | None = None,
    ) -> Self:
        """Build the matrix from one entry a rating.

        Parameters
        ----------
        users, items
            (n,) ids, all whole numbers or all text on each side.
        values
            (n,) finite numbers, usually stars; 1 for each when not given.
        timestamps
            (n,) whole seconds since 1970.

        Raises
        ------
        InvalidIdError, InvalidInputError
            When lengths differ, ids are unusable, or numbers are not finite.

        Notes
        -----
        Where a user and an item stand together more than once, the last entry wins.
        """
        user_vocabulary, user_rows = Vocabulary.with_rows(users)
        item_vocabulary, item_rows = Vocabulary.with_rows(items)
        n = len(user_rows)
        if len(item_rows) != n:
            raise InvalidInputError(
                f"users and items must be of one length; found {n} users and {len(item_rows)} items"
            )
        stars = np.ones(n, np.float32) if values is None else as_values(values, "values", n)
        times = None if timestamps is None else _as_seconds(timestamps, n)
        return cls._from_rows(user_vocabulary, item_vocabulary, user_rows, item_rows, stars, times)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        user: str = "user",
        item: str = "item",
        rating: str | None = "rating",
        timestamp: str | None = None,
    ) -> Self:
        """Build the matrix from columns of a Polars or pandas frame, or an Arrow table.

        Parameters
        ----------
        frame
            Anything that Polars takes in: its own frames, or the Arrow interface.
        user, item, rating, timestamp
            Names of columns; ``rating=None`` counts every row as 1.

        Raises
        ------
        InvalidInputError
            When the frame is none, or a column is not there.
        """
        table = _as_polars(frame)
        for column in (user, item, rating, timestamp):
            if column is not None and column not in table.columns:
                raise InvalidInputError(
                    f"there is no column {column!r}; the frame has {', '.join(table.columns)}"
                )
        return cls.from_arrays(
            table[user],
            table[item],
            None if rating is None else _numbers(table[rating]),
            None if timestamp is None else _numbers(table[timestamp]),
        )

    @classmethod
    def _from_rows(
        cls,
        users: Vocabulary,
        items: Vocabulary,
        user_rows: Rows,
        item_rows: Rows,
        values: NDArray[np.float32],
        timestamps: NDArray[np.int64] | None,
    ) -> Self:
        cell = user_rows * max(len(items), 1) + item_rows
        order = np.argsort(cell, kind="stable")
        cell = cell[order]
        # A stable sort keeps repeats in their order, so the last of each run is the last given.
        last = np.append(cell[1:] != cell[:-1], True) if len(cell) else np.empty(0, np.bool_)
        order = order[last]
        counts = np.bincount(user_rows[order], minlength=len(users))
        indptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        matrix = SparseRows(
            frozen(indptr),
            frozen(item_rows[order].astype(np.int32)),
            frozen(values[order]),
            len(items),
        )
        times = None if timestamps is None else frozen(timestamps[order])
        return cls(users, items, matrix, times)

    def __len__(self) -> int:
        return self.n_ratings

    def __repr__(self) -> str:
        return f"<Ratings: {self.n_ratings} by {self.n_users} users of {self.n_items} items>"

    @property
    def n_users(self) -> int:
        """How many users there are."""
        return len(self.users)

    @property
    def n_items(self) -> int:
        """How many items there are."""
        return len(self.items)

    @property
    def n_ratings(self) -> int:
        """How many ratings there are."""
        return len(self.by_user.indices)

    @property
    def indptr(self) -> NDArray[np.int64]:
        """(n_users + 1,) int64: where each user's ratings begin."""
        return self.by_user.indptr

    @property
    def indices(self) -> NDArray[np.int32]:
        """(n_ratings,) int32: the item of each rating."""
        return self.by_user.indices

    @property
    def values(self) -> NDArray[np.float32]:
        """(n_ratings,) float32: the stars of each rating."""
        return self.by_user.values

    @cached_property
    def by_item(self) -> SparseRows:
        """(n_items, n_users) sparse: the transpose, one row an item."""
        return self.by_user.order_by_column()[0]

    @cached_property
    def user_rows(self) -> NDArray[np.int32]:
        """(n_ratings,) int32: the user of each rating."""
        return np.repeat(np.arange(self.n_users, dtype=np.int32), np.diff(self.indptr))

    def of_user(self, user_row: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the item rows and the values of one user's ratings, as views."""
        return self.by_user.row(user_row)

    def select(self, chosen: NDArray[np.bool_]) -> Ratings:
        """Keep some ratings and all users and items: for splits, so that rows still agree.

        Parameters
        ----------
        chosen
            (n_ratings,) bool in the order of ``by_user``.
        """
        counts = np.bincount(self.user_rows[chosen], minlength=self.n_users)
        indptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        kept = SparseRows(indptr, self.indices[chosen], self.values[chosen], self.n_items)
        times = None if self.timestamps is None else self.timestamps[chosen]
        return Ratings(self.users, self.items, kept, times)

    def to_dense(self, fill: float = 0.0) -> NDArray[np.float32]:
        """(n_users, n_items) float32 with ``fill`` where there is no rating: for small worlds."""
        dense = np.full((self.n_users, self.n_items), fill, dtype=np.float32)
        dense[self.user_rows, self.indices] = self.values
        return dense


def _as_polars(frame: Any) -> pl.DataFrame:
    if isinstance(frame, pl.DataFrame):
        return frame
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    try:
        table = pl.DataFrame(frame)
    except Exception as error:
        raise InvalidInputError(
            f"this {type(frame).__name__} is no table that Polars can read: {error}"
        ) from None
    return table


def _numbers(column: pl.Series) -> NDArray[Any]:
    if not (column.dtype.is_numeric() or column.dtype == pl.Null):
        raise InvalidInputError(f"column {column.name!r} must be numbers; found {column.dtype}")
    if column.null_count():
        row = int(column.is_null().arg_max() or 0)
        raise InvalidInputError(f"column {column.name!r} has no value in row {row}")
    return column.to_numpy()


def _as_seconds(timestamps: ArrayLike, length: int) -> NDArray[np.int64]:
    given = np.asarray(timestamps)
    if given.shape != (length,):
        raise InvalidInputError(
            f"timestamps must be one-dimensional with {length} entries; "
            f"found the shape {given.shape}"
        )
    if given.dtype.kind == "f":
        if not (np.isfinite(given).all() and (given == np.floor(given)).all()):
            raise InvalidInputError("timestamps must be whole seconds since 1970")
    elif given.dtype.kind not in "iu" and length:
        raise InvalidInputError(f"timestamps must be whole seconds since 1970; found {given.dtype}")
    return given.astype(np.int64)
