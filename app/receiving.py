"""How long a client may take, and how much it may send, before there is a request at all.

uvicorn waits for ever for a client that connects and says nothing, or half a request, and takes
headers of any size. Here a connection has :attr:`~app.settings.Settings.receive_seconds` until its
request is whole, counted from the moment it may begin, and its headers have an upper bound; what
is no HTTP is answered with a problem like every other error.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.limits import LIMITS
from app.problems import MEDIA_TYPE, ProblemError, problem_response
from app.telemetry import SECURITY_HEADERS

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class PunctualProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a deadline for receiving and a bound on headers.

    A deadline runs while the connection waits for bytes of a request; none runs while the request
    is being answered. Between two requests uvicorn's own keep-alive timeout counts.
    """

    receive_seconds: float = 15.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._head_bytes = 0
        self._in_head = True
        self._deadline: asyncio.TimerHandle | None = None
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to wait."""
        self._stop_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what arrived, unless the headers have become too large."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        # What came in one piece with the body was counted too, so the bound leaves room for it.
        if self._in_head and self._head_bytes > 2 * (LIMITS.header_bytes + LIMITS.url_bytes):
            self._refuse(ProblemError("headers-too-large"))
        elif self._deadline is None and self._waits():
            # Bytes that begin no request end uvicorn's keep-alive timeout; ours takes over.
            self._start_deadline()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; drop a trailer, which nobody reads and uvicorn would keep for ever."""
        if self._in_head:
            super().on_header(name, value)

    def on_message_begin(self) -> None:
        """Count anew for the next request on this connection."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0
        if self._deadline is None:
            self._start_deadline()

    def on_headers_complete(self) -> None:
        """Let the body, if there is one, have what is left of the time."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Stop to wait: the request is whole."""
        self._stop_deadline()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - as uvicorn calls it
        """Answer what is no HTTP."""
        self._refuse(ProblemError("malformed-http"))

    def _waits(self) -> bool:
        """Whether the next move is the client's: nothing is being answered."""
        answering = cast("RequestResponseCycle | None", self.cycle)
        return answering is None or answering.response_complete

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.receive_seconds, self._expire)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        self._deadline = None
        if self._in_head:
            self._refuse(ProblemError("request-timeout"))
        else:  # the application is reading the body: it learns that the client is gone
            self.transport.close()

    def _refuse(self, error: ProblemError) -> None:
        self._stop_deadline()
        self._in_head = False
        if self.transport.is_closing():
            return
        if self._waits():  # never into another's answer
            self.transport.write(_raw(error))
        self.transport.close()


def punctual_protocol(seconds: float) -> type[PunctualProtocol]:
    """Return the protocol with this deadline."""
    return type("PunctualProtocol", (PunctualProtocol,), {"receive_seconds": seconds})


def _raw(error: ProblemError) -> bytes:
    """Write the answer by hand: there is no request that the application could answer."""
    response = problem_response(error)
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(response.body)),
        "connection": "close",
        **SECURITY_HEADERS,
    }
    lines = [f"HTTP/1.1 {error.status_code} {HTTPStatus(error.status_code).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + bytes(response.body)
