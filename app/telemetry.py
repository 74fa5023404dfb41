"""What leaves a trace: request ids, log lines, and the headers that every answer carries.

Log lines are JSON by default, so that no id and no path can forge a line. They never hold the
query, a header or a body, where keys and search words would be.
"""

from __future__ import annotations

import contextvars
import logging
import re
import secrets
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from app.problems import ProblemError, problem_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from app.settings import Settings

request_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("request_id", default=None)
"""The id of the request being answered; ``None`` outside of one."""

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
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_access = logging.getLogger("app.access_log")
_errors = logging.getLogger(__name__)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, request id, and what was added."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        current = request_id.get()
        if current is not None:
            line["request_id"] = current
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class PlainFormatter(logging.Formatter):
    """A line for people; control characters are escaped, so that it stays one line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        text = super().format(record)
        first, *rest = text.split("\n") if record.exc_info else [text]
        fields = getattr(record, "fields", {})
        shown = " ".join(f"{name}={value}" for name, value in fields.items())
        return "\n".join([_escape(f"{first} {shown}".rstrip()), *rest])


def _escape(text: str) -> str:
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def configure_logging(settings: Settings) -> None:
    """Send all log lines of this process to the standard error stream in one format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else PlainFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    # That it starts and stops is said by us; what goes wrong in it is worth a line.
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, root.level))


class Telemetry:
    """The outermost layer: whatever happens inside, the answer is whole and one line is logged.

    An ``X-Request-ID`` of letters, digits, dots, dashes and underscores is taken over; any other
    is replaced, because it goes into logs and headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        identity = _identity(scope)
        status = 0

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _dress(message, identity, scope["path"])
            await send(message)

        token = request_id.set(identity)
        try:
            await self.app(scope, receive, dressed)
        except Exception:
            _errors.exception("unexpected error")
            if status:
                raise  # half an answer is out: only cutting the connection tells that it is half
            await problem_response(ProblemError("internal-error"))(scope, receive, dressed)
        finally:
            _log(scope, status, time.perf_counter() - started)
            request_id.reset(token)


def _identity(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return str(value.decode())
    return secrets.token_hex(8)


def _dress(message: Message, identity: str, path: str) -> None:
    """Add the headers; nothing inside sets any of them but ``Cache-Control``."""
    headers = [*message.get("headers", ()), *_RAW_HEADERS, (b"x-request-id", identity.encode())]
    if path.startswith("/v1/") and not any(name == b"cache-control" for name, _ in headers):
        headers.append((b"cache-control", b"private, no-cache"))
    message["headers"] = headers


def _log(scope: Scope, status: int, seconds: float) -> None:
    client = scope.get("client")
    route = getattr(scope.get("route"), "path", None)
    _access.info(
        "%s %s",
        scope["method"],
        scope["path"],
        extra={
            "fields": {
                "status": status,
                "milliseconds": round(seconds * 1000, 2),
                "route": route,
                "client": client[0] if client else None,
            }
        },
    )
