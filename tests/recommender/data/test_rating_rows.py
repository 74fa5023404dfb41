"""The fast way to read ratings and its readable twin: what one accepts the other reads the same."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.data import rating_rows
from recommender.data.rating_rows import RatingLayout, fast_rows, readable_rows
from recommender.data.tables import read_ratings
from recommender.data.text_blocks import Block
from recommender.errors import FileFormatError

LAYOUTS = [
    RatingLayout(("user", "item", "rating"), ("user", "item", "rating")),
    RatingLayout(("item", None, "user", "rating", "timestamp"), ("i", "x", "u", "r", "t")),
    RatingLayout(("user", "item", "rating"), ("u", "i", "r"), integer_ids=True),
    RatingLayout(("user", "item", "rating", "timestamp"), ("u", "i", "r", "t"), "\t"),
    RatingLayout(("user", "item", "rating", "timestamp"), ("u", "i", "r", "t"), "::"),
]
_cells = st.one_of(
    st.sampled_from(["1", "2", "3.5", "5", "07", "4.", ".5", "1e0", "0.5", "a", "u1", "+2"]),
    st.sampled_from(["", '"1"', '""', '"a,b"', '"a""b"', '"', "nan", "-1", "6", " 1", "é", "\x85"]),
    st.sampled_from(["2020-01-01", "2020-01-01T00:00:00Z", "1_0", "0x1", ":", "a\tb", '"1\n2"']),
    st.text(alphabet='ab1.,"\n\r\t :-é', max_size=4),
)


_odd_rows = st.lists(_cells, max_size=6)
_fitting = {
    "user": st.sampled_from(["1", "02", "+3", " 4", "77"]),
    "item": st.sampled_from(["5", "6", '"7"', "\t8", "9223372036854775807"]),
    "rating": st.sampled_from(["1", "2.5", "5.", "+3", " 4", "1e0", "0.50", '"3"', ".5"]),
    "timestamp": st.sampled_from(["0", "12", "4102444800", "2020-01-01T00:00:00Z", "+7", " 8"]),
    None: st.sampled_from(["", "x", '"a""b"', '"a\nb"', "é"]),
}


def _rows_for(layout):
    """Rows that mostly fit the layout, some with a cell that may not."""
    fitting = st.tuples(*(_fitting[role] for role in layout.roles)).map(list)
    one_odd = st.tuples(fitting, st.integers(0, len(layout.roles) - 1), _cells).map(
        lambda drawn: [*drawn[0][: drawn[1]], drawn[2], *drawn[0][drawn[1] + 1 :]]
    )
    return st.lists(st.one_of(fitting, fitting, one_odd, _odd_rows), max_size=4)


def _twins(content, layout):
    block = Block(content, 1)
    fast = fast_rows(block, layout)
    try:
        readable = readable_rows(block, layout, "table")
    except FileFormatError:
        readable = None
    return fast, readable


@settings(deadline=None)
@given(data=st.data(), layout=st.sampled_from(LAYOUTS))
def test_what_the_fast_way_accepts_the_readable_twin_reads_the_same(data, layout):
    rows = data.draw(_rows_for(layout))
    content = "".join(layout.separator.join(row) + "\n" for row in rows)
    fast, readable = _twins(content.encode(), layout)
    if fast is not None and fast.height:
        assert readable is not None, content
        assert fast.equals(readable), content


@pytest.mark.parametrize("layout", LAYOUTS)
def test_good_rows_take_the_fast_way(layout):
    cells = {"user": "7", "item": "12", "rating": "3.5", "timestamp": "99", None: "x"}
    row = layout.separator.join(cells[role] for role in layout.roles) + "\n"
    fast, readable = _twins((row * 3).encode(), layout)
    assert fast is not None
    assert fast.height == 3
    assert fast.equals(readable)
    assert fast.schema == readable.schema


def test_iso_times_take_the_fast_way():
    layout = LAYOUTS[1]
    for time in ("2020-01-01T00:00:00Z", "2020-01-01T01:00:00.5+01:00", "2020-01-01 00:00:00"):
        fast, readable = _twins(f"i,x,u,3,{time}\n".encode(), layout)
        assert fast["timestamp"].to_list() == readable["timestamp"].to_list() == [1577836800]


_ids = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=128
).filter(lambda text: text == text.strip())
_ratings = st.integers(1, 10).map(lambda halves: halves / 2)


@settings(deadline=None)
@given(
    st.lists(st.tuples(_ids, _ids, _ratings, st.integers(0, 4102444800)), min_size=1, max_size=8)
)
def test_what_is_written_is_read(tmp_path_factory, rows):
    names = ["user", "item", "rating", "timestamp"]
    table = pl.DataFrame(
        rows,
        schema=dict(zip(names, (pl.String, pl.String, pl.Float32, pl.Int64), strict=True)),
        orient="row",
    )
    path = tmp_path_factory.mktemp("round") / "trip.csv"
    table.write_csv(path)
    assert read_ratings(path).equals(table)


def test_good_files_never_see_the_readable_twin(write, monkeypatch):
    def never(*_):
        raise AssertionError("a good block was read row by row")

    monkeypatch.setattr(rating_rows, "readable_rows", never)
    path = write('user,note,item,rating,rated_at\n"a",é,b,3,2020-01-01T00:00:00Z\nc,,d,4.5,\n')
    with pytest.raises(AssertionError):
        read_ratings(path)
    path.write_text(path.read_text().replace("4.5,", "4.5,2020-01-01T00:00:01Z"))
    assert read_ratings(path)["timestamp"].to_list() == [1577836800, 1577836801]


def test_a_lone_carriage_return_is_left_to_the_readable_twin():
    """Polars drops it at the end of a cell; for CSV it ends a line."""
    layout = LAYOUTS[0]
    row = layout.separator.join("1\r" if role == "item" else "1" for role in layout.roles)
    assert fast_rows(Block(f"{row}\n".encode(), 1), layout) is None
