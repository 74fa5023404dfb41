"""What a single cell of a table may hold: the readable rules, one cell at a time.

:mod:`recommender.data.rating_rows` applies the same rules to whole columns; these decide.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from recommender.data.vocabulary import MAXIMUM_ID_LENGTH
from recommender.errors import InvalidRatingError

if TYPE_CHECKING:
    from recommender.data.rating_scale import RatingScale

LONGEST_SHOWN = 40
LARGEST_WHOLE_NUMBER = 2**63 - 1
LATEST_TIMESTAMP = 4_102_444_800  # 2100-01-01T00:00:00Z
FIRST_YEAR, LAST_YEAR = 1870, 2100
LONGEST_TITLE = 500
LONGEST_ATTRIBUTE = 2_000

# Unicode's category Cc: tab, line end, NUL, …
CONTROL_CHARACTERS = r"[\x00-\x1f\x7f-\x9f]"

ID_RULE = f"1 to {MAXIMUM_ID_LENGTH} characters, no control characters, no space at either end"
NUMBER_ID_RULE = "a whole number from 0 to 2^63 - 1"
TIMESTAMP_RULE = (
    f"whole seconds since 1970 from 0 to {LATEST_TIMESTAMP} (the year 2100), "
    "or a date and time in ISO 8601"
)

_CONTROL = re.compile(CONTROL_CHARACTERS)
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
# Around a number they do no harm; in an id they would make two of one.
_BLANKS = " \t"
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,40}")


class CellError(ValueError):
    """A cell that breaks its column's rule; the message says what was found and what is allowed."""


def shown(text: str) -> str:
    r"""Return ``text`` fit for a message: quoted, escaped, and at most 40 characters of it.

    Examples
    --------
    >>> shown("a\x1b[31m")
    "'a\\x1b[31m'"
    """
    cut = text[:LONGEST_SHOWN]
    escaped = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in cut.encode("utf-8", "replace").decode()
    )
    if len(escaped) > LONGEST_SHOWN or len(text) > LONGEST_SHOWN:
        escaped = escaped[: LONGEST_SHOWN - 1] + "…"
    return f"'{escaped}'"


def kind(text: str) -> str:
    """Return what sort of value ``text`` is, with the value itself, for a message."""
    if not text:
        return "nothing"
    if not text.strip():
        return f"only white space ({len(text)} characters)"
    if _NUMBER.fullmatch(text.strip()):
        return f"the number {shown(text)}"
    return f"the text {shown(text)}"


def has_control_character(text: str) -> bool:
    """Return whether ``text`` has one of :data:`CONTROL_CHARACTERS`."""
    return not text.isprintable() and _CONTROL.search(text) is not None


def check_id(text: str) -> str:
    """Return the id when it follows :data:`ID_RULE`."""
    if not text:
        raise CellError(f"found nothing; allowed: {ID_RULE}")
    if len(text) > MAXIMUM_ID_LENGTH:
        raise CellError(f"found {len(text)} characters ({shown(text)}); allowed: {ID_RULE}")
    if has_control_character(text):
        raise CellError(f"found a control character in {shown(text)}; allowed: {ID_RULE}")
    if text != text.strip():
        raise CellError(f"found a space at an end of {shown(text)}; allowed: {ID_RULE}")
    return text


def check_number_id(text: str) -> int:
    """Return the id as a number when it follows :data:`NUMBER_ID_RULE`."""
    if _WHOLE_NUMBER.fullmatch(text.strip(_BLANKS)):
        number = int(text)
        if 0 <= number <= LARGEST_WHOLE_NUMBER:
            return number
    raise CellError(f"found {kind(text)}; allowed: {NUMBER_ID_RULE}")


def check_once(seen: dict[str, int], found: str, line: int) -> None:
    """Note the line of an id in ``seen``; each may come once."""
    before = seen.setdefault(found, line)
    if before != line:
        raise CellError(
            f"found {shown(found)} a second time, first on line {before}; allowed: each id once"
        )


def check_rating(text: str, scale: RatingScale) -> float:
    """Return the rating when it is a number on the scale."""
    if not _NUMBER.fullmatch(text.strip(_BLANKS)):
        raise CellError(f"found {kind(text)}; allowed: {scale}")
    try:
        return scale.check(float(text))
    except InvalidRatingError:
        swapped = ""
        if not scale.minimum <= float(text) <= scale.maximum:
            swapped = " (are the columns in the order that the header says?)"
        raise CellError(f"found {kind(text)}; allowed: {scale}{swapped}") from None


def check_timestamp(text: str) -> int:
    """Return seconds since 1970; a date and time without a zone is read as UTC."""
    if _WHOLE_NUMBER.fullmatch(text.strip(_BLANKS)):
        seconds = int(text)
    else:
        try:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            seconds = int(moment.timestamp() // 1)
        except (ValueError, OverflowError):
            raise CellError(f"found {kind(text)}; allowed: {TIMESTAMP_RULE}") from None
    if 0 <= seconds <= LATEST_TIMESTAMP:
        return seconds
    hint = ""
    if 0 <= seconds // 1000 <= LATEST_TIMESTAMP and seconds > 0:
        hint = " (milliseconds? divide them by 1000)"
    raise CellError(f"found {kind(text)}; allowed: {TIMESTAMP_RULE}{hint}")


def check_line(text: str, longest: int) -> str:
    """Return a title or the like, stripped: one line, 1 to ``longest`` characters."""
    rule = f"1 to {longest} characters, no control characters"
    stripped = text.strip()
    if not stripped:
        raise CellError(f"found {kind(text)}; allowed: {rule}")
    if len(stripped) > longest:
        raise CellError(f"found {len(stripped)} characters ({shown(stripped)}); allowed: {rule}")
    if has_control_character(stripped):
        raise CellError(f"found a control character in {shown(stripped)}; allowed: {rule}")
    return stripped


def check_year(text: str) -> int | None:
    """Return the year, or ``None`` for an empty cell."""
    stripped = text.strip()
    if not stripped:
        return None
    if re.fullmatch(r"[0-9]{4}", stripped) and FIRST_YEAR <= int(stripped) <= LAST_YEAR:
        return int(stripped)
    raise CellError(
        f"found {kind(text)}; allowed: a year from {FIRST_YEAR} to {LAST_YEAR}, or nothing"
    )
