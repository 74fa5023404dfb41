"""A route that takes a request at its word.

A query parameter that the route does not know is refused and not ignored: who sends ``filter=`` to
a version that has no filters must learn it. A body is JSON in UTF-8 in the narrow sense: no
``NaN``, no key twice, no number beyond a double, no half of a surrogate pair, no byte order mark,
and no deeper than :data:`app.limits.LIMITS` allows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from fastapi import params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from app.limits import KIB, LIMITS
from app.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.datastructures import QueryParams
    from starlette.responses import Response


class StrictRoute(APIRoute):
    """An :class:`~fastapi.routing.APIRoute` with the checks above."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the checks before it."""
        handle = super().get_route_handler()
        taken = get_flat_params(self.dependant)  # those of its dependencies too
        allowed = frozenset(one.alias for one in taken if isinstance(one.field_info, params.Query))
        reads_body = self.body_field is not None

        async def checked(request: Request) -> Response:
            _check_query(request.query_params, allowed)
            if reads_body:
                _check_content_type(request.headers.get("content-type", ""))
                request = StrictRequest(request.scope, request.receive)
            return await handle(request)

        return checked


def _check_query(given: QueryParams, allowed: frozenset[str]) -> None:
    names = [name for name, _ in given.multi_items()]
    if not names:
        return
    listed = ", ".join(sorted(allowed)) or "none"
    if not allowed.issuperset(names):
        message = f"a parameter that this route does not know; allowed: {listed}"
    elif len(set(names)) < len(names):
        message = "a parameter that is given more than once"
    else:
        return
    entry = {"field": "query", "code": "unknown_parameter", "message": message}
    raise ProblemError("invalid-request", errors=[entry])


def _check_content_type(content_type: str) -> None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ProblemError("unsupported-media-type")


AT_ONCE = 64 * KIB
"""A body of more bytes is read in a thread: others are answered meanwhile."""


class StrictRequest(Request):
    """A request whose JSON is read by :func:`parse`."""

    async def json(self) -> Any:
        """Return the parsed body."""
        body = await self.body()
        if len(body) > AT_ONCE:
            return await run_in_threadpool(parse, body)
        return parse(body)


def parse(body: bytes) -> Any:
    """Return the JSON document that the body holds.

    Raises
    ------
    ProblemError
        ``malformed-json``, with the reason and, where there is one, the position.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _malformed(f"Byte {error.start} is not UTF-8.") from None
    if text.startswith("\ufeff"):
        raise _malformed("A byte order mark is not allowed.")
    try:
        document = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _malformed(f"Line {error.lineno}, column {error.colno}: no JSON.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # an integer of thousands of digits: too long for Python to read at all
        raise _malformed("A number has too many digits.") from None
    _check_depth(document)
    if "\\ud" in text.lower():  # the only way in for half of a surrogate pair is its escape
        try:
            json.dumps(document, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise _malformed("Half of a surrogate pair is no character.") from None
    return document


def _malformed(detail: str) -> ProblemError:
    return ProblemError("malformed-json", detail)


def _too_deep() -> ProblemError:
    return _malformed(
        f"Arrays and objects may stand {LIMITS.json_depth} deep within each other, no deeper."
    )


def _refuse_constant(_: str) -> NoReturn:
    raise _malformed("NaN and Infinity are not JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise _malformed("A number is too large for a double.")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise _malformed("An object has the same key twice.")
    return document


def _check_depth(document: Any) -> None:
    """Walk level by level: no recursion that a deep document could exhaust."""
    level = [document] if isinstance(document, list | dict) else []
    for _ in range(LIMITS.json_depth):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, list | dict)
        ]
        if not level:
            return
    raise _too_deep()


_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_unique
)
