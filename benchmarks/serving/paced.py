"""A client that asks when it is time to, whether or not earlier answers have come.

A client that waits for one answer before it sends the next asks less while the server is slow,
and so leaves out the requests that would have waited ("coordinated omission"). Here the moments
are drawn beforehand, as those of many visitors who know nothing of each other (a Poisson process
of a given rate), and the time to an answer counts **from that moment**, not from when a connection
was free to send it. What is late because the client was late counts as well: figures can be too
high, never too low.
"""

from __future__ import annotations

import gc
import os
import select
import socket
from collections import deque
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

GRACE_SECONDS = 30


@dataclass(frozen=True, eq=False)
class Paced:
    """What one run found.

    Attributes
    ----------
    asked
        Requests per second that were due.
    answered
        Requests per second from the first moment to the last answer.
    milliseconds
        (n,) float64: of each request, from when it was due to the whole answer.
    """

    asked: float
    answered: float
    milliseconds: NDArray[np.float64]

    def percentile(self, share: float) -> float:
        """Return the milliseconds within which so many of a hundred answers came."""
        return float(np.percentile(self.milliseconds, share))


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    due: float = 0.0
    received: bytearray = field(default_factory=bytearray)
    whole: int = 0

    def fileno(self) -> int:
        return self.socket.fileno()

    def send(self, request: bytes, due: float) -> None:
        self.due = due
        self.received.clear()
        self.whole = 0
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take what has come; whether the answer is whole."""
        part = self.socket.recv(1 << 16)
        if not part:
            raise SystemExit("the server closed a connection, and owed an answer")
        self.received += part
        if not self.whole:
            self.whole = answer_length(self.received)
        return 0 < self.whole <= len(self.received)


def answer_length(received: bytes | bytearray) -> int:
    """Return how many bytes the answer has that begins here; 0 while its head is not whole.

    Raises
    ------
    SystemExit
        When it is no success, or does not say how long it is.
    """
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return 0
    status, *headers = bytes(received[:end]).lower().split(b"\r\n")
    if not status.startswith(b"http/1.1 2"):
        raise SystemExit(f"the server answered {status.decode(errors='replace')}")
    for header in headers:
        name, _, value = header.partition(b":")
        if name == b"content-length":
            return end + 4 + int(value)
    raise SystemExit("an answer does not say how long it is")


def moments(rate: float, seconds: float, seed: int = 0) -> NDArray[np.float64]:
    """Return when requests are due: seconds from the start, ``rate`` of them a second."""
    n = max(round(rate * seconds), 1)
    return np.cumsum(np.random.default_rng(seed).exponential(1 / rate, n))


def ask(
    port: int, requests: Sequence[bytes], due: NDArray[np.float64], connections: int, core: int
) -> Paced:
    """Send requests at their moments, over so many connections.

    Raises
    ------
    SystemExit
        When an answer is no success, a connection is closed, or answers are still missing long
        after the last was due.
    """
    with ExitStack() as stack:
        stack.enter_context(_undisturbed(core))
        idle: deque[_Connection] = deque()
        for _ in range(connections):
            opened = socket.create_connection(("127.0.0.1", port), timeout=GRACE_SECONDS)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            idle.append(_Connection(stack.enter_context(opened)))
        try:
            found, seconds = _follow(idle, requests, due.tolist())
        except ConnectionError as error:
            raise SystemExit(f"the server closed a connection: {error}") from None
    return Paced(len(due) / float(due[-1]), len(due) / seconds, np.array(found) * 1e3)


def _follow(
    idle: deque[_Connection], requests: Sequence[bytes], due: list[float]
) -> tuple[list[float], float]:
    found: list[float] = []
    busy: list[_Connection] = []
    sent, n, begin = 0, len(due), perf_counter()
    while len(found) < n:
        now = perf_counter() - begin
        while sent < n and idle and due[sent] <= now:
            connection = idle.popleft()
            connection.send(requests[sent % len(requests)], due[sent])
            busy.append(connection)
            sent += 1
        if now > due[-1] + GRACE_SECONDS:
            raise SystemExit(f"{n - len(found):,} of {n:,} answers never came")
        until_next = due[sent] - now if sent < n and idle else 0.1
        ready, _, _ = select.select(busy, [], [], min(max(until_next, 0), 0.1))
        for connection in ready:
            if connection.receive():
                found.append(perf_counter() - begin - connection.due)
                busy.remove(connection)
                idle.append(connection)
    return found, perf_counter() - begin


@contextmanager
def _undisturbed(core: int) -> Iterator[None]:
    """Keep this thread to a core, and let nothing be tidied up meanwhile."""
    before: Any = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        os.sched_setaffinity(0, before)
