"""The checks at the door: what must never reach the database, and why."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Literal

from app.store.errors import InvalidRecord
from recommender.data import cells

if TYPE_CHECKING:
    from app.store.records import JSON, Movie, User

MAX_RATING = 1e6  # far beyond every scale: only what cannot be stars is refused here
_MAX_INTEGER = 2**63 - 1
UNREACHABLE_IDS = frozenset({".", ".."})
"""Ids that every client and proxy takes out of an address before it is sent."""

RESERVED_MOVIE_IDS = frozenset({"popular"})
"""Ids that would hide behind an address of their own: ``/v1/movies/popular``."""

REFUSED_IDS = {"user_id": UNREACHABLE_IDS, "movie_id": UNREACHABLE_IDS | RESERVED_MOVIE_IDS}
"""What follows :data:`~recommender.data.cells.ID_RULE` and is refused all the same, by field."""

# NUL, and halves of surrogate pairs, which UTF-8 cannot store.
_NOT_IN_TEXT = re.compile("[\x00\ud800-\udfff]")


def check_id(value: object, what: Literal["user_id", "movie_id"]) -> None:
    """Raise ``InvalidRecord`` unless the value can be an id of this kind.

    The rule is that of files, :func:`recommender.data.cells.check_id`; beyond it, what a database
    cannot keep and what no address can name is refused.
    """
    if not isinstance(value, str):
        raise InvalidRecord(f"{what}: a text is needed.")
    try:
        cells.check_id(value)
    except cells.CellError as error:
        raise InvalidRecord(f"{what}: {error}.") from None
    if _NOT_IN_TEXT.search(value):
        raise InvalidRecord(f"{what}: lone surrogates are not allowed.")
    if value in REFUSED_IDS[what]:
        raise InvalidRecord(f"{what}: {refusal(what)}.")


def refusal(what: Literal["user_id", "movie_id"]) -> str:
    """Say which ids are refused that follow the rule for ids."""
    return f"reserved, as no address could name it: {', '.join(sorted(REFUSED_IDS[what]))}"


def check_rating(rating: object, rated_at: object) -> None:
    """Raise ``InvalidRecord`` unless these can be stars and a time in seconds.

    SQLite stores a NaN as NULL, which here would mean "deleted": no constraint of the database
    could see the difference, so this is the place where it is refused.
    """
    if not isinstance(rating, int | float) or isinstance(rating, bool):
        raise InvalidRecord("rating: a number is needed.")
    if not math.isfinite(rating) or abs(rating) > MAX_RATING:
        raise InvalidRecord(f"rating: a finite number within ±{MAX_RATING:g} is needed.")
    check_integer(rated_at, "rated_at")


def check_integer(value: object, what: str) -> None:
    """Raise ``InvalidRecord`` unless the value is an integer of 64 bits."""
    if not isinstance(value, int) or isinstance(value, bool) or not abs(value) <= _MAX_INTEGER:
        raise InvalidRecord(f"{what}: an integer of at most 64 bits is needed.")


def check_text(value: object, what: str) -> None:
    """Raise ``InvalidRecord`` unless the value is a text that every database can keep."""
    if not isinstance(value, str) or not value:
        raise InvalidRecord(f"{what}: a text that is not empty is needed.")
    if _NOT_IN_TEXT.search(value):
        raise InvalidRecord(f"{what}: NUL characters and lone surrogates are not allowed.")


def check_movie(movie: Movie) -> None:
    """Raise ``InvalidRecord`` unless the movie can be stored."""
    check_id(movie.movie_id, "movie_id")
    check_text(movie.title, "title")
    if movie.year is not None:
        check_integer(movie.year, "year")
    for genre in movie.genres:
        check_text(genre, "genres")


def check_user(user: User) -> None:
    """Raise ``InvalidRecord`` unless the user can be stored."""
    check_id(user.user_id, "user_id")


def to_json(value: JSON | tuple[str, ...], what: str) -> str:
    """Return the value as JSON text, ``InvalidRecord`` if it cannot be written as such."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRecord(f"{what}: cannot be written as JSON: {error}.") from error
    if _NOT_IN_TEXT.search(text):
        raise InvalidRecord(f"{what}: lone surrogates are not allowed.")
    return text


def storable(text: str) -> bool:
    """Return whether a database could hold this text at all; if not, nothing is found under it."""
    return not _NOT_IN_TEXT.search(text)
