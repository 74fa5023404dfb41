"""How a log line looks: JSON by default, so that no id and no path can forge a line.

Lines never hold the query, a header or a body, where keys and search words would be.
"""

from __future__ import annotations

import contextvars
import logging
from datetime import UTC, datetime
from typing import Any

import orjson

request_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("request_id", default=None)
"""The id of the request being answered; ``None`` outside of one."""


class Stamp:
    """Writes times as RFC 3339 in UTC with milliseconds; what lasts a second is written once.

    >>> Stamp()(1_795_428_000.0625)
    '2026-11-23T10:00:00.062+00:00'
    """

    def __init__(self) -> None:
        self._last = (-1, "")  # replaced as a whole: threads may share it

    def __call__(self, seconds: float) -> str:
        """Return the text of a time in seconds since 1970."""
        second, milli = divmod(int(seconds * 1000), 1000)
        last, text = self._last
        if last != second:
            text = datetime.fromtimestamp(second, UTC).isoformat()[:-6]
            self._last = (second, text)
        return f"{text}.{milli:03}+00:00"


stamp = Stamp()


def encode(line: dict[str, Any]) -> bytes:
    """Return a line with its end, as JSON in UTF-8, whatever it holds."""
    try:
        return orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # half of a surrogate pair in a text: no UTF-8 has it
        valid = {name: _valid(value) for name, value in line.items()}
        return orjson.dumps(valid, default=str, option=orjson.OPT_APPEND_NEWLINE)


def _valid(value: object) -> object:
    plain = value is None or isinstance(value, int | float)
    return value if plain else str(value).encode(errors="backslashreplace").decode()


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, request id, and what was added."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": stamp(record.created),
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
        return encode(line)[:-1].decode()


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
