"""Cursors: where the next page begins, as a text that clients hand back unread.

A cursor belongs to one list and one search, and carries a checksum over both: one that was made
up or altered, or is of another list, is answered with a problem. It opens no door that its list
does not open, so that it needs no secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
import orjson

from app.limits import LIMITS
from app.problems import ProblemError
from app.serving.wanted import Position
from recommender.data.cells import has_control_character

if TYPE_CHECKING:
    from app.serving.current import Serving

_FOR_URLS = bytes.maketrans(b"+/", b"-_")
_CHECK = 8
"""Bytes of the checksum that a cursor begins with."""
_PLACE = struct.Struct("<I4sBIfH")
"""Generation, a hash of when it was trained, flags, fresh ratings, and of the last movie its score
and how long its id is; the id follows, and the vector where there is one."""
_POPULAR, _OWN_VECTOR = 1, 2
"""A list that is the same for all; a list with a vector of its own."""


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
    return _seal(listed, orjson.dumps(after))


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
        after = orjson.loads(_unseal(listed, cursor))
    except ValueError:
        raise ProblemError("invalid-cursor") from None
    is_id = isinstance(after, str) and 1 <= len(after) <= LIMITS.id_length
    if not is_id or has_control_character(after):
        raise ProblemError("invalid-cursor")
    return str(after)


def encode_position(listed: str, serving: Serving, position: Position | None) -> str | None:
    """Return the cursor that continues a list of recommendations; ``None`` when it is at its end.

    It names the generation, the place in the order of scores and, for a list that was begun with
    a vector of its own, that vector: so that the pages are of one list, whatever is rated between.
    """
    if position is None:
        return None
    kinds = _POPULAR * position.popular + _OWN_VECTOR * (position.vector is not None)
    movie = position.movie_id.encode()
    generation = serving.number, _birth(serving)
    place = _PLACE.pack(*generation, kinds, position.fresh, position.score, len(movie))
    vector = b"" if position.vector is None else position.vector.astype("<f4").tobytes()
    return _seal(listed, place + movie + vector)


def decode_position(listed: str, serving: Serving, cursor: str | None) -> Position | None:
    """Return where to continue a list of recommendations; ``None`` for the first page.

    Raises
    ------
    ProblemError
        ``invalid-cursor`` when it is none, or one of another list; ``expired-cursor`` when its
        list was begun with another generation.
    """
    if cursor is None:
        return None
    payload = _unseal(listed, cursor)
    try:
        number, birth, kinds, fresh, score, length = _PLACE.unpack_from(payload)
        end = _PLACE.size + length
        movie_id = payload[_PLACE.size : end].decode()
    except (struct.error, UnicodeDecodeError):
        raise ProblemError("invalid-cursor") from None
    if (number, birth) != (serving.number, _birth(serving)):
        raise ProblemError("expired-cursor")
    rest = payload[end:]
    wide = 4 * serving.generation.ranking.n_factors if kinds & _OWN_VECTOR else 0
    if len(payload) != end + wide or not isfinite(score) or kinds > _OWN_VECTOR:
        raise ProblemError("invalid-cursor")
    vector = np.frombuffer(rest, "<f4").astype(np.float32) if wide else None
    if vector is not None and not np.isfinite(vector).all():
        raise ProblemError("invalid-cursor")
    return Position(score, movie_id, vector, bool(kinds & _POPULAR), fresh)


def _birth(serving: Serving) -> bytes:
    """Tell generations of one number apart: of another directory, or of one that was put back."""
    return _hash_of(serving.generation.manifest.trained_at)


@lru_cache(maxsize=8)
def _hash_of(trained_at: str) -> bytes:
    return hashlib.blake2b(trained_at.encode(), digest_size=4).digest()


def _seal(listed: str, payload: bytes) -> str:
    packed = _check(listed, payload) + payload
    return binascii.b2a_base64(packed, newline=False).translate(_FOR_URLS, b"=").decode()


def _unseal(listed: str, cursor: str) -> bytes:
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ProblemError("invalid-cursor") from None
    check, payload = packed[:_CHECK], packed[_CHECK:]
    if check != _check(listed, payload) or _seal(listed, payload) != cursor:
        raise ProblemError("invalid-cursor")
    return payload


def _check(listed: str, payload: bytes) -> bytes:
    named = f"{len(listed)} {listed}".encode()
    return hashlib.blake2b(named + payload, digest_size=_CHECK).digest()
