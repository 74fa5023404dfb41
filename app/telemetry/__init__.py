"""What leaves a trace: request ids, log lines, metrics, and the headers that every answer has."""

from app.telemetry.formats import JsonFormatter, PlainFormatter, request_id
from app.telemetry.lines import configure_logging, log_request
from app.telemetry.metrics import RequestCounts, registry_of
from app.telemetry.middleware import ASK_EACH_TIME, SECURITY_HEADERS, Telemetry, identity_of

__all__ = [
    "ASK_EACH_TIME",
    "SECURITY_HEADERS",
    "JsonFormatter",
    "PlainFormatter",
    "RequestCounts",
    "Telemetry",
    "configure_logging",
    "identity_of",
    "log_request",
    "registry_of",
    "request_id",
]
