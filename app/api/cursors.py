"""Cursors: where the next page begins, as a text that clients hand back unread.

A cursor belongs to one list and one search. It is checked, not trusted: whatever a client makes
up is answered with a problem, or at worst with a page from another place of the same list.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

import orjson

from app.limits import LIMITS
from app.problems import ProblemError
from recommender.data.cells import has_control_character


def encode(listed: str, after: str) -> str:
    """Return the cursor that continues a list after the entry with this id.

    Parameters
    ----------
    listed
        Which list, with all that selects its entries: a cursor of another list is refused.
    after
        The id of the last entry of the page.

    Examples
    --------
    >>> decode("movies", encode("movies", "318"))
    '318'
    """
    packed = orjson.dumps([_mark(listed), after])
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode(listed: str, cursor: str | None) -> str | None:
    """Return the id to continue after; ``None`` for the first page.

    Raises
    ------
    ProblemError
        ``invalid-cursor`` when it is none, or one of another list.
    """
    if cursor is None:
        return None
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        mark, after = orjson.loads(packed)
    except (binascii.Error, ValueError, TypeError):
        raise ProblemError("invalid-cursor") from None
    is_id = isinstance(after, str) and 1 <= len(after) <= LIMITS.id_length
    if mark != _mark(listed) or not is_id or has_control_character(after):
        raise ProblemError("invalid-cursor")
    return str(after)


def _mark(listed: str) -> str:
    return hashlib.sha256(listed.encode()).hexdigest()[:8]
