"""When the loader looks: at once when told, not hundreds of times a second, and always at last."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from app.serving.wake_up import MOVIES_SECONDS, PAUSE_SECONDS, WakeUp


class Told:
    """The one method of a store that a wake-up asks for."""

    def __init__(self):
        self.callbacks = []

    def on_change(self, callback):
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)

    def tell(self, movies_changed):
        for callback in self.callbacks:
            threading.Thread(target=callback, args=(movies_changed,)).start()


def timed(wake_up, seconds):
    async def wait():
        began = time.monotonic()
        return await wake_up.wait(seconds), time.monotonic() - began

    return wait()


def test_it_waits_as_long_as_nobody_tells_and_no_longer():
    async def story():
        store = Told()
        wake_up = WakeUp(store)
        movies, passed = await timed(wake_up, 0.1)
        assert (movies, passed >= 0.1) == (False, True)
        store.tell(movies_changed=False)
        movies, passed = await timed(wake_up, 30)
        assert movies is False
        assert PAUSE_SECONDS <= passed < 5
        _, passed = await timed(wake_up, 0.1)  # what was told is told once
        assert passed >= 0.1

    asyncio.run(story())


def test_the_catalogue_is_not_read_too_often_and_not_forgotten():
    async def story():
        store = Told()
        wake_up = WakeUp(store)
        store.tell(movies_changed=True)
        assert (await timed(wake_up, 30))[0] is True
        store.tell(movies_changed=True)
        assert (await timed(wake_up, 30))[0] is False  # only just read
        movies, passed = await timed(wake_up, 30)  # and nobody tells again
        assert movies is True
        assert passed <= MOVIES_SECONDS + 0.5

    asyncio.run(story())


def test_cancelling_stops_the_calls():
    async def story():
        store = Told()
        waiting = asyncio.create_task(WakeUp(store).wait(30))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert store.callbacks == []

    asyncio.run(story())
