"""The bar: FastAPI endpoints that do nothing but return one and the same JSON.

Run as ``python -m benchmarks.serving.bare VARIANT --answer FILE --port PORT``. The settings of
uvicorn are those of the service, there is no middleware, and no telemetry of FastAPI's own but in
the variant that says so.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi.telemetry import TelemetryConfig

PLAIN, AS_IT_COMES, NO_PARAMETERS = "dictionary", "as-it-comes", "no-parameters"
ORJSON, READY = "orjson", "ready"

VARIANTS = {
    PLAIN: "FastAPI, fixed dictionary (the bar)",
    AS_IT_COMES: "FastAPI, the same with its own telemetry, as it comes",
    NO_PARAMETERS: "FastAPI, the same without parameters",
    ORJSON: "FastAPI, fixed dictionary by orjson",
    READY: "FastAPI, fixed bytes, no parameters",
}
"""What each variant is called; the first is the bar, as one would write it."""

PATH = "/users/{user_id}/recommendations"
BARE_PATH = "/recommendations"


def create(variant: str, answer: bytes) -> FastAPI:
    """Return the application with its one endpoint."""
    quiet: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
    app = FastAPI() if variant == AS_IT_COMES else FastAPI(telemetry=quiet)
    fixed: dict[str, Any] = json.loads(answer)

    async def dictionary(user_id: str, n: int = 10) -> Any:  # noqa: ARG001
        return fixed

    async def no_parameters() -> Any:
        return fixed

    async def by_orjson(user_id: str, n: int = 10) -> Response:  # noqa: ARG001
        return Response(orjson.dumps(fixed), media_type="application/json")

    async def ready() -> Response:
        return Response(answer, media_type="application/json")

    endpoints: dict[str, tuple[str, Callable[..., Any]]] = {
        PLAIN: (PATH, dictionary),
        AS_IT_COMES: (PATH, dictionary),
        NO_PARAMETERS: (BARE_PATH, no_parameters),
        ORJSON: (PATH, by_orjson),
        READY: (BARE_PATH, ready),
    }
    path, endpoint = endpoints[variant]
    app.get(path)(endpoint)
    return app


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--answer", type=Path, required=True, help="a file with the JSON")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    uvicorn.run(
        create(given.variant, given.answer.read_bytes()),
        host="127.0.0.1",
        port=given.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
    )


if __name__ == "__main__":
    main()
