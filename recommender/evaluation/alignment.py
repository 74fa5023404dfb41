"""A test told in the rows of the training: who is asked, what is relevant, what nobody can rank."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import SparseRows, frozen, pointers
from recommender.errors import InvalidInputError, TooFewRatingsError
from recommender.evaluation.ranking_kernels import mark_members

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Rows
    from recommender.data.ratings import Ratings
    from recommender.data.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Asked:
    """The users of a ranking experiment, each with at least one relevant item.

    Attributes
    ----------
    user_ids
        (n,) ids, in the order of the test.
    rows
        (n,) int64: the row of each in ``seen`` (and of who scores them); -1 where nothing is
        known of the user, who then gets what is popular.
    seen
        Sparse: what is left out of each row's ranking, in the item rows of the training.
    indptr
        (n + 1,) int64: where each user's relevant items begin in ``relevant``.
    relevant
        (m,) int32: item rows of the training, increasing for each user; relevant items that
        training never saw are not among them.
    n_relevant
        (n,) int64, at least 1: how many are relevant, those that training never saw included.
    popularity
        (n_items,) float32: how many users of the training rated each item.
    n_train_users
        How many users of the training have rated anything.
    counts
        What was dropped, and what fell back: see :data:`recommender.evaluation.report.COUNTS`.
    """

    user_ids: NDArray[Any]
    rows: Rows
    seen: SparseRows
    indptr: NDArray[np.int64]
    relevant: NDArray[np.int32]
    n_relevant: NDArray[np.int64]
    popularity: NDArray[np.float32]
    n_train_users: int
    counts: dict[str, int]

    @property
    def n_users(self) -> int:
        """How many users are asked."""
        return len(self.rows)

    @property
    def n_items(self) -> int:
        """How many items are ranked."""
        return len(self.popularity)


@dataclass(frozen=True)
class Terms:
    """How a test is read.

    Attributes
    ----------
    relevant_from
        Only test ratings of at least so many stars are relevant; ``None`` for all.
    count_unknown_items
        Whether relevant items that training never saw stay in the denominators, as misses;
        otherwise they are left out. Either way they are counted.
    """

    relevant_from: float | None = None
    count_unknown_items: bool = True


def ask(train: Ratings, known: Ratings, test: Ratings, terms: Terms | None = None) -> Asked:
    """Say who is asked for what.

    Parameters
    ----------
    train
        What was learned from: its items are what is ranked.
    known
        What is known of the users who are asked: the training itself, or their fold-in. What
        they have rated there is left out of their ranking.
    test
        What is to be found.
    terms
        How the test is read; every rating is relevant unless given.

    Raises
    ------
    TooFewRatingsError
        When no user is left with a relevant item.
    InvalidInputError
        When ``relevant_from`` is no finite number.
    """
    terms = terms or Terms()
    counts = {"test_ratings": test.n_ratings, "test_users": int((np.diff(test.indptr) > 0).sum())}
    relevant = relevant_ratings(test, terms.relevant_from)
    counts["below_relevant_from"] = test.n_ratings - int(relevant.sum())
    seen = seen_items(train, known)
    rows = _known_rows(known, test, seen)
    items = rows_of(train.items, test.items).astype(np.int32)[test.indices]
    users = test.user_rows
    again = np.zeros(test.n_ratings, np.bool_)
    mark_members(
        frozen(rows[users]), frozen(items), frozen(seen.indptr), frozen(seen.indices), again
    )
    again &= relevant
    counts["already_known"] = int(again.sum())
    relevant &= ~again
    strange = relevant & (items < 0)
    counts["unknown_items"] = int(strange.sum())
    if not terms.count_unknown_items:
        relevant &= ~strange
    n_relevant = np.bincount(users[relevant], minlength=test.n_users)
    rankable = relevant & ~strange
    n_rankable = np.bincount(users[rankable], minlength=test.n_users)
    asked = np.flatnonzero(n_relevant)
    counts["users_without_relevant_items"] = counts["test_users"] - len(asked)
    counts["unknown_users"] = int((rows[asked] < 0).sum())
    if not len(asked):
        raise TooFewRatingsError(
            f"of {counts['test_users']:,} users with {test.n_ratings:,} test ratings none is left "
            f"to be asked: {counts['below_relevant_from']:,} ratings are below the relevant ones, "
            f"{counts['already_known']:,} are known already, {counts['unknown_items']:,} are of "
            "items that training never saw"
        )
    popularity = np.bincount(train.indices, minlength=train.n_items).astype(np.float32)
    return Asked(
        test.users.ids[asked], rows[asked], seen, pointers(n_rankable[asked]),
        items[rankable], n_relevant[asked].astype(np.int64), popularity,
        int((np.diff(train.indptr) > 0).sum()), counts,
    )  # fmt: skip


def seen_items(train: Ratings, known: Ratings) -> SparseRows:
    """Return what users are known to have rated, in the item rows of the training.

    What training never saw is left out.
    """
    if known is train or known.items is train.items:
        return known.by_user
    items = rows_of(train.items, known.items)[known.indices]
    there = items >= 0
    counts = np.bincount(known.user_rows[there], minlength=known.n_users)
    # Both vocabularies are sorted, so that the rows increase as they did.
    return SparseRows(
        pointers(counts), items[there].astype(np.int32), known.by_user.codes[there],
        known.by_user.levels, train.n_items,
    )  # fmt: skip


def rows_of(known: Vocabulary, asked: Vocabulary) -> Rows:
    """(len(asked),) int64: the row of each id in another vocabulary, -1 where it is not there."""
    if asked is known:
        return np.arange(len(known), dtype=np.int64)
    return known.rows(asked.ids)


def relevant_ratings(test: Ratings, relevant_from: float | None) -> NDArray[np.bool_]:
    """(n_ratings,) bool: which ratings are of at least so many stars; all where none is said.

    Raises
    ------
    InvalidInputError
        When ``relevant_from`` is no finite number.
    """
    if relevant_from is None:
        return np.ones(test.n_ratings, np.bool_)
    if not np.isfinite(relevant_from):
        raise InvalidInputError(f"relevant_from must be a finite number; found {relevant_from!r}")
    chosen: NDArray[np.bool_] = (test.by_user.levels >= relevant_from)[test.by_user.codes]
    return chosen


def _known_rows(known: Ratings, test: Ratings, seen: SparseRows) -> Rows:
    """(n_test_users,) int64: each test user's row, -1 where nothing is known of the user."""
    rows = rows_of(known.users, test.users)
    has_rated = np.diff(seen.indptr) > 0
    if len(has_rated):
        rows[~has_rated[rows] & (rows >= 0)] = -1
    return rows


def some_users(asked: Asked, chosen: Rows) -> Asked:
    """Return the same for some of the users, in the order given."""
    indptr, entries, _ = entries_of(asked.indptr, chosen)
    return replace(
        asked,
        user_ids=asked.user_ids[chosen],
        rows=asked.rows[chosen],
        indptr=indptr,
        relevant=asked.relevant[entries],
        n_relevant=asked.n_relevant[chosen],
    )


def entries_of(indptr: NDArray[np.int64], rows: Rows) -> tuple[NDArray[np.int64], Rows, Rows]:
    """Find the entries of some rows of a sparse matrix.

    Parameters
    ----------
    indptr
        (n + 1,) where each row begins and ends.
    rows
        (B,) which rows; -1 has no entries.

    Returns
    -------
    (B + 1,) where each row begins among what is found; (m,) the entries, row by row; (m,) which
    of the rows each belongs to, from 0.
    """
    begins = np.where(rows >= 0, indptr[rows], 0)
    counts = np.where(rows >= 0, indptr[rows + 1], 0) - begins
    found = pointers(counts)
    owners = np.repeat(np.arange(len(rows)), counts)
    return found, np.arange(found[-1]) + (begins - found[:-1])[owners], owners
