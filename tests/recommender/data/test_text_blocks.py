"""Long files in blocks: the same rows, and the same complaints, however they are cut."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.data.rating_rows import RatingLayout, ratings_table
from recommender.data.sources import Source
from recommender.data.text_blocks import read_blocks, read_text, split_header
from recommender.errors import FileFormatError

LAYOUT = RatingLayout(("user", None, "item", "rating"), ("user", "note", "item", "rating"))


def source_of(content):
    return Source("memory", len(content), lambda: io.BytesIO(content))


def read_in_blocks(content, size):
    """Return the table, or what was refused and where."""
    try:
        return ratings_table(read_blocks(source_of(content), quoted=True, size=size), LAYOUT, "m")
    except FileFormatError as error:
        return error.line, error.reason


_notes = st.sampled_from(["", "x", '"a\nb"', '"a,""b"""', '"\n\n"', "é", '"'])
_rows = st.tuples(st.sampled_from("ab"), _notes, st.sampled_from("cd"), st.sampled_from("1239"))


@settings(deadline=None)
@given(rows=st.lists(_rows, min_size=1, max_size=12), size=st.integers(1, 60))
def test_the_size_of_a_block_changes_nothing(rows, size):
    content = "".join(",".join(row) + "\n" for row in rows).encode()
    whole, cut = read_in_blocks(content, 10_000), read_in_blocks(content, size)
    if isinstance(whole, tuple):
        assert isinstance(cut, tuple)
        # After a quote that never ends only the place is sure, not how the rest reads.
        if '"' not in [row[1] for row in rows]:
            assert cut == whole
    else:
        assert cut.equals(whole)


def test_lines_are_counted_over_all_blocks():
    content = b"".join(b'a,"1\n2",c,3\n' for _ in range(50)) + b"a,,c,7\n"
    for size in (1, 7, 12, 13, 64, 10_000):
        line, reason = read_in_blocks(content, size)
        assert line == 101
        assert "'7'" in reason


def test_a_block_ends_with_a_record():
    content = b'a,"1\n2",c,3\nb,,c,4\n'
    blocks = list(read_blocks(source_of(content), quoted=True, size=6))
    assert [(block.content, block.first_line) for block in blocks] == [
        (b'a,"1\n2",c,3\n', 1),
        (b"b,,c,4\n", 3),
    ]
    unquoted = list(read_blocks(source_of(b'a"\nb"\n'), quoted=False, size=2))
    assert [(block.content, block.first_line) for block in unquoted] == [(b'a"\n', 1), (b'b"\n', 2)]


def test_an_open_quote_does_not_gather_the_whole_file():
    content = b'a,"open,c,3\n' + b"a,,c,3\n" * 100_000
    blocks = read_blocks(source_of(content), quoted=True, size=1_000, longest_record=500)
    assert max(len(block.content) for block in blocks) <= 2_000


def test_bad_bytes_are_found_in_later_blocks():
    content = b"a,,c,3\n" * 20 + b"a,\xe9,c,3\n"
    for size in (5, 7, 200):
        line, reason = read_in_blocks(content, size)
        assert line == 21
        assert "byte 0xE9 (byte 3 of the line)" in reason


def test_a_letter_of_two_bytes_may_lie_on_the_edge_of_a_read():
    content = "a,é,c,3\n".encode()
    for size in range(1, 9):
        assert read_in_blocks(content, size).height == 1


def test_latin_1_is_read_only_where_it_is_expected():
    old = source_of("Café\nnaïve\n".encode("latin-1"))
    assert read_text(old, latin1=True) == "Café\nnaïve\n"
    with pytest.raises(FileFormatError, match=r"line 1: byte 0xE9 .* Latin-1"):
        read_text(old)
    assert read_text(source_of("Café\n".encode()), latin1=True) == "Café\n"
    with pytest.raises(FileFormatError, match="NUL"):
        read_text(source_of(b"\xe9\0"), latin1=True)


def test_a_header_may_span_lines():
    block = next(read_blocks(source_of(b'"a\nb",c\n1,2\n'), quoted=True))
    names, rest = split_header(block, "m")
    assert names == ["a\nb", "c"]
    assert (rest.content, rest.first_line) == (b"1,2\n", 3)
