"""Ratings that are newer than the model: who changed what since its watermark.

A model knows every change up to its watermark. Later ones are kept here, filled from the store
when a model is taken up and from each write after its commit. A change is told apart by its
version alone, so that it does not matter in which order, or how often, it arrives: of two for the
same user and movie the newer one stays, and what the model has seen is not taken in.

Memory is bounded: when there are too many changes, those of the users who changed nothing for the
longest time are let go of, and read from the store again whenever such a user is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from app.limits import LIMITS
from app.serving.erased import Erased

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from app.store.records import RatingRecord
    from recommender.data.vocabulary import Vocabulary


class Change(NamedTuple):
    """A rating as it stands now, or ``None`` where it was deleted."""

    rating: float | None
    version: int
    rated_at: int


_NOTHING: Mapping[str, Change] = {}


RATERS = 200
"""So many ratings of a movie that the model does not know are kept: enough for a vector."""

_LET_GO = 0.1
"""Which part is let go of at once, so that it does not happen at every change."""


class FreshRatings:
    """The changes since one watermark.

    Changed only by the thread of the event loop (or by the one that builds it, before it is
    shared); read from anywhere.

    Parameters
    ----------
    watermark
        Up to which version the model knows everything.
    items
        Which movies it knows; ratings of others are kept by movie as well.
    reread
        Reads a user's changes since the watermark from the store; without it everything is kept.
    most
        How many changes are kept.
    count
        What a rating given at some time adds to the trend; ``None`` when there is none.
    erased
        Who was erased since the watermark: what they changed before is not taken in.
    """

    def __init__(
        self,
        watermark: int,
        items: Vocabulary | None = None,
        reread: Callable[[str, int], Iterable[RatingRecord]] | None = None,
        most: int = LIMITS.fresh_ratings,
        count: Callable[[int], float] | None = None,
        erased: Erased | None = None,
    ) -> None:
        self.watermark = watermark
        self.erased = Erased() if erased is None else erased
        self._items = items
        self._reread = reread
        self._most = most
        self._by_user: dict[str, dict[str, Change]] = {}
        self._order: dict[str, None] = {}
        self._away: set[str] = set()
        self._by_newcomer: dict[str, dict[str, Change]] = {}
        self._count = count
        self._of_late: dict[str, float] = {}
        self._newest = 0
        self._size = 0

    def __len__(self) -> int:
        """Return how many changes are kept."""
        return self._size

    def apply(self, record: RatingRecord) -> bool:
        """Take in one change, unless the model or a newer change has overtaken it.

        Returns
        -------
        Whether it is of a movie that the model does not know.
        """
        return self._take(record.user_id, record.movie_id, _change(record))

    def apply_all(self, records: Iterable[RatingRecord]) -> None:
        """Take in many changes."""
        for record in records:
            self.apply(record)

    def merge(self, other: FreshRatings) -> None:
        """Take in what another model's changes hold beyond this watermark, and its erasures."""
        if other is self:
            return
        self._merge_erasures(other.erased)
        for user_id, changes in other._by_user.items():
            for movie_id, change in changes.items():
                self._take(user_id, movie_id, change)
        for user_id in other._away:
            self._let_go_of(user_id)

    def _merge_erasures(self, other: Erased) -> None:
        """Take them in first, so that nothing that they took out comes in again."""
        found = self.erased.find_all(other.known, other.salt)
        for erasure, row in found:
            self.erased.note(erasure, other.salt, row)
        for user_id in self.users() if found else ():
            if self.erased.version_of(user_id):
                self.forget(user_id)

    def users(self) -> set[str]:
        """Return everybody of whom something is kept here, or would be read again: a copy."""
        raters = (user_id for changes in self._raters() for user_id in changes)
        return {*list(self._by_user), *list(self._away), *raters}

    def holds_before(self, user_id: str, version: int) -> bool:
        """Whether a change of a user up to that version is kept."""
        changes = [*self._by_user.get(user_id, _NOTHING).values()]
        changes += [rater[user_id] for rater in self._raters() if user_id in rater]
        return any(change.version <= version for change in changes)

    def _raters(self) -> list[Mapping[str, Change]]:
        return list(self._by_newcomer.values())

    def forget(self, user_id: str) -> None:
        """Let go of all that a user who was erased had changed until then.

        What the user's ratings added to the trend goes with them, unless they were away already:
        then it stays, in sums that name nobody, until the next training.
        """
        until = self.erased.version_of(user_id)
        kept = {}
        for movie_id, change in self._by_user.pop(user_id, {}).items():
            if change.version > until:
                kept[movie_id] = change
            else:
                self._size -= 1
                self._count_of_late(movie_id, change, change._replace(rating=None))
        self._order.pop(user_id, None)
        self._away.discard(user_id)
        if kept:  # back already
            self._by_user[user_id] = kept
            self._order[user_id] = None
        for movie_id, changes in list(self._by_newcomer.items()):
            if user_id in changes and changes[user_id].version <= until:
                left = {rater: change for rater, change in changes.items() if rater != user_id}
                if left:
                    self._by_newcomer[movie_id] = left
                else:
                    del self._by_newcomer[movie_id]

    def of_user(self, user_id: str) -> Mapping[str, Change]:
        """Return a user's changes by movie: a copy, which later writes leave alone.

        Of a user that is :meth:`away` they are read from the store, which blocks.
        """
        changes = self._by_user.get(user_id)
        if changes is not None:
            return dict(changes)
        if user_id in self._away and self._reread is not None:
            records = self._reread(user_id, self.watermark)
            return {record.movie_id: _change(record) for record in records}
        return _NOTHING

    def of_newcomers(self) -> Iterable[tuple[str, Mapping[str, Change]]]:
        """Return each movie that the model does not know, with its changes by user; as they are.

        Of one that many rate, the first :data:`RATERS` stand for all.
        """
        return self._by_newcomer.items()

    def away(self, user_id: str) -> bool:
        """Whether a user's changes have to be read from the store."""
        return user_id in self._away

    def n_of_user(self, user_id: str) -> int:
        """Return how many changes of a user are kept."""
        return len(self._by_user.get(user_id, ()))

    def of_late(self) -> Mapping[str, float]:
        """Return by movie what its changes add to the trend; as it is.

        Changes of users who are away when they come are not in it.
        """
        return self._of_late

    def newest(self, before: int) -> int:
        """Return when the newest rating was given, of these and one that was given before."""
        return max(self._newest, before)

    def _take(self, user_id: str, movie_id: str, change: Change) -> bool:
        if change.version <= max(self.watermark, self.erased.version_of(user_id)):
            return False
        is_of_newcomer = self._items is not None and movie_id not in self._items
        if is_of_newcomer:
            self._keep_rater(movie_id, user_id, change)
        if user_id not in self._away:
            self._keep(user_id, movie_id, change)
        return is_of_newcomer

    def _keep(self, user_id: str, movie_id: str, change: Change) -> None:
        # Taken out and put back, so that who changed something last stands last.
        self._order.pop(user_id, None)
        self._order[user_id] = None
        changes = self._by_user.setdefault(user_id, {})
        known = changes.get(movie_id)
        if known is None:
            self._size += 1
        elif known.version >= change.version:
            return
        changes[movie_id] = change
        self._count_of_late(movie_id, known, change)
        if self._size > self._most and self._reread is not None:
            for longest_unchanged in list(self._order):
                self._let_go_of(longest_unchanged)
                if self._size <= self._most * (1 - _LET_GO):
                    break

    def _count_of_late(self, movie_id: str, before: Change | None, change: Change) -> None:
        """Let each user count once for a movie, by the change that stands."""
        if self._count is None:
            return
        total = self._of_late.get(movie_id, 0.0)
        if before is not None and before.rating is not None:
            total -= self._count(before.rated_at)
        if change.rating is not None:
            self._newest = max(self._newest, change.rated_at)
            total += self._count(change.rated_at)
        self._of_late[movie_id] = max(total, 0.0)

    def _let_go_of(self, user_id: str) -> None:
        # Away first: whoever asks in this moment must find the changes here or there.
        self._away.add(user_id)
        self._order.pop(user_id, None)
        self._size -= len(self._by_user.pop(user_id, ()))

    def _keep_rater(self, movie_id: str, user_id: str, change: Change) -> None:
        changes = self._by_newcomer.setdefault(movie_id, {})
        known = changes.get(user_id)
        if known is None and len(changes) >= RATERS:
            return
        if known is None or known.version < change.version:
            # A new mapping, because lists are made from the old one in other threads.
            self._by_newcomer[movie_id] = {**changes, user_id: change}


def _change(record: RatingRecord) -> Change:
    return Change(record.rating, record.version, record.rated_at)
