"""Items that a user has not chosen, to rank a chosen one among: from a file, or by lot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from recommender.arrays import frozen, pointers
from recommender.data.seeds import generator_of
from recommender.errors import TooFewRatingsError
from recommender.evaluation.alignment import entries_of, rows_of, some_users
from recommender.evaluation.drawing_kernels import draw_others
from recommender.evaluation.ranking_kernels import mark_members

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Rows
    from recommender.data.ratings import Ratings
    from recommender.evaluation.alignment import Asked


@dataclass(frozen=True, eq=False)
class Lists:
    """Some users' negatives: user b of the batch has ``items[indptr[b] : indptr[b + 1]]``."""

    indptr: NDArray[np.int64]
    items: NDArray[np.int32]


class Source(Protocol):
    """Where negatives come from."""

    @property
    def asked(self) -> Asked:
        """Whose they are."""

    def of_users(self, users: Rows) -> Lists:
        """Return the negatives of some of the asked users."""


@dataclass(frozen=True, eq=False)
class Given:
    """Negatives from a file."""

    asked: Asked
    rows: Rows
    negatives: Ratings
    items: NDArray[np.int32]
    test: Ratings
    test_rows: Rows
    test_items: NDArray[np.int32]

    @classmethod
    def of(cls, train: Ratings, test: Ratings, negatives: Ratings, asked: Asked) -> Given:
        """Find the negatives of the asked users; who has none is not asked.

        Raises
        ------
        TooFewRatingsError
            When nobody has any.
        """
        rows = negatives.users.rows(asked.user_ids)
        asked.counts["users_without_negatives"] = int((rows < 0).sum())
        asked.counts["users_with_negatives_alone"] = int(
            (~np.isin(np.arange(negatives.n_users), rows)).sum()
        )
        for name in (
            "positives_among_negatives",
            "negatives_of_unknown_items",
            "negatives_already_known",
        ):
            asked.counts[name] = 0
        chosen = np.flatnonzero(rows >= 0)
        if not len(chosen):
            raise TooFewRatingsError(
                f"none of the {asked.n_users:,} users of the test has negatives; they are of "
                f"{negatives.n_users:,} other users"
            )
        left = some_users(asked, chosen)
        return cls(
            left, rows[chosen], negatives,
            rows_of(train.items, negatives.items).astype(np.int32),
            test, test.users.rows(left.user_ids),
            rows_of(test.items, negatives.items).astype(np.int32),
        )  # fmt: skip

    def of_users(self, users: Rows) -> Lists:
        """Look them up, without the users' own test items."""
        _, entries, owner = entries_of(self.negatives.indptr, self.rows[users])
        columns = self.negatives.indices[entries]
        own = _are_in(self.test, self.test_rows[users][owner], self.test_items[columns])
        items, owner = self.items[columns[~own]], owner[~own]
        told = self.asked.counts
        told["positives_among_negatives"] += int(own.sum())
        told["negatives_of_unknown_items"] += int((items < 0).sum())
        known = np.zeros(len(items), np.bool_)
        seen = self.asked.seen
        mark_members(
            frozen(self.asked.rows[users][owner]), frozen(items), frozen(seen.indptr),
            frozen(seen.indices), known,
        )  # fmt: skip
        told["negatives_already_known"] += int(known.sum())
        return Lists(pointers(np.bincount(owner, minlength=len(users))), items)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Negatives by lot."""

    asked: Asked
    n: int
    keys: NDArray[np.uint64]
    test: Ratings
    test_rows: Rows
    test_items: NDArray[np.int32]

    @classmethod
    def of(cls, train: Ratings, test: Ratings, asked: Asked, n: int, seed: int) -> Drawn:
        """Give each user numbers of his own, so that batches do not matter.

        Raises
        ------
        TooFewRatingsError
            When everybody has rated everything.
        """
        keys = generator_of(seed).integers(0, 2**64, asked.n_users, np.uint64)
        asked.counts.update(users_with_fewer_negatives=0, users_without_negatives=0)
        source = cls(
            asked, n, keys, test, test.users.rows(asked.user_ids),
            rows_of(train.items, test.items).astype(np.int32),
        )  # fmt: skip
        source._check_any_left()
        return source

    def _check_any_left(self) -> None:
        """Look for one with an item left; most often the numbers of ratings alone tell."""
        n_rated = np.diff(self.test.indptr)[self.test_rows]
        known = self.asked.rows >= 0
        n_rated[known] += np.diff(self.asked.seen.indptr)[self.asked.rows[known]]
        if (n_rated < self.asked.n_items).any():
            return
        indptr, _ = self._rated(np.arange(self.asked.n_users))
        if (np.diff(indptr) == self.asked.n_items).all():
            raise TooFewRatingsError(
                "no user is left with negatives to rank a test item among: all have rated every "
                "item of the training"
            )

    def of_users(self, users: Rows) -> Lists:
        """Draw among the items that the user has rated in neither part."""
        indptr, rated = self._rated(users)
        left = self.asked.n_items - np.diff(indptr)
        counts = np.minimum(left, min(self.n, self.asked.n_items))
        self.asked.counts["users_with_fewer_negatives"] += int((counts < self.n).sum())
        drawn = pointers(counts)
        items = np.empty(drawn[-1], np.int32)
        draw_others(
            frozen(self.keys[users]), self.asked.n_items, frozen(indptr), frozen(rated),
            frozen(drawn), items,
        )  # fmt: skip
        return Lists(drawn, items)

    def _rated(self, users: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return each user's items of both parts, increasing: where they begin, and which."""
        seen = self.asked.seen
        _, entries, owner = entries_of(seen.indptr, self.asked.rows[users])
        _, test_entries, test_owner = entries_of(self.test.indptr, self.test_rows[users])
        test_items = self.test_items[self.test.indices[test_entries]]
        owner = np.concatenate((owner, test_owner))
        item = np.concatenate((seen.indices[entries], test_items)).astype(np.int64)
        pairs = np.unique((owner * self.asked.n_items + item)[item >= 0])
        owner, item = np.divmod(pairs, self.asked.n_items)
        return pointers(np.bincount(owner, minlength=len(users))), item


def _are_in(ratings: Ratings, rows: Rows, items: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(n,) bool: whether these users have rated these items."""
    there = np.zeros(len(rows), np.bool_)
    mark_members(
        frozen(rows), frozen(items), frozen(ratings.indptr), frozen(ratings.indices), there
    )
    return there
