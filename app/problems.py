"""One table of everything that can go wrong, and how each is told: RFC 9457 problem details.

The core and the store raise their own errors and know nothing of HTTP; :data:`PROBLEMS` gives
each a status, a type and a title. What a client sent is never echoed: not in a message, not as
the name of a field, so that an answer stays small and a log or a page cannot be written through
it. Nor is the text of an error of ours, which may name files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.limits import LIMITS
from app.store import errors as store
from recommender import errors as core

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem.

    Attributes
    ----------
    name
        Its type is the relative address ``/problems/NAME``.
    status
        The HTTP status.
    title
        The same words for every occurrence.
    detail
        What is said when the occurrence has nothing of its own to say.
    errors
        The errors of the core and the store that are told as this.
    retry_after
        For what passes: after how many seconds to try again.
    """

    name: str
    status: int
    title: str
    detail: str
    errors: tuple[type[Exception], ...] = ()
    retry_after: int | None = None


PROBLEMS: dict[str, ProblemType] = {
    problem.name: problem
    for problem in (
        ProblemType(
            "invalid-request",
            422,
            "The request is not valid",
            "See errors: each names a field and what is allowed there.",
            (core.InvalidInputError, store.InvalidRecord),
        ),
        ProblemType(
            "malformed-json",
            400,
            "The body is not JSON",
            "Send one JSON document in UTF-8.",
        ),
        ProblemType(
            "malformed-http", 400, "This is not HTTP", "Send a request of HTTP/1.1 or 1.0."
        ),
        ProblemType(
            "request-timeout", 408, "The request took too long to arrive", "Send it in one go."
        ),
        ProblemType(
            "malformed-path",
            400,
            "The address is not valid",
            "A path must be percent-encoded UTF-8 without control characters.",
        ),
        ProblemType(
            "invalid-cursor",
            422,
            "The cursor is not valid",
            "Send next_cursor of the page before, with the other parameters unchanged, or none.",
        ),
        ProblemType(
            "expired-cursor",
            410,
            "The list of this cursor has ended",
            "Another model is served now, which orders movies anew. Begin again without a cursor.",
        ),
        ProblemType(
            "unauthorized",
            401,
            "A key is needed",
            "Send the header Authorization: Bearer KEY.",
        ),
        ProblemType(
            "forbidden-host",
            403,
            "This host name is not served here",
            "Without a key this server answers to loopback names only; others are allowed by "
            "PROJECTIONIST_ALLOWED_HOSTS.",
        ),
        ProblemType(
            "cross-site-request",
            403,
            "Another site may not change anything here",
            "The browser says that this request comes from another origin.",
        ),
        ProblemType("not-found", 404, "There is nothing here", "See /docs for the addresses."),
        ProblemType(
            "unknown-user",
            404,
            "The user is not known",
            "A user is known from the first rating on.",
            (core.UnknownUserError,),
        ),
        ProblemType(
            "unknown-movie",
            404,
            "The movie is not in the catalogue",
            "Add it with PUT /v1/movies/{movie_id}.",
            (core.UnknownItemError, store.MovieNotFound),
        ),
        ProblemType(
            "unknown-rating",
            404,
            "There is no such rating",
            "This user has not rated this movie, or the rating was deleted.",
        ),
        ProblemType(
            "unknown-receipt",
            404,
            "There is no such receipt",
            "DELETE /v1/users/{user_id} gives one.",
        ),
        ProblemType(
            "unknown-model",
            404,
            "There is no such model",
            "GET /v1/models lists the generations that are there.",
            (core.GenerationNotFoundError,),
        ),
        ProblemType(
            "refused-model",
            409,
            "The gate refused this model",
            "GET /v1/models/{generation} says why. With force=true it is served all the same.",
        ),
        ProblemType(
            "training-running",
            409,
            "A training is running",
            "One runs at a time. The header Location says where to follow it.",
        ),
        ProblemType(
            "unknown-training",
            404,
            "There is no such training",
            "GET /v1/trainings lists those that are remembered.",
        ),
        ProblemType(
            "training-unavailable",
            503,
            "No training can be started",
            "The log says why; a full disk, for example. The model that serves goes on.",
            retry_after=60,
        ),
        ProblemType(
            "unknown-import",
            404,
            "There is no such import",
            "GET /v1/imports lists the newest ones.",
        ),
        ProblemType(
            "too-many-imports",
            429,
            "Too many imports are waiting",
            "Send the file again when some have ended; GET /v1/imports lists them.",
            retry_after=10,
        ),
        ProblemType(
            "unreadable-model",
            409,
            "This model cannot be read",
            "GET /v1/models says why. Train another, or put the files back.",
            (core.DamagedGenerationError, core.IncompatibleGenerationError),
        ),
        ProblemType(
            "idempotency-key-reused",
            422,
            "This Idempotency-Key came with another body",
            "Send the same body again, or a key of its own for each.",
            (store.KeyReused,),
        ),
        ProblemType(
            "method-not-allowed",
            405,
            "This method is not allowed here",
            "The header Allow lists those that are.",
        ),
        ProblemType(
            "body-too-large", 413, "The body is too large", "Send less, or in several calls."
        ),
        ProblemType("url-too-long", 414, "The address is too long", "Send a shorter one."),
        ProblemType(
            "unsupported-media-type",
            415,
            "The body has a type that is not read here",
            "Send the header Content-Type: application/json.",
        ),
        ProblemType("headers-too-large", 431, "The headers are too large", "Send fewer."),
        ProblemType(
            "internal-error",
            500,
            "Something went wrong here",
            "It is not your fault. The log has the reason beside the request id.",
        ),
        ProblemType(
            "no-model",
            503,
            "No model is loaded",
            "Train one with 'projectionist train'; /readyz says why there is none.",
            (core.GenerationError,),
            retry_after=10,
        ),
        ProblemType(
            "version-not-reached",
            503,
            "That version is not stored here yet",
            "The header Min-Version names a version that is newer than all that is stored here.",
            retry_after=1,
        ),
        ProblemType(
            "store-unavailable",
            503,
            "The database does not answer",
            "Nothing was stored. Try again in a moment.",
            (store.StoreError,),
            retry_after=1,
        ),
    )
}
"""Every problem there is, by name."""

_BY_ERROR = {error: problem for problem in PROBLEMS.values() for error in problem.errors}


class ProblemError(HTTPException):
    """Raised by a route to answer with a problem.

    Parameters
    ----------
    name
        A key of :data:`PROBLEMS`.
    detail
        What is particular to this occurrence, in our words only.
    errors
        Entries of ``field``, ``code`` and ``message``.
    headers
        Further headers of the answer.
    """

    def __init__(
        self,
        name: str,
        detail: str | None = None,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.problem = PROBLEMS[name]
        self.errors = errors
        told = dict(headers or {})
        if self.problem.retry_after is not None:
            told.setdefault("Retry-After", str(self.problem.retry_after))
        super().__init__(self.problem.status, detail or self.problem.detail, told or None)


def invalid(field: str, code: str, message: str) -> ProblemError:
    """Return the problem of one field: ``body.rating``, ``path.movie_id``, ``query.n``."""
    return ProblemError(
        "invalid-request", errors=[{"field": field, "code": code, "message": message}]
    )


def problem_response(error: ProblemError) -> Response:
    """Return the answer that tells a problem."""
    problem = error.problem
    body: dict[str, Any] = {
        "type": f"/problems/{problem.name}",
        "title": problem.title,
        "status": problem.status,
        "detail": error.detail,
    }
    entries = [dict(entry) for entry in error.errors]
    kept = entries[: LIMITS.problem_errors]
    content = _encode(body, kept, len(entries))
    while len(content) > LIMITS.problem_bytes and kept:
        kept.pop()
        content = _encode(body, kept, len(entries))
    return Response(content, problem.status, error.headers, MEDIA_TYPE)


def _encode(body: dict[str, Any], kept: list[dict[str, str]], found: int) -> bytes:
    if not found:
        return orjson.dumps(body)
    more = {"more_errors": found - len(kept)} if found > len(kept) else {}
    return orjson.dumps({**body, "errors": kept, **more})


def translate(error: Exception) -> ProblemError:
    """Return the problem that an error is told as; ``internal-error`` when the table has none."""
    if isinstance(error, ProblemError):
        return error
    for family in type(error).__mro__:
        if family in _BY_ERROR:
            return ProblemError(_BY_ERROR[family].name)
    return ProblemError("internal-error")


def field_path(location: Sequence[int | str]) -> str:
    """Join a location as ``body.ratings[0].rating``.

    The names are those of our own schemas, whose checks never put a name of the client's into a
    location; one that could not be ours is left out all the same.
    """
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part.replace("-", "_").isidentifier() and part.isascii() and len(part) <= 40:
            path += f".{part}" if path else part
    return path[:120]
