"""The examples in the docstrings are tests as well; here is what must hold for every title."""

from __future__ import annotations

import doctest

from hypothesis import given
from hypothesis import strategies as st

from app.store import titles
from app.store.titles import search_text, words


def test_the_examples_of_the_docstrings():
    failed, tried = doctest.testmod(titles)
    assert (failed, tried > 2) == (0, True)


@given(st.text(alphabet="aéßøœç Å-'"))
def test_case_does_not_matter(title):
    assert words(title.upper()) == words(title) == words(title.lower())


@given(st.text(), st.integers(0, 50))
def test_every_beginning_of_every_word_is_found(title, length):
    text = search_text(title)
    for word in words(title):
        assert f" {word[: length + 1]}" in text


@given(st.text(alphabet="aB-é' ", max_size=12))
def test_a_title_finds_itself(title):
    assert all(f" {word}" in search_text(title) for word in words(title))
    assert search_text(title).startswith("".join(f" {word}" for word in words(title)))
