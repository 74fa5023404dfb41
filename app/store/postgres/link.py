"""The writer's connection, and the patience that it has with a server.

It is made in the background: when the server is gone, whoever wants to write learns it at once and
not after a time-out of the network, and when the server is back the connection is there again
without anybody having asked.

A server can also fall silent without the connection breaking: its machine hangs, a firewall
swallows everything. Whatever is asked of it then would wait for ever, so that a :class:`Watch`
cuts the connection from this side.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import psycopg

from app.store.errors import StoreUnavailable, unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AGAIN_SECONDS = 0.25
"""How long to wait before the next attempt to connect."""
LOOK_SECONDS = 0.1
"""How often a watch looks while something is going on."""


class Link:
    """One connection that comes back by itself.

    Parameters
    ----------
    connect
        Opens the connection.
    patience
        Seconds to wait for a first answer; once the server is known to be gone nobody waits.
    healed
        Called, in the background, when the connection stands again.

    Raises
    ------
    psycopg.Error
        If the first connection cannot be opened.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection],
        patience: float,
        healed: Callable[[], None] = lambda: None,
    ) -> None:
        self._connect = connect
        self._patience = patience
        self._healed = healed
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._connection: psycopg.Connection | None = connect()
        self._trouble: Exception | None = None
        self._connecting = False

    def get(self, patience: float | None = None) -> psycopg.Connection:
        """Return the connection.

        Parameters
        ----------
        patience
            Seconds to wait, when they are fewer than usual.

        Raises
        ------
        StoreUnavailable
            If there is none now.
        """
        with self._changed:
            self._begin_to_connect()
            self._changed.wait_for(
                lambda: self._connection is not None or self._trouble is not None,
                self._patience if patience is None else patience,
            )
            if self._connection is not None:
                return self._connection
            if self._trouble is not None:
                raise unavailable(self._trouble, "storing")
            # Silence is an answer too: whoever comes next need not wait for it again.
            self._trouble = StoreUnavailable(
                "The database is not available for storing: its server does not answer."
            )
            raise self._trouble

    def drop(self) -> None:
        """Throw the connection away, and begin to make another."""
        with self._changed:
            if self._connection is not None:
                with contextlib.suppress(psycopg.Error):
                    self._connection.close()
                self._connection = None
            self._begin_to_connect()

    def close(self) -> None:
        """Let go of it for good."""
        self._closed.set()
        self.drop()

    def _begin_to_connect(self) -> None:
        if self._connection is None and not self._connecting and not self._closed.is_set():
            self._connecting = True
            threading.Thread(target=self._keep_trying, name="store-link", daemon=True).start()

    def _keep_trying(self) -> None:
        while True:
            try:
                connection = self._connect()
            except Exception as error:  # whatever it is, the next attempt may succeed
                with self._changed:
                    self._trouble = error
                    self._changed.notify_all()
            else:
                break
            if self._closed.wait(AGAIN_SECONDS):
                return
        with self._changed:
            self._connecting = False
            if self._closed.is_set():
                connection.close()
                return
            self._connection, self._trouble = connection, None
            self._changed.notify_all()
        self._healed()


class Watch:
    """Cuts connections that take too long: one thread for all of a store, as each has many."""

    def __init__(self) -> None:
        self._watched: dict[object, tuple[float, psycopg.Connection]] = {}
        self._needed = threading.Event()
        self._closed = False
        threading.Thread(target=self._work, name="store-watch", daemon=True).start()

    @contextlib.contextmanager
    def deadline(self, connection: psycopg.Connection, seconds: float) -> Iterator[None]:
        """Cut the connection if the block takes longer; what it does then ends with an error."""
        token = object()
        self._watched[token] = (time.monotonic() + seconds, connection)
        if not self._needed.is_set():
            self._needed.set()
        try:
            yield
        finally:
            del self._watched[token]

    def close(self) -> None:
        """End the thread; again is harmless."""
        self._closed = True
        self._needed.set()

    def _work(self) -> None:
        while self._needed.wait() and not self._closed:
            time.sleep(LOOK_SECONDS)
            now = time.monotonic()
            for until, connection in list(self._watched.values()):
                if until <= now:
                    cut(connection)
            if not self._watched:
                self._needed.clear()
                if self._watched:  # somebody came in between
                    self._needed.set()


def cut(connection: psycopg.Connection) -> None:
    """End the connection from this side at once, whoever waits on it; leaves closing to others."""
    with (
        contextlib.suppress(psycopg.Error, OSError),
        socket.socket(fileno=os.dup(connection.fileno())) as end,
    ):
        end.shutdown(socket.SHUT_RDWR)
