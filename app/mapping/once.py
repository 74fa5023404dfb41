"""Work that many requests ask for and one thread does, once."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Once:
    """Answers kept by name, each for the newest version that was asked for.

    A single thread makes them, so that a large map never takes the threads that answer other
    requests. Whoever asks meanwhile waits for the same answer. All methods belong to one event
    loop.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="map")
        self._made: dict[str, tuple[str, Future[object]]] = {}

    def clear(self) -> None:
        """Let go of every answer; who waits for one still gets it."""
        self._made.clear()

    def close(self) -> None:
        """Wait for what is being made; nothing more is begun."""
        self._thread.shutdown(cancel_futures=True)

    async def get(self, name: str, version: str, make: Callable[[], T]) -> T:
        """Return what ``make`` returns, calling it unless this version was made already."""
        kept = self._made.get(name)
        if kept is not None and kept[0] == version and not _failed(kept[1]):
            future = kept[1]
        else:
            future = cast("Future[object]", self._thread.submit(make))
            self._made[name] = (version, future)
        # A client that goes away must not cancel what others wait for.
        return cast("T", await asyncio.shield(asyncio.wrap_future(future)))


def _failed(future: Future[object]) -> bool:
    return future.done() and (future.cancelled() or future.exception() is not None)
