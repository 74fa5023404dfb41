"""The outermost layer of the application.

It must cost few microseconds, since it stands before every answer: what is the same for all
requests is made once, and nothing here awaits anything but the application.
"""

from __future__ import annotations

import logging
import random
import re
import time
from typing import TYPE_CHECKING

from app.problems import ProblemError, problem_response
from app.telemetry.formats import request_id
from app.telemetry.lines import log_request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from app.telemetry.metrics import RequestCounts

SECURITY_HEADERS: dict[str, str] = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""On every answer, errors included."""

_RAW_HEADERS = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
ASK_EACH_TIME = (b"cache-control", b"private, no-cache")
"""On every answer under ``/v1/`` that says nothing else of it."""
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_errors = logging.getLogger("app.telemetry")


class Telemetry:
    """Whatever happens inside: the answer is whole, it is counted, and one line is logged.

    An ``X-Request-ID`` of letters, digits, dots, dashes and underscores is taken over; any other
    is replaced, because it goes into logs and headers.

    Parameters
    ----------
    app
        What answers.
    requests
        Where requests are counted.
    """

    def __init__(self, app: ASGIApp, requests: RequestCounts) -> None:
        self.app = app
        self.requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        identity = identity_of(scope["headers"])
        status = 0

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _dress(message, identity, scope["path"])
            await send(message)

        token = request_id.set(identity)
        self.requests.in_flight += 1
        try:
            await self.app(scope, receive, dressed)
        except Exception:
            _errors.exception("unexpected error")
            if status:
                raise  # half an answer is out: only cutting the connection tells that it is half
            await problem_response(ProblemError("internal-error"))(scope, receive, dressed)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", None)
            self.requests.in_flight -= 1
            self.requests.observe(scope["method"], route, status, seconds)
            log_request(scope, identity, route, status, seconds)
            request_id.reset(token)


def identity_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the id of a request: the one that it brings, if it may have it, or a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value.decode()
    return f"{random.getrandbits(64):016x}"  # unlike anybody's, not secret


def _dress(message: Message, identity: str, path: str) -> None:
    """Add the headers; nothing inside sets any of them but ``Cache-Control``."""
    given = message.get("headers", ())
    headers = [*given, *_RAW_HEADERS, (b"x-request-id", identity.encode())]
    if path.startswith("/v1/"):
        for name, _ in given:
            if name == b"cache-control":
                break
        else:
            headers.append(ASK_EACH_TIME)
    message["headers"] = headers
