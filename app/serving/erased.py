"""Who was erased since the model was trained: it holds their vectors, which nobody may see.

A store tells of an erasure by a digest alone, so that other processes learn of it and nothing
names the user any more. Which row of the model that was is found by making the digest of every
user of the model once, when there is an erasure to look for.

A user who comes back after it is a new one with the same id: changes with later versions count,
and what the model learned before does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.store.erasures import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from app.store.records import Erasure
    from recommender.data.vocabulary import Vocabulary


class UserDigests:
    """The digests of all users of a vocabulary, for finding a few of them.

    Only 64 bits of each are kept; the rows that they lead to are looked at in full.

    Parameters
    ----------
    users
        Of the model.
    salt
        Of the database.
    """

    def __init__(self, users: Vocabulary, salt: str) -> None:
        self._users = users
        self._salt = salt
        found = (digest_of(salt, str(users.id(row)))[:16] for row in range(len(users)))
        marks = np.fromiter((int(digest, 16) for digest in found), np.uint64, len(users))
        self._order = np.argsort(marks, kind="stable")
        self._marks: NDArray[np.uint64] = marks[self._order]

    def row(self, digest: str) -> int:
        """Return the row of the user with this digest, -1 when there is none."""
        mark = np.uint64(int(digest[:16], 16))
        place = int(np.searchsorted(self._marks, mark))
        while place < len(self._marks) and self._marks[place] == mark:
            row = int(self._order[place])
            if digest_of(self._salt, str(self._users.id(row))) == digest:
                return row
            place += 1
        return -1


class Erased:
    """The erasures that one model has not seen.

    Changed only by the thread of the event loop (or by the one that builds it, before it is
    shared); read from anywhere.

    Parameters
    ----------
    users
        Of the model; ``None`` when there is none.
    watermark
        Erasures up to this version are known to the model: it was trained without these users.

    Attributes
    ----------
    rows
        Rows of the model that are nobody's any more.
    read_to
        Up to which version erasures were read from the store; others may be known besides.
    """

    def __init__(self, users: Vocabulary | None = None, watermark: int = 0) -> None:
        self.rows: set[int] = set()
        self.read_to = watermark
        self._users = users
        self._watermark = watermark
        self._salt = ""
        self._known: dict[str, Erasure] = {}
        self._digests: UserDigests | None = None

    def __len__(self) -> int:
        """Return how many users were erased."""
        return len(self._known)

    @property
    def known(self) -> Iterable[Erasure]:
        """Every erasure, the last of each user."""
        return list(self._known.values())

    @property
    def salt(self) -> str:
        """The salt of the database, empty before the first erasure."""
        return self._salt

    def version_of(self, user_id: str) -> int:
        """Return the version of a user's last erasure, 0 when there was none.

        What the user changed up to that version must not be known any more.
        """
        if not self._known:
            return 0
        found = self._known.get(digest_of(self._salt, user_id))
        return 0 if found is None else found.version

    def find_all(self, erasures: Iterable[Erasure], salt: str) -> list[tuple[Erasure, int]]:
        """Return those that are news, each with the row of its user (-1 for none).

        The first time it makes the digests of all users, a microsecond each: for a thread.
        """
        news = [erasure for erasure in erasures if self._is_news(erasure)]
        if not news or self._users is None:
            return [(erasure, -1) for erasure in news]
        if self._digests is None:
            self._digests = UserDigests(self._users, salt)
        return [(erasure, self._digests.row(erasure.digest)) for erasure in news]

    def note(self, erasure: Erasure, salt: str, row: int) -> bool:
        """Take in an erasure; return whether it was news."""
        if not self._is_news(erasure):
            return False
        self._salt = salt
        self._known[erasure.digest] = erasure
        if row >= 0:
            self.rows.add(row)
        return True

    def _is_news(self, erasure: Erasure) -> bool:
        known = self._known.get(erasure.digest)
        older = known is None or known.version < erasure.version
        return older and erasure.version > self._watermark
