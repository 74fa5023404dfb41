"""What other processes commit, told by the server: ``LISTEN`` in a thread of its own."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import psycopg

from app.store.postgres.sheet import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_SECONDS = 0.5
"""How long it takes at most until a closed listener ends."""
_AGAIN_SECONDS = 0.5


class Listener:
    """Calls back when another process has committed.

    Parameters
    ----------
    connect
        Opens a connection that is in no transaction.
    who
        This process, whose own commits are no news to it.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection], who: str) -> None:
        self._connect = connect
        self._who = who
        self._closed = threading.Event()
        self._callbacks: list[Callable[[bool], None]] = []
        self._thread: threading.Thread | None = None

    def add(self, callback: Callable[[bool], None]) -> Callable[[], None]:
        """Call this from now on; the first one starts the thread. Returns how to stop."""
        self._callbacks = [*self._callbacks, callback]
        if self._thread is None:
            self._thread = threading.Thread(target=self._listen, name="store-listener", daemon=True)
            self._thread.start()

        def stop() -> None:
            self._callbacks = [each for each in self._callbacks if each is not callback]

        return stop

    def close(self) -> None:
        """End the thread; again is harmless."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _listen(self) -> None:
        while not self._closed.is_set():
            # Without it the loader still looks every second: nothing here is worth an error.
            with contextlib.suppress(psycopg.Error, OSError):
                self._listen_on_one_connection()
            self._closed.wait(_AGAIN_SECONDS)

    def _listen_on_one_connection(self) -> None:
        with self._connect() as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._tell(catalogue=True)  # whatever was missed before
            while not self._closed.is_set():
                for notice in connection.notifies(timeout=_LOOK_SECONDS, stop_after=1):
                    who, _, news = notice.payload.partition(" ")
                    if who != self._who:
                        self._tell(catalogue=news.endswith("catalogue"))

    def _tell(self, *, catalogue: bool) -> None:
        for callback in self._callbacks:
            callback(catalogue)
