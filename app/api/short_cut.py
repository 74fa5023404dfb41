"""A way past the framework for the plainest requests of the route that is asked most.

FastAPI finds the route and resolves every parameter on its own, and before it uvicorn makes a task
for each request: that takes several times as long as the list itself. A request that names a user
and at most ``n`` and ``exclude_seen``, as most do, is read here by one regular expression each and
answered by :mod:`app.receiving` as it comes in. Whatever else it may be goes the long way, where it
is understood or refused. Both ways end in the same functions, and a test compares their answers.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, NamedTuple, cast

import orjson

from app.api import cursors
from app.api.answering import entity_tag, knows
from app.api.wanted import list_name
from app.limits import LIMITS
from app.receiving import Ready
from app.serving.lists import for_user, whose_list
from app.serving.wanted import Wanted
from app.telemetry import ASK_EACH_TIME, SECURITY_HEADERS, identity_of, log_request

if TYPE_CHECKING:
    from starlette.types import Scope
    from uvicorn._types import HTTPScope

    from app.access import Door
    from app.api.rooms import Rooms
    from app.serving.current import Serving
    from app.telemetry import RequestCounts

MANY = 100
"""Longer lists are made in a thread, so that nobody else need wait for them."""
MANY_CHANGES = 64
"""So are those of users with more new ratings."""

ROUTE = "/v1/users/{user_id}/recommendations"
"""The route that is gone past, as the log and the metrics name it."""

_BEFORE, _AFTER = (part.encode() for part in ROUTE.split("{user_id}"))
_ID = re.compile(rb"[A-Za-z0-9_-]{1,%d}" % LIMITS.id_length)
_QUERY = re.compile(rb"(?:n=([1-9][0-9]{0,2})(?:&(?=e)|$))?(?:exclude_seen=(true|false))?")
_MEANING_MORE = frozenset(
    {b"min-version", b"content-length", b"transfer-encoding", b"content-encoding", b"expect"}
    | {b"upgrade"}
)
"""Headers that are for the long way."""

_ALWAYS = b"".join(
    b"%b: %b\r\n" % header
    for header in (
        ASK_EACH_TIME,
        *((name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()),
    )
)
_WANTED: dict[tuple[int, bool], Wanted] = {}
"""What may be asked for: few things, made once each."""

_JSON = b"content-type: application/json\r\n" + _ALWAYS


class Plain(NamedTuple):
    """A request that needs no more than this."""

    user_id: str
    n: int
    exclude_seen: bool
    headers: dict[bytes, bytes]


def read(scope: HTTPScope) -> Plain | None:
    """Return what a request asks for, ``None`` when it has to go the long way."""
    path = scope["raw_path"]
    if not (path.startswith(_BEFORE) and path.endswith(_AFTER)) or scope["method"] != "GET":
        return None
    user_id = path[len(_BEFORE) : -len(_AFTER)]
    if _ID.fullmatch(user_id) is None:
        return None
    n, exclude_seen = 10, True
    if scope["query_string"]:
        query = _QUERY.fullmatch(scope["query_string"])
        if query is None:
            return None
        n, exclude_seen = int(query[1] or 10), query[2] != b"false"
        if n > MANY:
            return None
    given = cast("list[tuple[bytes, bytes]]", scope["headers"])
    headers = dict(given)
    if len(headers) != len(given) or not _MEANING_MORE.isdisjoint(headers):
        return None
    if sum(map(len, headers)) + sum(map(len, headers.values())) > LIMITS.header_bytes:
        return None
    return Plain(user_id.decode(), n, exclude_seen, headers)


class ShortCut:
    """Answers plain requests, and leaves all others alone.

    Parameters
    ----------
    door
        Who may come in.
    requests
        Where requests are counted.

    Attributes
    ----------
    rooms
        The parts of the application while it runs.
    """

    def __init__(self, door: Door, requests: RequestCounts) -> None:
        self.rooms: Rooms | None = None
        self._door = door
        self._requests = requests

    def __call__(self, scope: HTTPScope) -> Ready | None:
        """Return the answer; ``None`` for a request that has to go the long way."""
        rooms = self.rooms
        if rooms is None or rooms.current.serving is None or (plain := read(scope)) is None:
            return None
        started = time.perf_counter()
        asked = cast("Scope", scope)
        if self._door.refusal(asked, plain.headers) is not None:
            return None
        serving = rooms.current.take()
        if takes_long(serving, plain.user_id):
            return None
        try:
            ready, identity = self._answer(rooms, serving, plain)
        except Exception:  # the long way will meet it too, and say what it is
            return None
        seconds = time.perf_counter() - started
        self._requests.observe("GET", ROUTE, ready.status, seconds)
        log_request(asked, identity, ROUTE, ready.status, seconds)
        return ready

    def _answer(self, rooms: Rooms, serving: Serving, plain: Plain) -> tuple[Ready, str]:
        body = answer(rooms, serving, plain)
        tag = entity_tag(body)
        given = plain.headers.get(b"x-request-id")
        identity = identity_of(() if given is None else [(b"x-request-id", given)])
        named = b"etag: %b\r\nx-request-id: %b\r\n" % (tag.encode(), identity.encode())
        if_none_match = plain.headers.get(b"if-none-match")
        if if_none_match is not None and knows(if_none_match.decode("latin-1"), tag):
            return Ready(304, named + _ALWAYS, b""), identity
        return Ready(200, b"%bcontent-length: %d\r\n%b" % (named, len(body), _JSON), body), identity


def takes_long(serving: Serving, user_id: str) -> bool:
    """Whether it takes long to find out what a user rated since the training."""
    fresh = serving.fresh
    return fresh.n_of_user(user_id) > MANY_CHANGES or fresh.away(user_id)


def answer(rooms: Rooms, serving: Serving, plain: Plain) -> bytes:
    """Return the body, as the long way would."""
    wanted = _WANTED.get((plain.n, plain.exclude_seen))
    if wanted is None or wanted.scale is not rooms.settings.scale:
        wanted = Wanted(plain.n, plain.exclude_seen, scale=rooms.settings.scale)
        _WANTED[plain.n, plain.exclude_seen] = wanted
    body, following = for_user(serving, plain.user_id, wanted)
    listed = list_name(wanted, whose_list(serving, plain.user_id))
    body["next_cursor"] = cursors.encode_position(listed, serving, following)
    return orjson.dumps(body)
