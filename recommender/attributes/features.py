"""Which attributes a map looks at, and the matrix of zeros and ones that they make."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from recommender.arrays import frozen
from recommender.data.vocabulary import Vocabulary
from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from recommender.arrays import Mask
    from recommender.attributes.item_attributes import ItemAttributes

MOVIES_OF_A_TAG = 5
"""A tag of fewer movies says more of them than of others."""

MOST_TAGS = 500

CONSTANTS = 3
"""The first columns: 1 for every item, for those with a known genre, for those with a year."""


@dataclass(frozen=True, eq=False)
class Features:
    """The columns: three constants, then a genre, a decade, a tag each.

    A year is known by its decade: a column for each ranked new movies no worse than straight lines
    between decades. A year of a decade that the training has not seen counts as of the nearest
    one that it has: new films are often of such years.

    Attributes
    ----------
    genres, tags
        Their names.
    decades
        (n_decades,) int64 their first years, increasing.
    """

    genres: Vocabulary
    decades: NDArray[np.int64]
    tags: Vocabulary

    @classmethod
    def of(cls, attributes: ItemAttributes) -> Self:
        """Choose every genre, every decade, and the most frequent tags of enough movies."""
        counts = Counter(chain.from_iterable(attributes.tags))
        # Equally frequent ones by name, so that the choice does not hang on the order of movies.
        frequent = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_TAGS]
        known = {_decade(year) for year in attributes.years if year is not None}
        return cls(
            Vocabulary.from_ids(list(set(chain.from_iterable(attributes.genres)))),
            frozen(np.array(sorted(known), np.int64)),
            Vocabulary.from_ids([tag for tag, count in frequent if count >= MOVIES_OF_A_TAG]),
        )

    def __len__(self) -> int:
        return CONSTANTS + len(self.genres) + len(self.decades) + len(self.tags)

    @property
    def names(self) -> list[str]:
        """What each column is, such as ``"genre: comedy"``."""
        return [
            *("every movie", "genre known", "year known"),
            *(f"genre: {self.genres.id(row)}" for row in range(len(self.genres))),
            *(f"decade: {first}" for first in self.decades.tolist()),
            *(f"tag: {self.tags.id(row)}" for row in range(len(self.tags))),
        ]

    def matrix(self, attributes: ItemAttributes) -> csr_matrix:
        """(n, n_features) float64 sparse, of zeros and ones; what is not known is left out."""
        from scipy.sparse import csr_matrix

        columns: list[int] = []
        ends = [0]
        for row in self._rows(attributes):
            columns.extend(row)
            ends.append(len(columns))
        ones = np.ones(len(columns))
        shape = len(attributes), len(self)
        return csr_matrix((ones, np.array(columns, np.int32), np.array(ends, np.int64)), shape)

    def knows(self, attributes: ItemAttributes) -> Mask:
        """(n,) bool: of which items a genre, a year or a tag is known."""
        return np.array([len(row) > 1 for row in self._rows(attributes)], np.bool_)

    def _rows(self, attributes: ItemAttributes) -> Iterator[list[int]]:
        """Return the columns of each item, one after the other, increasing."""
        genres, tags = self._columns
        first_decade = CONSTANTS + len(self.genres)
        for words, year, more in zip(
            attributes.genres, attributes.years, attributes.tags, strict=True
        ):
            of_genre = sorted(genres[word] for word in words if word in genres)
            decade = None if year is None else self._place_of(year)
            yield [
                0,
                *([1] if of_genre else []),
                *([2] if decade is not None else []),
                *of_genre,
                *([first_decade + decade] if decade is not None else []),
                *sorted(tags[word] for word in more if word in tags),
            ]

    @cached_property
    def _columns(self) -> tuple[dict[str, int], dict[str, int]]:
        """The column of each genre, and of each tag."""
        first_tag = CONSTANTS + len(self.genres) + len(self.decades)
        return _places(self.genres, CONSTANTS), _places(self.tags, first_tag)

    def _place_of(self, year: int) -> int | None:
        if len(self.decades) == 0:
            return None
        # The nearest one: a decade in the middle may have had no film.
        return int(np.argmin(np.abs(self.decades - _decade(year))))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that :meth:`from_arrays` takes back."""
        return {
            **{f"genres_{name}": array for name, array in self.genres.arrays().items()},
            "decades": self.decades,
            **{f"tags_{name}": array for name, array in self.tags.arrays().items()},
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        """Open what :meth:`arrays` gave.

        Raises
        ------
        InvalidInputError
            When the arrays are not the names of features.
        """
        genres, tags = (
            Vocabulary.from_arrays(
                {name.removeprefix(kind): a for name, a in arrays.items() if name.startswith(kind)}
            )
            for kind in ("genres_", "tags_")
        )
        decades = arrays["decades"]
        fits = decades.dtype == np.int64 and decades.ndim == 1
        if not (fits and bool((decades[1:] > decades[:-1]).all())):
            raise InvalidInputError("the stored decades are not increasing whole numbers")
        if any(len(words) and words.holds_numbers for words in (genres, tags)):
            raise InvalidInputError("the stored names of genres and tags are not text")
        return cls(genres, decades, tags)


def _decade(year: int) -> int:
    return year // 10 * 10


def _places(words: Vocabulary, first: int) -> dict[str, int]:
    return {str(words.id(row)): first + row for row in range(len(words))}
