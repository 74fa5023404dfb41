"""The rules for one value, whatever kind of file it comes from: a text, or a typed value.

Texts follow :mod:`recommender.data.cells`; what is said of a value that breaks a rule is decided
here. Whole columns are checked by :func:`good_ratings`, which takes the same for good.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from app.importing.report import BadCell
from app.limits import LIMITS
from app.store.validation import REFUSED_IDS, refusal
from recommender.data import cells
from recommender.data.rating_rows import breaks_id_rule

if TYPE_CHECKING:
    from recommender.data.rating_scale import RatingScale

_SURROGATE = re.compile("[\ud800-\udfff]")
_NAMES_OF_NAN = frozenset({"nan", "null", "none", "na", "n/a"})
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_YEAR_RULE = f"a year from {cells.FIRST_YEAR} to {cells.LAST_YEAR}, or nothing"
_OBJECT_RULE = f"a JSON object of at most {LIMITS.attributes_bytes:,} bytes, or nothing"
_GENRE_RULE = f"at most {LIMITS.genres} genres of 1 to {LIMITS.genre_length} characters"
NOT_UTF8 = "text in UTF-8 (the file is perhaps in Latin-1 or Windows-1252: save it as UTF-8)"


def read_id(value: object, what: Literal["user_id", "movie_id"]) -> str:
    """Return an id."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None or value == "":
        raise BadCell("empty", cells.ID_RULE)
    if not isinstance(value, str):
        raise BadCell(f"a {_kind(value)}", f"a text or a whole number; {cells.ID_RULE}", value)
    if _SURROGATE.search(value):
        raise BadCell("not UTF-8", NOT_UTF8)
    try:
        cells.check_id(value)
    except cells.CellError:
        raise BadCell(_wrong_id(value), cells.ID_RULE, value) from None
    if value in REFUSED_IDS[what]:
        raise BadCell("a reserved id", refusal(what), value)
    return value


def read_number_id(value: str, what: Literal["user_id", "movie_id"]) -> str:
    """Return an id of MovieLens: a whole number, without leading zeros."""
    try:
        return read_id(str(cells.check_number_id(value)), what)
    except cells.CellError:
        found = "empty" if not value.strip() else "not a whole number"
        raise BadCell(found, cells.NUMBER_ID_RULE, value or None) from None


def read_rating(value: object, scale: RatingScale) -> float:
    """Return a rating on the scale, as ``PUT`` would store it."""
    if isinstance(value, str):
        text = value.strip()
        if not text or text.lower() in _NAMES_OF_NAN:
            raise BadCell("NaN" if text.lower() == "nan" else "empty", str(scale), text or None)
        try:
            return scale.nearest(cells.check_rating(value, scale))
        except cells.CellError:
            raise BadCell(_wrong_number(text), str(scale), value) from None
    if value is None:
        raise BadCell("empty", str(scale))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadCell(f"a {_kind(value)}", f"a number, {scale}", value)
    if not math.isfinite(value):
        raise BadCell("NaN" if math.isnan(value) else "infinite", str(scale), value)
    if value not in scale:
        raise BadCell("off the scale:", str(scale), value)
    return scale.nearest(float(value))


def read_time(value: object, latest: int) -> int | None:
    """Return seconds since 1970; ``None`` where a typed file says nothing."""
    if value is None:
        return None
    if isinstance(value, str):
        if not value.strip():
            raise BadCell("empty", cells.TIMESTAMP_RULE)
        try:
            seconds = cells.check_timestamp(value)
        except cells.CellError as error:
            found = "out of range:" if value.strip().lstrip("+-").isdigit() else "not a date:"
            hint = " (milliseconds? divide them by 1000)" if "millis" in str(error) else ""
            raise BadCell(found, cells.TIMESTAMP_RULE + hint, value) from None
    elif isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        seconds = int(moment.timestamp() // 1)
    elif isinstance(value, int) and not isinstance(value, bool):
        seconds = value
    else:
        raise BadCell(f"a {_kind(value)}", cells.TIMESTAMP_RULE, value)
    if not 0 <= seconds <= cells.LATEST_TIMESTAMP:
        raise BadCell("out of range:", cells.TIMESTAMP_RULE, value)
    if seconds > latest:
        raise BadCell(
            "a future date",
            f"at most {LIMITS.clock_skew_seconds} seconds after the clock of this computer",
            value,
        )
    return seconds


def read_title(value: object) -> str:
    """Return a title: one line."""
    rule = f"1 to {cells.LONGEST_TITLE} characters, no control characters"
    if value is None or value == "":
        raise BadCell("empty", rule)
    if not isinstance(value, str):
        raise BadCell(f"a {_kind(value)}", f"a text; {rule}", value)
    if _SURROGATE.search(value):
        raise BadCell("not UTF-8", NOT_UTF8)
    try:
        cells.check_line(value, cells.LONGEST_TITLE)
    except cells.CellError:
        raise BadCell(_wrong_line(value), rule, value) from None
    return value


def read_year(value: object) -> int | None:
    """Return a year; ``None`` where nothing is said."""
    if isinstance(value, str):
        try:
            return cells.check_year(value)
        except cells.CellError:
            raise BadCell("not a year:", _YEAR_RULE, value) from None
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        if cells.FIRST_YEAR <= value <= cells.LAST_YEAR:
            return value
        raise BadCell("not a year:", _YEAR_RULE, value)
    raise BadCell(f"a {_kind(value)}", _YEAR_RULE, value)


def read_genres(value: object) -> list[str]:
    """Return genres: a list, or a text as ``Comedy|Drama`` or a JSON list."""
    if value is None:
        return []
    if isinstance(value, str):
        found = _json(value) if value.startswith("[") else None
        value = found if isinstance(found, list) else cells_genres(value)
    if not isinstance(value, list) or not all(isinstance(genre, str) for genre in value):
        raise BadCell(f"a {_kind(value)}", f"a list of texts; {_GENRE_RULE}")
    lengths = [len(genre) for genre in value]
    if len(value) > LIMITS.genres or any(not 0 < n <= LIMITS.genre_length for n in lengths):
        raise BadCell("too many or too long genres", _GENRE_RULE)
    for genre in value:
        if cells.has_control_character(genre) or _SURROGATE.search(genre):
            raise BadCell("a control character", _GENRE_RULE, genre)
    return value


def cells_genres(text: str) -> list[str]:
    """Return the genres of a cell such as ``Comedy|Drama``."""
    from recommender.data.titles import split_genres

    return split_genres(text)


def read_available(value: object) -> bool | None:
    """Return whether a movie is available; ``None`` where nothing is said."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if not value.strip():
            return None
        if value.strip().lower() in _BOOLEANS:
            return _BOOLEANS[value.strip().lower()]
    raise BadCell("neither true nor false:", "true, false, or nothing", value)


def read_attributes(value: object) -> dict[str, Any]:
    """Return a JSON object, given as one or as its text."""
    if value is None or value == "":
        return {}
    found = _json(value) if isinstance(value, str) else value
    if not isinstance(found, dict):
        raise BadCell("no JSON object", _OBJECT_RULE, value if isinstance(value, str) else None)
    try:
        text = json.dumps(found, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, TypeError, RecursionError):
        raise BadCell("no JSON object", _OBJECT_RULE) from None
    if _SURROGATE.search(text) or "\0" in text or len(text.encode()) > LIMITS.attributes_bytes:
        raise BadCell("an object that is too large, or no text", _OBJECT_RULE)
    if len(found) > LIMITS.attributes:
        raise BadCell("too many attributes", f"at most {LIMITS.attributes}")
    return found


def good_ratings(frame: pl.DataFrame, scale: RatingScale, latest: int) -> bool:
    """Return whether every row of a typed frame follows the rules above."""
    for name in ("user", "item"):
        ids = frame.get_column(name).unique()
        kind: Literal["user_id", "movie_id"] = "user_id" if name == "user" else "movie_id"
        if ids.null_count() or breaks_id_rule(ids).any():
            return False
        if ids.is_in(sorted(REFUSED_IDS[kind])).any():
            return False
    ratings = frame.get_column("rating")
    if ratings.null_count() or not scale.accepts(ratings.to_numpy()).all():
        return False
    times = frame.get_column("timestamp").drop_nulls()
    return bool(times.is_between(0, min(latest, cells.LATEST_TIMESTAMP)).all())


def on_scale(ratings: pl.Series, scale: RatingScale) -> pl.Series:
    """Return ratings as ``PUT`` would store them: 3.7 and not 3.70000005."""
    wide = ratings.cast(pl.Float64)
    if scale.step is None:
        return wide.round(6)
    steps = ((wide - scale.minimum) / scale.step).round()
    return (scale.minimum + steps * scale.step).round(9)


def _wrong_id(value: str) -> str:
    if len(value) > LIMITS.id_length:
        return f"an id of {len(value):,} characters"
    if not value.strip():
        return "only spaces"
    if cells.has_control_character(value):
        return "an id with a control character"
    return "an id with a space at an end"


def _wrong_line(value: str) -> str:
    if not value.strip():
        return "only spaces"
    if len(value.strip()) > cells.LONGEST_TITLE:
        return f"a text of {len(value):,} characters"
    return "a control character in"


def _wrong_number(text: str) -> str:
    try:
        number = float(text)
    except ValueError:
        return "not a number: the text"
    if math.isnan(number):
        return "NaN"
    return "infinite:" if math.isinf(number) else "off the scale: the number"


def _json(text: str) -> object:
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None


def _kind(value: object) -> str:
    names: dict[type, str] = {bool: "truth value", list: "list", dict: "object", str: "text"}
    names |= {int: "number", float: "number", date: "date", bytes: "binary value"}
    return names.get(type(value), f"value of type {type(value).__name__}")
