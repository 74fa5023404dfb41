"""From a tree to a mask over the movies of a model, kept for the next request that asks alike."""

from __future__ import annotations

import operator
from collections import OrderedDict
from functools import cached_property, reduce
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from app.filtering.language import ATTRIBUTES, Compare, Holds, Join, Not, OneOf, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from app.filtering.language import Field, Node, Value
    from app.store.records import Movie
    from recommender.arrays import Mask

KEPT = 64
"""Masks that are kept, of a byte for each movie."""

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Masks:
    """The masks of one line-up of movies.

    A field that a movie does not have is ``null``: it equals ``null`` and nothing else, and no
    order holds for it. Numbers and texts are never equal and in no order. ``in`` a text looks for
    a part of it, whatever its case.

    Parameters
    ----------
    movies
        In the order of a model's items; ``None`` where the catalogue has none.
    available
        (n_items,) bool: which of them may appear; no mask holds others.
    n_ratings
        (n_items,) how often each was rated.
    """

    def __init__(
        self, movies: Sequence[Movie | None], available: Mask, n_ratings: NDArray[np.int64]
    ) -> None:
        self._movies = movies
        self._available = available
        self._n_ratings = n_ratings
        self._kept: OrderedDict[str, Mask] = OrderedDict()
        self._lock = Lock()

    def of(self, expression: str) -> Mask:
        """Return (n_items,) bool, read-only.

        Raises
        ------
        FilterError
            When the expression is none.
        """
        with self._lock:
            kept = self._kept.get(expression)
            if kept is not None:
                self._kept.move_to_end(expression)
                return kept
        mask = self._available & self._evaluate(parse(expression))
        mask.flags.writeable = False
        with self._lock:
            self._kept[expression] = mask
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return mask

    def _evaluate(self, node: Node) -> Mask:
        if isinstance(node, Join):
            parts = [self._evaluate(part) for part in node.parts]
            return reduce(np.logical_and if node.all_of else np.logical_or, parts)
        if isinstance(node, Not):
            return ~self._evaluate(node.part)
        if isinstance(node, OneOf):
            nobody = np.zeros(len(self._movies), np.bool_)
            equal = (self._compare(Compare(node.field, "==", value)) for value in node.values)
            return reduce(np.logical_or, equal, nobody)
        if isinstance(node, Holds):
            return self._holds(node)
        return self._compare(node)

    def _compare(self, test: Compare) -> Mask:
        if test.operator == "!=":
            return ~self._compare(Compare(test.field, "==", test.value))
        numbers = self._numbers(test.field)
        if numbers is not None:
            return _compare_numbers(numbers, test.operator, test.value)
        return self._each(test.field, lambda found: _is_so(found, test.operator, test.value))

    def _holds(self, test: Holds) -> Mask:
        wanted = test.value
        if test.field.name == "genres":
            return self._genres.get(str(wanted), np.zeros(len(self._movies), np.bool_))
        part = wanted.casefold() if isinstance(wanted, str) else None

        def holds(found: Any) -> bool:
            if isinstance(found, str):
                return part is not None and part in found.casefold()
            return isinstance(found, (list, tuple)) and any(_equal(one, wanted) for one in found)

        return self._each(test.field, holds)

    def _numbers(self, field: Field) -> NDArray[np.float64] | None:
        if field.name == "year":
            return self._years
        return self._n_ratings.astype(np.float64) if field.name == "n_ratings" else None

    def _each(self, field: Field, holds: Callable[[Any], bool]) -> Mask:
        found = (holds(_value_of(movie, field)) for movie in self._movies)
        return np.fromiter(found, np.bool_, len(self._movies))

    @cached_property
    def _years(self) -> NDArray[np.float64]:
        years = [movie.year if movie is not None else None for movie in self._movies]
        return np.array([np.nan if year is None else year for year in years], np.float64)

    @cached_property
    def _genres(self) -> dict[str, Mask]:
        masks: dict[str, Mask] = {}
        for row, movie in enumerate(self._movies):
            for genre in movie.genres if movie is not None else ():
                masks.setdefault(genre, np.zeros(len(self._movies), np.bool_))[row] = True
        return masks


def _value_of(movie: Movie | None, field: Field) -> Any:
    if movie is None:
        return None
    if field.name == ATTRIBUTES:
        return movie.attributes.get(field.attribute or "")
    return movie.movie_id if field.name == "movie_id" else movie.title


def _compare_numbers(numbers: NDArray[np.float64], sign: str, value: Value) -> Mask:
    if sign == "==" and value is None:
        return np.isnan(numbers)
    if isinstance(value, bool) or not isinstance(value, float):
        return np.zeros(len(numbers), np.bool_)
    compared: Mask = numbers == value if sign == "==" else _COMPARE[sign](numbers, value)
    return compared


def _is_so(found: Any, sign: str, value: Value) -> bool:
    if sign == "==":
        return _equal(found, value)
    if _is_number(found) and isinstance(value, float):
        return bool(_COMPARE[sign](found, value))
    return isinstance(found, str) and isinstance(value, str) and bool(_COMPARE[sign](found, value))


def _equal(found: Any, value: Value) -> bool:
    if isinstance(value, float):
        return _is_number(found) and bool(found == value)
    return type(found) is type(value) and bool(found == value)


def _is_number(found: Any) -> bool:
    return isinstance(found, (int, float)) and not isinstance(found, bool)
