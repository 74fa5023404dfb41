"""The OpenAPI document: FastAPI's own, with the errors and the key told as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.access import OPEN_PATHS, OPEN_PREFIXES
from app.limits import LIMITS
from app.problems import MEDIA_TYPE, PROBLEMS
from recommender.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

DESCRIPTION = """
Movies recommended by matrix factorization, ratings that count at once, and the reasons.

Errors are `application/problem+json` (RFC 9457); their `type` is an address that explains them.
Ids are strings of 1 to 128 characters without control characters and without a space at either
end; times are RFC 3339 in UTC.
""".strip()

PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457 problem details.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "maxItems": LIMITS.problem_errors,
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "more_errors": {"type": "integer", "description": "How many more there are."},
    },
    "examples": [
        {
            "type": "/problems/invalid-request",
            "title": PROBLEMS["invalid-request"].title,
            "status": 422,
            "detail": PROBLEMS["invalid-request"].detail,
            "errors": [
                {
                    "field": "body.rating",
                    "code": "rating_scale",
                    "message": "allowed: 0.5 to 5 in steps of 0.5",
                }
            ],
        }
    ],
}


CONTINUED = {"/v1/users/{user_id}/recommendations", "/v1/recommendations"}
"""Lists whose cursors end with the generation."""


def install(app: FastAPI) -> None:
    """Let the application describe itself by :func:`describe`, once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation does it


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the document."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.operation_id is None:
            route.operation_id = route.name  # short, and the same in every version
    document = get_openapi(
        title="Projectionist", version=__version__, description=DESCRIPTION, routes=app.routes
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM_SCHEMA
    for model in _models(BaseModel):
        if model.__name__ in schemas and (own := model.model_config.get("json_schema_extra")):
            # As they are: the framework leaves out what is null in them.
            schemas[model.__name__] |= cast("dict[str, Any]", own)
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _tell_errors(operation, path, method)
    return document


def _models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        if model.__module__.startswith("app.api.schemas."):
            yield model
        yield from _models(model)


def _tell_errors(operation: dict[str, Any], path: str, method: str) -> None:
    statuses = {400, 403, 405, 414, 422, 431, 500}
    if "{" in path or method == "delete":
        statuses.add(404)
    if "requestBody" in operation:
        statuses |= {413, 415}
    if path not in OPEN_PATHS and not path.startswith(OPEN_PREFIXES):
        statuses |= {401, 503}
        operation["security"] = [{"key": []}, {}]
    if path == "/v1/models/{generation}":
        statuses.add(409)
    if path == "/v1/users/{user_id}/recommendations":
        statuses.discard(404)  # who is not known gets what is popular
    if path.startswith("/v1/map/"):
        statuses.add(404)
    if path in CONTINUED:
        statuses.add(410)
    if path == "/readyz":
        statuses.add(503)
    for status in sorted(statuses):
        titles = [problem.title for problem in PROBLEMS.values() if problem.status == status]
        operation["responses"][str(status)] = {
            "description": "; ".join(titles) + ".",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
