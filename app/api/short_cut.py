"""A way past the framework for the plainest requests of the route that is asked most.

FastAPI finds the route and resolves every parameter on its own, which takes longer than the list
itself. A request that names a user and at most ``n`` and ``exclude_seen``, as most do, is read
here by one regular expression each; whatever else it may be goes the long way, where it is
understood or refused. Both ways end in the same functions, and a test compares their answers.
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple

import orjson

from app.api import cursors
from app.api.answering import entity_tag, knows
from app.api.wanted import list_name
from app.limits import LIMITS
from app.serving.lists import for_user
from app.serving.wanted import Wanted

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.api.rooms import Rooms
    from app.serving.current import Serving
    from recommender.data.rating_scale import RatingScale

MANY = 100
"""Longer lists are made in a thread, so that nobody else need wait for them."""
MANY_CHANGES = 64
"""So are those of users with more new ratings."""

TAKEN = SimpleNamespace(path="/v1/users/{user_id}/recommendations")
"""The route that is gone past, as the log and the metrics name it."""

_PATH = re.compile(rf"/v1/users/([A-Za-z0-9_-]{{1,{LIMITS.id_length}}})/recommendations")
_QUERY = re.compile(rb"(?:n=([1-9][0-9]{0,2})(?:&(?=e)|$))?(?:exclude_seen=(true|false))?")


class Plain(NamedTuple):
    """A request that needs no more than this."""

    user_id: str
    n: int
    exclude_seen: bool
    if_none_match: str


def read(scope: Scope) -> Plain | None:
    """Return what a request asks for, ``None`` when it has to go the long way."""
    path = _PATH.fullmatch(scope["path"])
    if path is None or scope["method"] != "GET":
        return None
    query = _QUERY.fullmatch(scope["query_string"])
    if query is None:
        return None
    n = int(query[1] or 10)
    if n > MANY:
        return None
    if_none_match = ""
    for name, value in scope["headers"]:
        if name == b"min-version":
            return None
        if name == b"if-none-match":
            if_none_match += f"{value.decode('latin-1')},"
    return Plain(path[1], n, query[2] != b"false", if_none_match)


class ShortCut:
    """Answer plain requests at once, and pass all others on; pure ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        plain = read(scope) if scope["type"] == "http" else None
        if plain is None:
            await self.app(scope, receive, send)
            return
        rooms: Rooms = scope["app"].state.rooms
        if rooms.current.serving is None:
            await self.app(scope, receive, send)
            return
        serving = rooms.current.take()
        if takes_long(serving, plain.user_id):
            await self.app(scope, receive, send)
            return
        scope["route"] = TAKEN  # for the log, and for what is counted
        body = answer(rooms, serving, plain)
        tag = entity_tag(body)
        headers = [(b"etag", tag.encode())]
        status = 200
        if knows(plain.if_none_match, tag):
            status, body = 304, b""
        else:
            headers.append((b"content-length", str(len(body)).encode()))
            headers.append((b"content-type", b"application/json"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def takes_long(serving: Serving, user_id: str) -> bool:
    """Whether it takes long to find out what a user rated since the training."""
    fresh = serving.fresh
    return fresh.n_of_user(user_id) > MANY_CHANGES or fresh.away(user_id)


def answer(rooms: Rooms, serving: Serving, plain: Plain) -> bytes:
    """Return the body, as the long way would."""
    wanted = _wanted(plain.n, plain.exclude_seen, rooms.settings.scale)
    body, following = for_user(serving, plain.user_id, wanted)
    listed = list_name(wanted, f"user {plain.user_id}")
    body["next_cursor"] = cursors.encode_position(listed, serving, following)
    return orjson.dumps(body)


@lru_cache(maxsize=2 * MANY)
def _wanted(n: int, exclude_seen: bool, scale: RatingScale) -> Wanted:
    return Wanted(n, exclude_seen, scale=scale)
