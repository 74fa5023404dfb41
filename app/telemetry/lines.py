"""Where log lines go: to the standard error stream, each whole, in order and at once.

Python's own handler costs more than all else that is done for a request beside its answer. So
every line goes through :class:`LineHandler`, which writes it past the buffers of the stream, and
the line of a request is made by :func:`log_request` without a log record, as long as nobody else
listens.
"""

from __future__ import annotations

import logging
import sys
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TextIO

import orjson

from app.telemetry.formats import JsonFormatter, PlainFormatter, request_id, stamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope

    from app.settings import Settings

_root = logging.getLogger()
_access = logging.getLogger("app.access_log")


class LineHandler(logging.Handler):
    """Writes each line in one piece; a stream that takes no more never fails who logs.

    What a closed stream, a broken pipe or a full disk does not take is lost. When it took a part
    of a line, the next one begins on a line of its own.

    Parameters
    ----------
    stream
        Where to; ``None``, as ``sys.stderr`` of a process without one, is nowhere.
    formatter
        How a record looks.
    """

    def __init__(self, stream: TextIO | None, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.is_json = isinstance(formatter, JsonFormatter)
        self._take = _taker(stream)
        self._torn = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            line = f"{self.format(record)}\n".encode(errors="backslashreplace")
        except Exception:  # whatever is wrong with a record is told by logging itself
            self.handleError(record)
        else:
            self.write_line(line)

    def write_line(self, line: bytes) -> None:
        """Write a line that is encoded already, its end included."""
        self.acquire()
        try:
            rest = whole = b"\n" + line if self._torn else line
            try:
                while rest and (taken := self._take(rest)):
                    rest = rest[taken:]
            except (OSError, ValueError):  # the latter from a stream that was closed
                pass
            self._torn = bool(rest) and (self._torn or len(rest) < len(whole))
        finally:
            self.release()


def _taker(stream: TextIO | None) -> Callable[[bytes], int | None]:
    """Return what takes bytes, at once, and says how many it took."""
    if stream is None:
        return lambda _: 0
    binary = getattr(stream, "buffer", None)
    if binary is None:  # a stream of text alone, as an embedding program may have put there

        def take_text(line: bytes) -> int:
            stream.write(line.decode())
            stream.flush()
            return len(line)

        return take_text
    write: Callable[[bytes], int | None] = getattr(binary, "raw", binary).write
    return write


def configure_logging(settings: Settings) -> None:
    """Send all log lines of this process to the standard error stream in one format."""
    formatter = JsonFormatter() if settings.log_format == "json" else PlainFormatter()
    _root.handlers[:] = [LineHandler(sys.stderr, formatter)]
    _root.setLevel(settings.log_level.upper())
    # That it starts and stops is said by us; what goes wrong in it is worth a line.
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, _root.level))


def log_request(
    scope: Scope, identity: str, route: str | None, status: int, seconds: float
) -> None:
    """Log that a request was answered.

    Parameters
    ----------
    scope
        The request.
    identity
        Its id.
    route
        The template of its address, ``None`` where it reached no route.
    status
        Of the answer; 0 when there was none.
    seconds
        How long it took.
    """
    if not _access.isEnabledFor(logging.INFO):
        return
    client = scope.get("client")
    address = client[0] if client else None
    milliseconds = round(seconds * 1000, 2)
    message = f"{scope['method']} {scope['path']}"
    handlers = _root.handlers
    handler = handlers[0] if len(handlers) == 1 else None
    if isinstance(handler, LineHandler) and handler.is_json and message.isascii():
        # What JsonFormatter makes of the record below. Most of it needs no encoder.
        line = (
            f'{{"time":"{stamp(time.time())}","level":"info","logger":"app.access_log"'
            f',"message":{_quoted(message)},"request_id":"{identity}","status":{status}'
            f',"milliseconds":{milliseconds},"route":{_json(route)},"client":{_json(address)}}}\n'
        )
        handler.write_line(line.encode())
        return
    fields: dict[str, Any] = {
        "status": status,
        "milliseconds": milliseconds,
        "route": route,
        "client": address,
    }
    token = request_id.set(identity)  # where the request has been answered past its layer
    _access.info("%s", message, extra={"fields": fields})
    request_id.reset(token)


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


@lru_cache(maxsize=1024)
def _json(text: str | None) -> str:
    return orjson.dumps(text).decode()
