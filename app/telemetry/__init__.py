"""What leaves a trace: request ids, log lines, metrics, and the headers that every answer has."""

from app.telemetry.formats import JsonFormatter, PlainFormatter, request_id
from app.telemetry.lines import configure_logging
from app.telemetry.metrics import RequestCounts, registry_of
from app.telemetry.middleware import SECURITY_HEADERS, Telemetry

__all__ = [
    "SECURITY_HEADERS",
    "JsonFormatter",
    "PlainFormatter",
    "RequestCounts",
    "Telemetry",
    "configure_logging",
    "registry_of",
    "request_id",
]
