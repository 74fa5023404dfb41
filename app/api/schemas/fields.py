"""The kinds of fields that bodies, paths and queries are made of.

Nothing here converts: a number is a number, not a text that looks like one and not ``true``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import Path, Query
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.addresses import restore
from app.limits import LIMITS
from app.serving.neighbours import Popularity
from app.store.validation import RESERVED_MOVIE_IDS, UNREACHABLE_IDS
from recommender.data.cells import CONTROL_CHARACTERS
from recommender.data.rating_scale import RatingScale
from recommender.models.nearness import Nearness

NO_CONTROL = CONTROL_CHARACTERS.replace("[", "^[^") + "+$"
"""The pattern of a text without control characters."""

_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z: later ones have no RFC 3339 form


class Schema(BaseModel):
    """A body: strict types, no unknown fields."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_fields_only(cls, given: Any) -> Any:
        # Before pydantic's own check, whose error would carry the client's name for the field.
        if isinstance(given, dict) and not cls.model_fields.keys() >= given.keys():
            raise PydanticCustomError(
                "unknown_field",
                "a field that is not known here; allowed: {allowed}",
                {"allowed": ", ".join(cls.model_fields)},
            )
        return given


class Answer(BaseModel):
    """An answer: documented, and checked by the tests against what is really sent."""

    model_config = ConfigDict(extra="forbid")


def _reachable(value: str) -> str:
    if value != value.strip():
        raise PydanticCustomError("id_space", "no space at either end is allowed")
    if value in UNREACHABLE_IDS:
        raise PydanticCustomError("id_unreachable", "'.' and '..' cannot stand in an address")
    return value


def _not_reserved(value: str) -> str:
    if value in RESERVED_MOVIE_IDS:
        raise PydanticCustomError(
            "id_reserved",
            "reserved: an address of its own has this name ({names})",
            {"names": ", ".join(sorted(RESERVED_MOVIE_IDS))},
        )
    return value


_Id = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LIMITS.id_length, pattern=NO_CONTROL),
    AfterValidator(_reachable),
]
UserId = Annotated[_Id, Field(description="The user's id.", examples=["42"])]
MovieId = Annotated[
    _Id, AfterValidator(_not_reserved), Field(description="The movie's id.", examples=["318"])
]
UserIdPath = Annotated[
    str,
    Path(description="The user's id; percent-encode what is special in an address."),
    BeforeValidator(restore),
    StringConstraints(min_length=1, max_length=LIMITS.id_length, pattern=NO_CONTROL),
    AfterValidator(_reachable),
]
MovieIdPath = Annotated[
    str,
    Path(description="The movie's id; percent-encode what is special in an address."),
    BeforeValidator(restore),
    StringConstraints(min_length=1, max_length=LIMITS.id_length, pattern=NO_CONTROL),
    AfterValidator(_reachable),
    AfterValidator(_not_reserved),
]
MovieIdText = Annotated[
    MovieId | None, Query(description="A movie that is asked about in particular.")
]


def _digits(value: object) -> object:
    # int() would also take "1_0", " 10" and "+10".
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,19}", value, re.ASCII):
        raise PydanticCustomError("int_parsing", "a whole number in digits is needed")
    return value


Whole = BeforeValidator(_digits)
"""Makes a parameter a whole number in plain digits."""

Count = Annotated[
    int,
    Query(ge=1, le=LIMITS.n, description="How many movies; fewer come when fewer are left."),
    Whole,
]
FILTER_HELP = (
    "Which movies the list may hold, such as "
    '`year >= 1990 and "Comedy" in genres and not "Horror" in genres`.'
)
FilterText = Annotated[str | None, Query(max_length=LIMITS.filter_length, description=FILTER_HELP)]
CursorField = Annotated[
    str | None,
    Field(
        max_length=LIMITS.cursor_length,
        description="next_cursor of the page before; the first page when left out.",
    ),
]
Weight = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
DIVERSITY_HELP = (
    "How much it counts, from 0 to 1, that a movie is unlike those before it in the list."
)
NOVELTY_HELP = "How much it counts, from 0 to 1, that few people know a movie."
CALIBRATION_HELP = (
    "How much it counts, from 0 to 1, that the list has the user's genres, each to its part."
)
FIELDS_HELP = "What is told of each movie, beside `movie_id`; all but `attributes` when left out."
FieldsText = Annotated[
    str | None, Query(max_length=200, description=FIELDS_HELP, examples=["title,score"])
]
By = Annotated[
    Nearness,
    Query(
        description="What near means: `cosine`, which way embeddings point, or `dot`, their dot "
        "product, which movies that many have rated have more of."
    ),
]
UserCount = Annotated[
    int,
    Query(ge=1, le=LIMITS.n, description="How many users; fewer come when fewer are left."),
    Whole,
]
ByOfUsers = Annotated[
    Nearness,
    Query(
        description="What near means: `cosine`, which way embeddings point, or `dot`, their dot "
        "product, which users of strong tastes have more of."
    ),
]
ByPopularity = Annotated[
    Popularity,
    Query(
        description="What popular means: `count`, all ratings alike, or `trend`, each half as much "
        "for every month that has passed since."
    ),
]
PageSize = Annotated[
    int, Query(ge=1, le=LIMITS.page, description="How many entries a page has at most."), Whole
]
GenerationPath = Annotated[
    int, Path(ge=1, le=10**9, description="The number of a generation."), Whole
]
ReceiptPath = Annotated[
    str,
    Path(
        min_length=32,
        max_length=32,
        pattern="^[0-9a-f]+$",
        description="What DELETE /v1/users/{user_id} gave.",
    ),
]
SearchText = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=LIMITS.search_length,
        pattern=NO_CONTROL,
        description="Finds what matches this text; all when left out.",
    ),
]
CursorText = Annotated[
    str | None,
    Query(
        max_length=LIMITS.cursor_length,
        description="next_cursor of the page before; the first page when left out.",
    ),
]


def _no_bool(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("float_type", "a number is needed")
    if isinstance(value, int) and abs(value) > 1e9:  # beyond 2^1024 it would not fit a double
        raise PydanticCustomError("number_too_large", "a number is too large")
    return float(value)


Stars = Annotated[
    float,
    BeforeValidator(_no_bool),
    Field(
        allow_inf_nan=False,
        description=f"{RatingScale()}, unless the server is set to another scale.",
        examples=[4.5],
    ),
]


def parse_time(value: object) -> int:
    """Return the seconds since 1970 of an RFC 3339 time.

    >>> parse_time("1970-01-02T01:00:00+01:00")
    86400
    """
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise PydanticCustomError(
            "time_format", "an RFC 3339 time with a zone is needed, as 2026-11-23T10:00:00Z"
        )
    try:
        seconds = int(datetime.fromisoformat(value.upper()).timestamp())
    except (ValueError, OverflowError):
        raise PydanticCustomError("time_format", "there is no such day or time") from None
    if seconds < 0:
        raise PydanticCustomError("time_range", "a time from 1970 on is needed")
    return seconds


def format_time(seconds: int) -> str:
    """Return seconds since 1970 as an RFC 3339 time in UTC.

    >>> format_time(86400)
    '1970-01-02T00:00:00Z'
    """
    within = min(max(seconds, 0), _LAST_SECOND)
    return datetime.fromtimestamp(within, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Time = Annotated[
    int,
    BeforeValidator(parse_time),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def check_attributes(value: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes when they can be stored and sent again; never name the client's key."""
    if len(value) > LIMITS.attributes:
        raise PydanticCustomError(
            "too_many", "at most {limit} are allowed", {"limit": LIMITS.attributes}
        )
    if any(not 1 <= len(name) <= LIMITS.attribute_name_length for name in value):
        raise PydanticCustomError(
            "name_length",
            "a name has 1 to {limit} characters",
            {"limit": LIMITS.attribute_name_length},
        )
    try:
        encoded = orjson.dumps(value)
    except TypeError:  # an integer beyond 64 bits
        raise PydanticCustomError("number_too_large", "a number is too large") from None
    if len(encoded) > LIMITS.attributes_bytes:
        raise PydanticCustomError(
            "too_large", "at most {limit} bytes in all", {"limit": LIMITS.attributes_bytes}
        )
    if b"\\u0000" in encoded:
        raise PydanticCustomError("nul", "NUL characters are not allowed")
    return value


Attributes = Annotated[
    dict[str, Any],
    AfterValidator(check_attributes),
    Field(description="Whatever else is to be kept, as JSON.", examples=[{"director": "…"}]),
]
