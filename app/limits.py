"""One table of limits, and the gate that refuses what is too large before anyone reads it.

Whatever a client can make grow has an upper bound, and each stands here: validation, the
OpenAPI document, the documentation and the tests read the same names.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.problems import ProblemError, problem_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

KIB = 1024
MIB = 1024 * KIB


DRAIN_BYTES = 16 * MIB
DRAIN_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The upper bounds of one server; see :data:`LIMITS_HELP` for what each one bounds."""

    n: int = 500
    page: int = 500
    id_length: int = 128
    body_bytes: int = MIB
    bulk_body_bytes: int = 8 * MIB
    bulk_rows: int = 10_000
    anonymous_ratings: int = 1_000
    json_depth: int = 16
    title_length: int = 300
    genres: int = 50
    genre_length: int = 60
    attributes: int = 50
    attribute_name_length: int = 60
    attributes_bytes: int = 16 * KIB
    search_length: int = 200
    cursor_length: int = 1_000
    url_bytes: int = 8 * KIB
    header_bytes: int = 32 * KIB
    clock_skew_seconds: int = 60
    problem_errors: int = 20
    problem_bytes: int = 4 * KIB


LIMITS = Limits()

LIMITS_HELP: dict[str, str] = {
    "n": "movies in one list of recommendations, neighbours or popular movies",
    "page": "entries on one page of a list",
    "id_length": "characters of a user or movie id",
    "body_bytes": "bytes of a request body",
    "bulk_body_bytes": "bytes of the body of POST /v1/ratings",
    "bulk_rows": "rows of POST /v1/ratings",
    "anonymous_ratings": "ratings in POST /v1/recommendations",
    "json_depth": "arrays and objects within each other in a request body",
    "title_length": "characters of a movie's title",
    "genres": "genres of a movie",
    "genre_length": "characters of a genre",
    "attributes": "attributes of a movie or user",
    "attribute_name_length": "characters of an attribute's name",
    "attributes_bytes": "bytes of all attributes of a movie or user, as JSON",
    "search_length": "characters of q",
    "cursor_length": "characters of cursor",
    "url_bytes": "bytes of the path and the query together",
    "header_bytes": "bytes of all request headers together",
    "clock_skew_seconds": "seconds that rated_at may lie in the future",
    "problem_errors": "entries of errors in a problem",
    "problem_bytes": "bytes of a problem",
}


def body_limit(method: str, path: str) -> int:
    """Return how many bytes the body of a request may have."""
    if method == "POST" and path == "/v1/ratings":
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
