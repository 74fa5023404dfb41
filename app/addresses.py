"""Ids in addresses: every id that may be stored can be reached.

Servers decode ``%2F`` before the routes see it, and an id such as ``AC/DC`` would fall apart into
two segments. Here the address is decoded segment by segment instead, and a slash inside a segment
travels as :data:`SLASH`, a control character that no id may hold; :func:`restore` turns it back
where ids are read. A ``HEAD`` request is answered as the ``GET`` it asks about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from app.problems import ProblemError, problem_response
from recommender.data.cells import has_control_character

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

SLASH = "\x1f"
"""Stands for a slash inside a segment."""


def restore(segment: str) -> str:
    r"""Return the segment of an address with its slashes.

    >>> restore("AC\x1fDC")
    'AC/DC'
    """
    return segment.replace(SLASH, "/")


def decode_path(raw: bytes) -> str | None:
    """Return the decoded path, ``None`` when it is no UTF-8 or holds control characters.

    >>> decode_path(b"/v1/movies/AC%2FDC") == f"/v1/movies/AC{SLASH}DC"
    True
    >>> decode_path(b"/v1/movies/%00") is decode_path(b"/v1/movies/%ff") is None
    True
    """
    if b"%" not in raw and raw.isascii():  # as nearly all are
        text = raw.decode()
        return None if has_control_character(text) else text
    segments = []
    for segment in raw.split(b"/"):
        try:
            text = unquote_to_bytes(segment).decode()
        except UnicodeDecodeError:
            return None
        if has_control_character(text):
            return None
        segments.append(text.replace("/", SLASH))
    return "/".join(segments)


class Addresses:
    """Decode the address of each request; pure ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with the problem."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        raw = scope.get("raw_path")
        path = scope["path"] if raw is None else decode_path(raw)
        if path is None or has_control_character(path.replace(SLASH, "")):
            await problem_response(ProblemError("malformed-path"))(scope, receive, send)
            return
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if path == scope["path"] and method == scope["method"]:  # as nearly all are
            await self.app(scope, receive, send)
            return
        inner = {**scope, "path": path, "method": method}
        try:
            await self.app(inner, receive, send)
        finally:
            if "route" in inner:  # the log line names it
                scope["route"] = inner["route"]
