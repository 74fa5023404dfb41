"""The checks at the door: what must never reach the database, and why."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

from app.store.errors import InvalidRecord

if TYPE_CHECKING:
    from app.store.records import JSON, Movie, User

MAX_ID_LENGTH = 128
MAX_RATING = 1e6  # far beyond every scale: only what cannot be stars is refused here
_MAX_INTEGER = 2**63 - 1
# Control characters, and halves of surrogate pairs, which UTF-8 cannot store.
_NOT_IN_IDS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_IN_TEXT = re.compile("[\x00\ud800-\udfff]")


def check_id(value: object, what: str) -> None:
    """Raise ``InvalidRecord`` unless the value can be an id; ``what`` names it in the message."""
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_ID_LENGTH:
        raise InvalidRecord(f"{what}: a text of 1 to {MAX_ID_LENGTH} characters is needed.")
    if _NOT_IN_IDS.search(value):
        raise InvalidRecord(f"{what}: control characters and lone surrogates are not allowed.")


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
