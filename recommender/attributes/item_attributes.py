"""What is known of items beside their ratings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from recommender.data.ids import MAXIMUM_ID_LENGTH
from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recommender.arrays import Rows

_LAST_YEAR = 9999


@dataclass(frozen=True, eq=False)
class ItemAttributes:
    """Genres, year and tags of some items, in one order.

    Attributes
    ----------
    genres, tags
        For each item the distinct words, as they are compared: without capitals.
    years
        For each item, or ``None``.

    Examples
    --------
    >>> films = ItemAttributes.from_movies([["Comedy"], []], [1994, None], [["Road trip"], []])
    >>> films.genres, films.years, films.tags
    ((('comedy',), ()), (1994, None), (('road trip',), ()))
    """

    genres: tuple[tuple[str, ...], ...]
    years: tuple[int | None, ...]
    tags: tuple[tuple[str, ...], ...]

    @classmethod
    def from_movies(
        cls,
        genres: Sequence[Sequence[str]],
        years: Sequence[int | None],
        tags: Sequence[Sequence[str]],
    ) -> Self:
        """Describe items.

        Parameters
        ----------
        genres, tags
            (n,) lists of text; capitals, repetitions and spaces around do not matter. A text
            that no id could be (empty, over 128 characters, with control characters) is left
            out.
        years
            (n,) whole numbers, 0 to 9999, or ``None``.

        Raises
        ------
        InvalidInputError
            When they are not of one length, or not what is said here.
        """
        if not len(genres) == len(years) == len(tags):
            raise InvalidInputError(
                f"genres, years and tags must be of one length; "
                f"found {len(genres)}, {len(years)} and {len(tags)}"
            )
        return cls(
            tuple(_words("genres", place, given) for place, given in enumerate(genres)),
            tuple(_year(place, given) for place, given in enumerate(years)),
            tuple(_words("tags", place, given) for place, given in enumerate(tags)),
        )

    def __len__(self) -> int:
        return len(self.years)

    def select(self, rows: Rows) -> ItemAttributes:
        """Return the attributes of some items, (m,) int64 in the order given."""
        chosen = [int(row) for row in rows]
        return ItemAttributes(
            tuple(self.genres[row] for row in chosen),
            tuple(self.years[row] for row in chosen),
            tuple(self.tags[row] for row in chosen),
        )


def _words(name: str, place: int, given: Sequence[str]) -> tuple[str, ...]:
    # A bare text would be taken for a list of its letters.
    if isinstance(given, str) or not all(isinstance(word, str) for word in given):
        raise InvalidInputError(f"{name}[{place}] must be a list of text; found {given!r}")
    words = (" ".join(word.casefold().split()) for word in given)
    return tuple(dict.fromkeys(word for word in words if _can_be_named(word)))


def _can_be_named(word: str) -> bool:
    return 0 < len(word) <= MAXIMUM_ID_LENGTH and word.isprintable()


def _year(place: int, given: Any) -> int | None:
    if given is None:
        return None
    whole = isinstance(given, int | np.integer) and not isinstance(given, bool)
    if not whole or not 0 <= given <= _LAST_YEAR:
        raise InvalidInputError(
            f"years[{place}] must be a whole number from 0 to {_LAST_YEAR}, or None; "
            f"found {given!r}"
        )
    return int(given)
