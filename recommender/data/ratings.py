"""Who gave what how many stars, and when: one sparse matrix, by user and by item."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from recommender.arrays import (
    SparseRows,
    as_values,
    codes_of_ones,
    frozen,
    pointers,
    to_codes,
)
from recommender.counting import count, count_chosen
from recommender.data.assembly import Entries, assemble
from recommender.data.vocabulary import Id, Vocabulary
from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl
    from numpy.typing import ArrayLike, NDArray

    from recommender.arrays import Indices


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
        user_vocabulary, item_vocabulary, entries = _entries(users, items, values, timestamps)
        return cls(user_vocabulary, item_vocabulary, *assemble(entries))

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
        from recommender.data.frames import as_polars, numbers

        table = as_polars(frame, [user, item, rating, timestamp])
        return cls.from_arrays(
            table[user],
            table[item],
            None if rating is None else numbers(table[rating]),
            None if timestamp is None else numbers(table[timestamp]),
        )

    @classmethod
    def from_sparse(
        cls,
        matrix: Any,
        users: Iterable[Id] | ArrayLike | pl.Series | None = None,
        items: Iterable[Id] | ArrayLike | pl.Series | None = None,
    ) -> Self:
        """Take over a SciPy sparse matrix, one row a user and one column an item.

        Parameters
        ----------
        matrix
            (n_users, n_items) any sparse matrix or sparse array of numbers. It is copied, never
            changed; CSR with sorted indices is the quickest.
        users, items
            The id of each row and of each column, in any order, none twice; the numbers 0 … n-1
            when not given. Rows and columns come to stand in the order of the ids.

        Raises
        ------
        InvalidIdError, InvalidInputError
            When it is no sparse matrix of finite numbers, or ids are unusable, repeated or not
            one for each row and column.

        Notes
        -----
        Every stored entry is a rating, a stored zero too: call ``matrix.eliminate_zeros()`` first
        where zeros are blanks. Entries stored twice are summed, because that is what they mean in
        SciPy (in :meth:`from_arrays` the last one wins). Users without ratings and items that
        nobody rated keep their row and column.

        Examples
        --------
        >>> from scipy.sparse import csr_array
        >>> Ratings.from_sparse(csr_array([[5, 0], [3, 1], [0, 0]]), items=["alien", "shrek"])
        <Ratings: 3 by 3 users of 2 items>
        """
        from recommender.data.scipy_sparse import from_scipy

        return cls(*from_scipy(matrix, users, items))

    def to_sparse(self) -> Any:
        """(n_users, n_items) float32 as a new ``scipy.sparse.csr_matrix``, which is yours."""
        from recommender.data.scipy_sparse import to_scipy

        return to_scipy(self.by_user)

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
    def indices(self) -> Indices:
        """(n_ratings,) the item of each rating: uint16 for up to 65,536 items, else int32."""
        return self.by_user.indices

    @property
    def values(self) -> NDArray[np.float32]:
        """(n_ratings,) float32: the stars of each rating, made anew on each call."""
        return self.by_user.values

    @cached_property
    def by_item(self) -> SparseRows:
        """(n_items, n_users) sparse: the transpose, one row an item."""
        return self.by_user.transpose()

    @cached_property
    def user_rows(self) -> NDArray[np.int32]:
        """(n_ratings,) int32: the user of each rating."""
        return np.repeat(np.arange(self.n_users, dtype=np.int32), np.diff(self.indptr))

    def histogram(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the values that there are, ascending, and how many ratings have each."""
        counts = np.zeros(len(self.by_user.levels), np.int64)
        count(self.by_user.codes, 0, counts)
        return self.by_user.levels, counts

    def of_user(self, user_row: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the item rows and the values of one user's ratings."""
        return self.by_user.row(user_row)

    def select(self, chosen: NDArray[np.bool_]) -> Ratings:
        """Keep some ratings and all users and items: for splits, so that rows still agree.

        Parameters
        ----------
        chosen
            (n_ratings,) bool in the order of ``by_user``.
        """
        counts = np.empty(self.n_users, np.int64)
        count_chosen(self.indptr, frozen(chosen), counts)
        kept = SparseRows(
            pointers(counts),
            self.indices[chosen],
            self.by_user.codes[chosen],
            self.by_user.levels,
            self.n_items,
        )
        times = None if self.timestamps is None else self.timestamps[chosen]
        return Ratings(self.users, self.items, kept, times)

    def to_dense(self, fill: float = 0.0) -> NDArray[np.float32]:
        """(n_users, n_items) float32 with ``fill`` where there is no rating: for small worlds."""
        dense = np.full((self.n_users, self.n_items), fill, dtype=np.float32)
        dense[self.user_rows, self.indices] = self.values
        return dense


def _entries(
    users: Iterable[Id] | ArrayLike | pl.Series,
    items: Iterable[Id] | ArrayLike | pl.Series,
    values: ArrayLike | None,
    timestamps: ArrayLike | None,
) -> tuple[Vocabulary, Vocabulary, Entries]:
    user_vocabulary, rows = Vocabulary.numbered(users)
    item_vocabulary, columns = Vocabulary.numbered(items)
    n = len(rows)
    if len(columns) != n:
        raise InvalidInputError(
            f"users and items must be of one length; found {n} users and {len(columns)} items"
        )
    coded = codes_of_ones(n) if values is None else to_codes(as_values(values, "values", n))
    times = None if timestamps is None else as_seconds(timestamps, n)
    return user_vocabulary, item_vocabulary, Entries(rows, columns, *coded, times)


def as_seconds(timestamps: ArrayLike, length: int) -> NDArray[np.int64]:
    """Return (length,) whole seconds since 1970, or raise :class:`InvalidInputError`."""
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
    return given.astype(np.int64, copy=False)
