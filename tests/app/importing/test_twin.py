"""The streaming checker against a naive one: the csv module, row by row."""

from __future__ import annotations

import csv
import random
import re
import time
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import app.importing.text
from app.importing.csv_files import CsvFile
from recommender.data.rating_scale import RatingScale
from recommender.data.sources import file_source

LATEST = int(time.time()) + 60
RESERVED = {"user": {".", ".."}, "item": {".", "..", "popular"}}


def naive_id(text, role):
    good = (
        0 < len(text) <= 128
        and text == text.strip()
        and not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text)
    )
    return text if good and text not in RESERVED[role] else None


def naive_rating(text):
    try:
        if not re.fullmatch(r"[ \t]*[+-]?[0-9.eE+-]+[ \t]*", text):
            return None
        value = float(text)
    except ValueError:
        return None
    return value if value * 2 in range(1, 11) else None


def naive_time(text):
    try:
        if re.fullmatch(r"[ \t]*[+-]?[0-9]+[ \t]*", text):
            seconds = int(text)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            seconds = int(moment.timestamp() // 1)
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= LATEST else None


def naive(text):
    """Return the good rows, and (line, column) of the bad ones."""
    good, bad = [], []
    for line, record in enumerate(text.split("\n")[1:], start=2):
        if not record.strip():
            continue
        fields = next(csv.reader([record]))
        if len(fields) != 4:
            bad.append((line, None))
            continue
        names = ("user", "item", "rating", "timestamp")
        checks = (
            lambda t: naive_id(t, "user"),
            lambda t: naive_id(t, "item"),
            naive_rating,
            naive_time,
        )
        row = []
        for name, check, field in zip(names, checks, fields, strict=True):
            value = check(field)
            if value is None:
                bad.append((line, name))
                break
            row.append(value)
        else:
            good.append(tuple(row))
    return good, bad


CELLS = {
    "id": ["u1", "7", "007", "a b", "é", "x" * 128, "x" * 129, "", " u", "u ", ".", "..", "popular",
           "a\x01b", "\u3000z", "-5", "71'"],
    "rating": ["4", "4.5", "0.5", "5.0", "0", "5.5", "nan", "NaN", "inf", "-1", "", "x", "1e0",
               " 3", "4.25", "3.", "1e400", "\uff14"],
    "time": ["0", "1600000000", "4000000000", "-1", "", "2020-01-01T00:00:00Z", "2020-01-01",
             "1600000000000", "2020-13-01", "1e9", "9" * 30],
}  # fmt: skip


@st.composite
def files(draw):
    chance = random.Random(draw(st.integers(0, 2**32)))
    good = draw(st.booleans())
    lines = []
    for n in range(draw(st.integers(1, 60))):
        row = [f"u{n % 7}", f"m{n % 11}", "4.5", "1600000000"]
        if not good and chance.random() < 0.3:
            place = chance.randrange(4)
            row[place] = chance.choice(CELLS[("id", "id", "rating", "time")[place]])
        if not good and chance.random() < 0.05:
            row = row[:3] if chance.random() < 0.5 else [*row, "more"]
        if not good and chance.random() < 0.03:
            row = []
        lines.append(",".join(row))
    return "user,item,rating,timestamp\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize("size", [64, 1 << 19])
@given(text=files())
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_same_rows_are_good_and_the_same_bad(tmp_path, monkeypatch, size, text):
    monkeypatch.setattr(app.importing.text, "BLOCK_BYTES", size)
    path = tmp_path / "ratings.csv"
    path.write_text(text, encoding="utf-8")
    file = CsvFile(file_source(path), "ratings", RatingScale(), LATEST)
    pieces = list(file.pieces())
    good, bad = naive(text)
    found = pl.concat([piece.frame for piece in pieces]).rows() if pieces else []
    assert found == good
    assert [(row.line, row.column) for piece in pieces for row in piece.bad] == bad
    # From every position that a piece left, the rest of the rows comes.
    for place, piece in enumerate(pieces[:5]):
        rest = [row for later in file.pieces(piece.position) for row in later.frame.rows()]
        assert rest == [row for later in pieces[place + 1 :] for row in later.frame.rows()]
