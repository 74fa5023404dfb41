"""Lists for many users, a line for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from app.serving.lists import for_user

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.serving.current import Serving
    from app.serving.wanted import Wanted

CHUNK = 64 * 1024
"""So many bytes are sent at once, or one line if that is longer: some milliseconds of work."""


def lines_for_users(serving: Serving, user_ids: Sequence[str], wanted: Wanted) -> Iterator[bytes]:
    """Yield the lists of users in their order, each as a line of JSON; many lines at once.

    The work of a chunk is done when it is asked for: nobody's list is made when nobody wants it
    any more.
    """
    lines: list[bytes] = []
    size = 0
    for user_id in user_ids:
        body, _ = for_user(serving, user_id, wanted)
        line = orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)
        lines.append(line)
        size += len(line)
        if size >= CHUNK:
            yield b"".join(lines)
            lines, size = [], 0
    if lines:
        yield b"".join(lines)
