"""The gate that refuses what is too large before anyone reads it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from app.limits import LIMITS, MIB
from app.problems import ProblemError, problem_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

DRAIN_BYTES = 16 * MIB
DRAIN_SECONDS = 3.0


_BULK = frozenset({"/v1/ratings", "/v1/recommendations/batch"})
"""Routes that take many rows at once."""


def body_limit(method: str, path: str) -> int:
    """Return how many bytes the body of a request may have."""
    if method == "POST" and path == "/v1/imports":
        return LIMITS.import_bytes
    if method == "POST" and path in _BULK:
        return LIMITS.bulk_body_bytes
    return LIMITS.body_bytes


class SizeGate:
    """Refuse a request whose address, headers or body are too large, or whose body is packed.

    A body is counted as it arrives, so that one sent in chunks, or longer than it says, is
    refused at the limit and not after it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with the problem."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = body_limit(scope["method"], scope["path"])
        refusal = _refusal(scope, limit)
        if refusal is not None:
            await _drain(receive)
            await problem_response(refusal)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    await _drain(receive)
                    raise _too_large(limit)
            return message

        await self.app(scope, counted, send)


def _refusal(scope: Scope, limit: int) -> ProblemError | None:
    path = scope.get("raw_path") or scope["path"].encode(errors="replace")
    if len(path) + len(scope.get("query_string", b"")) > LIMITS.url_bytes:
        return ProblemError("url-too-long", f"At most {LIMITS.url_bytes} bytes are allowed.")
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    if sum(len(name) + len(value) for name, value in headers) > LIMITS.header_bytes:
        return ProblemError("headers-too-large", f"At most {LIMITS.header_bytes} bytes in all.")
    for name, value in headers:
        if name == b"content-length" and (not value.isdigit() or int(value[:20]) > limit):
            return _too_large(limit)
        if name == b"content-encoding" and value.lower() != b"identity":
            return ProblemError("unsupported-media-type", "Send the body without compression.")
    return None


async def _drain(receive: Receive) -> None:
    """Let the rest of a body run off, within bounds.

    A client that is still sending when the connection ends sees that it broke, and not the answer.
    """
    left = DRAIN_BYTES
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def _too_large(limit: int) -> ProblemError:
    return ProblemError(
        "body-too-large",
        f"This route takes bodies of at most {limit} bytes.",
        # What may be left of the body is not worth reading: the connection ends here.
        headers={"Connection": "close"},
    )
