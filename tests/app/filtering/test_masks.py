"""Masks are what a slow reading of each movie gives."""

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.filtering import FilterError, Masks, parse
from app.filtering import masks as kept
from app.filtering.language import Compare, Holds, Join, Not, OneOf
from app.store.records import Movie

OPERATORS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

values = st.none() | st.sampled_from([1989, 1990, 1990.5, "fr", "FR be", True, ["fr", 3], {}])
movies = st.none() | st.builds(
    lambda title, year, genres, attributes: Movie(
        movie_id=f"m{title}", title=title, year=year, genres=tuple(genres), attributes=attributes
    ),
    st.sampled_from(["The Matrix", "matrix reloaded", "Memento", "Été"]),
    st.sampled_from([None, 1989, 1990, 1999]),
    st.lists(st.sampled_from(["Comedy", "Drama", "Horror"]), unique=True),
    st.dictionaries(st.sampled_from(["country", "hd"]), values),
)
tests = st.sampled_from([
    "year >= 1990", "year < 1990", "year == 1990", "year != 1990", "year == null", "year != null",
    "year in [1989, 1999, null]", "year not in [1990]", "year in []", '"Comedy" in genres',
    '"Comedy" not in genres', '"comedy" in genres', '"MATRIX" in title', 'title == "Memento"',
    'title < "N"', 'movie_id == "mMemento"', 'movie_id in ["mMemento", "x"]', "n_ratings > 1",
    "n_ratings <= 1", "attributes.hd == true", "attributes.hd != true", "attributes.hd == null",
    "attributes.country == 1990", "attributes.country > 1989.5", 'attributes.country >= "fr"',
    '"fr" in attributes.country', "3 in attributes.country", 'year == "1990"', "n_ratings == null",
    'attributes."no such" == null', "attributes.none < 3",
])  # fmt: skip
expressions = st.recursive(
    tests,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map("({0[0]} {0[1]} {0[2]})".format)
        | inner.map("not ({})".format)
    ),
    max_leaves=5,
)


def number(found):
    return isinstance(found, (int, float)) and not isinstance(found, bool)


def same(found, value):
    if number(found) and number(value):
        return found == value
    return type(found) is type(value) and found == value


def true_of(movie, n_ratings, node):
    """Read an expression for one movie, as a person would."""
    if isinstance(node, Join):
        parts = [true_of(movie, n_ratings, part) for part in node.parts]
        return all(parts) if node.all_of else any(parts)
    if isinstance(node, Not):
        return not true_of(movie, n_ratings, node.part)
    name = node.field.name
    found = {
        "year": movie.year, "title": movie.title, "movie_id": movie.movie_id,
        "genres": list(movie.genres), "n_ratings": n_ratings,
        "attributes": movie.attributes.get(node.field.attribute),
    }[name]  # fmt: skip
    if isinstance(node, OneOf):
        return any(same(found, value) for value in node.values)
    if isinstance(node, Holds):
        if isinstance(found, str):
            return isinstance(node.value, str) and node.value.casefold() in found.casefold()
        return isinstance(found, list) and any(same(one, node.value) for one in found)
    assert isinstance(node, Compare)
    if node.operator in {"==", "!="}:
        return same(found, node.value) is (node.operator == "==")
    if number(found) != number(node.value) or isinstance(found, str) != isinstance(node.value, str):
        return False
    if not (number(found) or isinstance(found, str)):
        return False
    return OPERATORS[node.operator](found, node.value)


@given(st.lists(movies, max_size=12), expressions, st.data())
def test_a_mask_is_what_each_movie_says(listed, expression, data):
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(listed), max_size=len(listed)))
    available = np.array([movie is not None and data.draw(st.booleans()) for movie in listed], bool)
    mask = Masks(listed, available, np.array(counts, np.int64)).of(expression)
    tree = parse(expression)
    by_hand = [
        bool(there) and true_of(movie, count, tree)
        for movie, there, count in zip(listed, available, counts, strict=True)
    ]
    assert mask.dtype == np.bool_
    assert mask.tolist() == by_hand


def test_masks_are_kept_and_not_without_end(monkeypatch):
    monkeypatch.setattr(kept, "KEPT", 2)
    masks = Masks([Movie("1", "A", 1990)], np.ones(1, bool), np.zeros(1, np.int64))
    first = masks.of("year == 1990")
    assert masks.of("year == 1990") is first
    masks.of("year == 1")
    assert masks.of("year == 1990") is first  # it was asked for again, so the other is older
    masks.of("year == 2")
    assert masks.of("year == 1990") is first
    assert len(masks._kept) == 2
    with pytest.raises(ValueError, match="read-only"):
        first[0] = False


def test_an_expression_that_is_none_is_not_kept():
    masks = Masks([], np.ones(0, bool), np.zeros(0, np.int64))
    for _ in range(2):
        with pytest.raises(FilterError):
            masks.of("year ==")


@pytest.mark.parametrize(
    ("expression", "let_through"),
    [
        ('"MATRIX" in title', True),
        ('"trix r" in title', False),
        ("attributes.count == true", False),  # 1 is not true
        ("attributes.hd == 1", False),  # nor is true 1
        ("attributes.hd == true", True),
        ('attributes.count == "1"', False),
        ("attributes.count == 1", True),
        ('"FR" in attributes.country', True),
        ('"fr" in attributes.languages', True),
        ('"FR" in attributes.languages', False),  # one of several values is that value
    ],
)
def test_what_equals_what(expression, let_through):
    attributes = {"count": 1, "hd": True, "country": "fr, be", "languages": ["fr", "nl"]}
    movie = Movie("1", "The Matrix", 1999, ("Action",), attributes=attributes)
    mask = Masks([movie], np.ones(1, bool), np.zeros(1, np.int64)).of(expression)
    assert mask.tolist() == [let_through]
