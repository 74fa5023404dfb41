"""How long a client may take, and how much it may send, before there is a request at all.

uvicorn waits for ever for a client that connects and says nothing, or half a request, and takes
headers of any size. Here a connection has :attr:`~app.settings.Settings.receive_seconds` until its
request is whole, counted from the moment it may begin, and its headers have an upper bound; what
is no HTTP is answered with a problem like every other error.

What can be answered at once is: see docs/decisions/0016-short-cut.md.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.limits import LIMITS
from app.problems import MEDIA_TYPE, ProblemError, problem_response
from app.telemetry import SECURITY_HEADERS

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from uvicorn._types import ASGI3Application, HTTPScope
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


UPLOADS = b"/v1/imports"
"""Where bodies may be so large that they take longer than other requests."""


class Ready(NamedTuple):
    """An answer as it is to be written.

    Attributes
    ----------
    status
        Of the answer.
    headers
        Each with its end of line, ``Content-Length`` among them where there is a body.
    body
        Of the answer.
    """

    status: int
    headers: bytes
    body: bytes


def _nothing(_scope: HTTPScope) -> Ready | None:
    return None


class PunctualProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a deadline for receiving and a bound on headers.

    A deadline runs while the connection waits for bytes of a request; none runs while the request
    is being answered. Between two requests the keep-alive timeout counts, as it does in uvicorn.

    What :attr:`at_once` has an answer for is answered as it comes in: the task and the messages of
    ASGI would take as long as the answer.

    Attributes
    ----------
    receive_seconds
        How long a request may take to arrive.
    at_once
        Returns the answer to a request without a body; ``None`` for one that is not answered so.
    """

    receive_seconds: float = 15.0
    at_once: Callable[[HTTPScope], Ready | None] = staticmethod(_nothing)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._head_bytes = 0
        self._in_head = True
        self._due: float | None = None  # when the connection has waited long enough
        self._upload_until: float | None = None  # when an upload has taken long enough
        self._idle = False  # whether it is the next request that is waited for
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._may_answer_at_once = self._answered_at_once = False
        self._wait(self.receive_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to wait."""
        self._due = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what arrived, unless the headers have become too large."""
        if self._in_head:
            self._head_bytes += len(data)
        # One of those that arrive together: other connections have their turn before the rest.
        self._may_answer_at_once = True
        super().data_received(data)
        self._may_answer_at_once = False
        # What came in one piece with the body was counted too, so the bound leaves room for it.
        if self._in_head and self._head_bytes > 2 * (LIMITS.header_bytes + LIMITS.url_bytes):
            self._refuse(ProblemError("headers-too-large"))
        elif self._due is None and self.timeout_keep_alive_task is None and self._waits():
            # Bytes that begin no request end uvicorn's keep-alive timeout; ours takes over.
            self._wait(self.receive_seconds)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; drop a trailer, which nobody reads and uvicorn would keep for ever."""
        if self._in_head:
            super().on_header(name, value)

    def on_message_begin(self) -> None:
        """Count anew for the next request on this connection."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0
        if self._due is None or self._idle:
            self._wait(self.receive_seconds)

    def on_headers_complete(self) -> None:
        """Let the body, if there is one, have what is left of the time."""
        self._in_head = False
        self._upload_until = None
        super().on_headers_complete()
        if self.url.partition(b"?")[0] == UPLOADS:
            self._upload_until = self.loop.time() + LIMITS.upload_seconds

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body; the file of an import has as long as it keeps coming."""
        super().on_body(body)
        if self._upload_until is not None and self._due is not None:
            self._due = min(self.loop.time() + self.receive_seconds, self._upload_until)

    def on_message_complete(self) -> None:
        """Stop to wait: the request is whole. When it is answered as well, wait for the next."""
        self._due = None
        super().on_message_complete()
        if self._answered_at_once:
            self._answered_at_once = False
            self._wait(self.timeout_keep_alive, idle=True)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Answer at once what can be, else as uvicorn does."""
        if self._may_answer_at_once and cycle.keep_alive and app is self.app:
            self._may_answer_at_once = False
            ready = None if self.flow.write_paused else self.at_once(cycle.scope)
            if ready is not None:
                self._write(cycle, ready)
                return
        super()._start_asgi_task(cycle, app)

    def _write(self, cycle: RequestResponseCycle, ready: Ready) -> None:
        """Write an answer, and leave the connection as uvicorn would after it."""
        general = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        head = b"".join((STATUS_LINE[ready.status], *general, ready.headers, b"\r\n"))
        self.transport.write(head + ready.body)
        cycle.response_started = cycle.response_complete = self._answered_at_once = True
        self.server_state.total_requests += 1

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - as uvicorn calls it
        """Answer what is no HTTP."""
        self._refuse(ProblemError("malformed-http"))

    def _waits(self) -> bool:
        """Whether the next move is the client's: nothing is being answered."""
        answering = cast("RequestResponseCycle | None", self.cycle)
        return answering is None or answering.response_complete

    def _wait(self, seconds: float, idle: bool = False) -> None:
        self._idle = idle
        self._due = self.loop.time() + seconds
        # A timer that rings before finds out that it is not time yet: one that is neither made
        # nor cancelled for each request costs nothing.
        if self._timer is None or self._timer_at > self._due:
            if self._timer is not None:
                self._timer.cancel()
            self._set_timer(self._due)

    def _set_timer(self, due: float) -> None:
        self._timer_at = due
        self._timer = self.loop.call_at(due, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._due is None:
            return
        if self.loop.time() < self._due:
            self._set_timer(self._due)
            return
        self._due = None
        if self._in_head and not self._idle:
            self._refuse(ProblemError("request-timeout"))
        else:  # of one whose body is being read the application learns that the client is gone
            self.transport.close()

    def _refuse(self, error: ProblemError) -> None:
        self._due = None
        self._in_head = False
        if self.transport.is_closing():
            return
        if self._waits():  # never into another's answer
            self.transport.write(_raw(error))
        self.transport.close()


def punctual_protocol(
    seconds: float, at_once: Callable[[HTTPScope], Ready | None] = _nothing
) -> type[PunctualProtocol]:
    """Return the protocol with this deadline and these answers."""
    attributes = {"receive_seconds": seconds, "at_once": staticmethod(at_once)}
    return type("PunctualProtocol", (PunctualProtocol,), attributes)


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
