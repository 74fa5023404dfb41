"""Ratings that are newer than the model: who changed what since its watermark.

A model knows every change up to its watermark. Later ones are kept here, filled from the store
when a model is taken up and from each write after its commit. A change is told apart by its
version alone, so that it does not matter in which order, or how often, it arrives: of two for the
same user and movie the newer one stays, and what the model has seen is not taken in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.store.records import RatingRecord


class Change(NamedTuple):
    """A rating as it stands now, or ``None`` where it was deleted."""

    rating: float | None
    version: int


class FreshRatings:
    """The changes since one watermark.

    Changed only by the thread of the event loop (or by the one that builds it, before it is
    shared); read from anywhere.
    """

    def __init__(self, watermark: int) -> None:
        self.watermark = watermark
        self._by_user: dict[str, dict[str, Change]] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def apply(self, record: RatingRecord) -> None:
        """Take in one change, unless the model or a newer change has overtaken it."""
        self._take(record.user_id, record.movie_id, Change(record.rating, record.version))

    def apply_all(self, records: Iterable[RatingRecord]) -> None:
        """Take in many changes."""
        for record in records:
            self.apply(record)

    def merge(self, other: FreshRatings) -> None:
        """Take in what another model's changes hold beyond this watermark."""
        for user_id, changes in other._by_user.items():
            for movie_id, change in changes.items():
                self._take(user_id, movie_id, change)

    def of_user(self, user_id: str) -> Mapping[str, Change]:
        """Return a user's changes by movie: a copy, which later writes leave alone."""
        return dict(self._by_user.get(user_id, {}))

    def n_of_user(self, user_id: str) -> int:
        """Return how many changes of a user there are."""
        return len(self._by_user.get(user_id, ()))

    def _take(self, user_id: str, movie_id: str, change: Change) -> None:
        if change.version <= self.watermark:
            return
        changes = self._by_user.setdefault(user_id, {})
        known = changes.get(movie_id)
        if known is None:
            self._size += 1
        elif known.version >= change.version:
            return
        changes[movie_id] = change
