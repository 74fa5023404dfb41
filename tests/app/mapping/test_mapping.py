"""The parts behind the map's addresses: the genre bits, and work that is done once."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

from app.mapping.once import Once
from app.mapping.points import bounds, name_genres


def test_more_genres_than_bits_share_the_last_one():
    genres = [[f"g{i:02}"] * 2 for i in range(40)] + [["g00", "g39"], []]
    names, masks = name_genres(genres)
    assert len(names) == 32
    assert names[:2] == ["g00", "g39"]  # the frequent ones first
    assert names[-1] == "other"
    assert masks[1] == 1 << names.index("g01")
    rare = next(i for i in range(40) if f"g{i:02}" not in names)
    assert masks[rare] == 1 << 31
    assert masks[-2] == 0b11
    assert masks[-1] == 0


def test_the_origin_is_always_in_sight():
    assert bounds(np.array([[1, 2], [3, 5]], dtype=np.float32)) == (0, 0, 3, 5)
    assert bounds(np.array([[-1, -2]], dtype=np.float32)) == (-1, -2, 0, 0)


def test_everyone_waits_for_one_answer_and_nobody_cancels_it():
    calls = []
    go = threading.Event()

    def make() -> str:
        calls.append(threading.current_thread().name)
        go.wait(5)
        return "made"

    async def scene() -> list[object]:
        once = Once()
        busy = asyncio.create_task(once.get("other", "1", lambda: go.wait(5)))
        waiting = [asyncio.create_task(once.get("a", "1", make)) for _ in range(5)]
        await asyncio.sleep(0.05)
        waiting[0].cancel()
        await asyncio.sleep(0.05)
        go.set()
        await busy
        return await asyncio.gather(*waiting, return_exceptions=True)

    first, *others = asyncio.run(scene())
    assert isinstance(first, asyncio.CancelledError)
    assert others == ["made"] * 4
    assert len(calls) == 1
    assert calls[0].startswith("map")


def test_a_failure_is_told_and_tried_again_and_a_new_version_is_made_anew():
    async def scene() -> None:
        once = Once()

        def fail() -> str:
            raise OSError("the disk is gone")

        with pytest.raises(OSError, match="the disk is gone"):
            await once.get("a", "1", fail)
        assert await once.get("a", "1", lambda: "back") == "back"
        assert await once.get("a", "1", fail) == "back"
        assert await once.get("a", "2", lambda: "new") == "new"
        assert await once.get("b", "2", lambda: "other") == "other"

    asyncio.run(scene())
