"""Finding one text among many: by its hash, and by bisection where hashes meet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.data import text_search
from recommender.data.text_search import find_text, hash_table

SEED = np.uint64(0x9E3779B97F4A7C15)


def laid_out(texts):
    encoded = sorted(text.encode() for text in texts)
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return encoded, offsets, np.frombuffer(b"".join(encoded), np.uint8)


def asked(text):
    return np.frombuffer(text, np.uint8)


ids = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(st.sets(ids, max_size=60), st.sets(ids, max_size=20), st.integers(0, 2**64 - 1))
def test_by_hash_and_by_bisection_it_is_the_same(texts, strangers, seed):
    encoded, offsets, text = laid_out(texts)
    table = hash_table(offsets, text, np.uint64(seed))
    for way in (table, table[:0]):
        for row, one in enumerate(encoded):
            assert find_text(offsets, text, way, np.uint64(seed), asked(one)) == row
        for stranger in strangers - texts:
            one = asked(stranger.encode())
            assert find_text(offsets, text, way, np.uint64(seed), one) == -1


def test_many_ids_that_look_alike_are_spread():
    encoded, offsets, text = laid_out(f"user-{number:07}" for number in range(50_000))
    table = hash_table(offsets, text, SEED)
    assert len(table) == 131_072
    assert np.count_nonzero(table >= 0) == 50_000
    # As random numbers would be: few stand next to each other for long.
    taken = np.flatnonzero(np.append(np.diff((table >= 0).astype(int)), 1))
    assert np.diff(taken).max() < 40
    for row in range(0, 50_000, 997):
        assert find_text(offsets, text, table, SEED, asked(encoded[row])) == row


@pytest.mark.parametrize("meeting", [text_search.LONGEST_WALK, text_search.LONGEST_WALK + 1])
def test_ids_chosen_to_meet_are_found_all_the_same(meeting):
    """Whoever knew the seed could choose ids whose hashes begin alike."""
    size = 256  # of a table for so few texts
    chosen, number = [], 0
    while len(chosen) < meeting:
        one = f"{number}"
        if int(text_search._hash(asked(one.encode()), SEED)) % size == 7:
            chosen.append(one)
        number += 1
    chosen += [f"x{number}" for number in range(size // 2 - meeting)]
    encoded, offsets, text = laid_out(chosen)
    table = hash_table(offsets, text, SEED)
    if meeting > text_search.LONGEST_WALK:
        assert len(table) == 0  # bisection it is
    for row, one in enumerate(encoded):
        assert find_text(offsets, text, table, SEED, asked(one)) == row
