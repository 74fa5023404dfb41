"""Where errors become answers: one handler for each family, all telling :mod:`app.problems`."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.problems import ProblemError, field_path, problem_response, translate
from app.store import errors as store
from recommender import errors as core

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ExceptionHandler, Scope

logger = logging.getLogger(__name__)

_BY_STATUS = {401: "unauthorized", 404: "not-found", 405: "method-not-allowed"}


def install(app: FastAPI) -> None:
    """Let every error of a route be answered as a problem."""

    async def on_error(_: Request, error: Exception) -> Response:
        problem = translate(error)
        if problem.problem.status >= 500:
            logger.error("%s", problem.problem.title, exc_info=error)
        return problem_response(problem)

    async def on_validation(_: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        return problem_response(ProblemError("invalid-request", errors=list(_entries(found))))

    async def on_http(request: Request, error: Exception) -> Response:
        if isinstance(error, ProblemError):
            return problem_response(error)
        return problem_response(_from_http(error, request.scope, app))

    handlers: dict[type[Exception], ExceptionHandler] = {
        RequestValidationError: on_validation,
        HTTPException: on_http,
        core.RecommenderError: on_error,
        store.StoreError: on_error,
    }
    for family, handler in handlers.items():
        app.add_exception_handler(family, handler)


def _from_http(error: Exception, scope: Scope, app: FastAPI) -> ProblemError:
    """Tell what the framework says: no such address, no such method, an unreadable body."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        # The framework names the methods of the first route at this address; there may be more.
        methods = {
            method
            for route in app.routes
            if route.matches(scope)[0] is not Match.NONE
            for method in getattr(route, "methods", None) or ()
        }
        return ProblemError("method-not-allowed", headers={"Allow": ", ".join(sorted(methods))})
    if status in _BY_STATUS:
        return ProblemError(_BY_STATUS[status])
    if status == 400:
        return ProblemError("malformed-json")
    if 400 < status < 500:
        return ProblemError("invalid-request", HTTPStatus(status).phrase)
    return ProblemError("internal-error")


def _entries(found: Iterable[Any]) -> Iterable[dict[str, str]]:
    for error in found:
        yield {
            "field": field_path(error["loc"]),
            "code": str(error["type"])[:60],
            "message": str(error["msg"]).removeprefix("Value error, ")[:160],
        }
