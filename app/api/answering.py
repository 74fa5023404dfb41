"""Answers, encoded once; and the tag by which a client need not be sent what it has."""

import hashlib
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response


def answer(content: Any, status: int = 200) -> Response:
    """Encode an answer, as JSON."""
    return Response(orjson.dumps(content), status, media_type="application/json")


def answer_to(request: Request, content: Any) -> Response:
    """Encode the answer to a request that may be repeated; 304 when the client has it already."""
    body = orjson.dumps(content)
    tag = entity_tag(body)
    headers = {"ETag": tag}
    if knows(",".join(request.headers.getlist("if-none-match")), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def entity_tag(body: bytes) -> str:
    """Return the tag of a body: another one for other bytes."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def knows(if_none_match: str, tag: str) -> bool:
    """Whether a client that sends this header has what the tag is of (RFC 9110, 13.1.2)."""
    if not if_none_match:
        return False
    known = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return tag in known or "*" in known
