"""When to look for what other processes stored: at their word, and every so often without it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.store.interface import Store

PAUSE_SECONDS = 0.05
"""So long news are gathered: whoever stores much tells of it hundreds of times a second."""
MOVIES_SECONDS = 1.0
"""The whole catalogue is not read again more often than this."""


class WakeUp:
    """Waits for news of a store; made and used in the event loop.

    Parameters
    ----------
    store
        Whose news; it must outlive this.
    """

    def __init__(self, store: Store) -> None:
        self._loop = asyncio.get_running_loop()
        self._told = asyncio.Event()
        self._movies_changed = False
        self._movies_at = 0.0
        self._stop = store.on_change(self._from_any_thread)

    async def wait(self, seconds: float) -> bool:
        """Return after so long, or shortly after news; say whether to read the catalogue again."""
        if self._movies_changed:  # as was told too soon after the last time
            seconds = max(min(seconds, self._movies_at + MOVIES_SECONDS - self._loop.time()), 0.0)
        try:
            await asyncio.wait_for(self._told.wait(), seconds)
            await asyncio.sleep(min(PAUSE_SECONDS, seconds))
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            self._stop()
            raise
        self._told.clear()
        now = self._loop.time()
        if not self._movies_changed or now < self._movies_at + MOVIES_SECONDS:
            return False
        self._movies_changed, self._movies_at = False, now
        return True

    def _from_any_thread(self, movies_changed: bool) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(self._tell, movies_changed)

    def _tell(self, movies_changed: bool) -> None:
        self._movies_changed |= movies_changed
        self._told.set()
