"""What long work owes: progress that cannot stop it, and a result that is not lost."""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson

from recommender.data.whole_file import refuse_taken, write_whole
from recommender.errors import InvalidOptionError

if TYPE_CHECKING:
    from pathlib import Path

    from app.commands.reporting import Reporter, Steps

_ROOM = 1 << 18
"""Bytes that a place for a document must take: more than most have."""

_LINES = 20
"""At most so many lines a phase, where nobody looks at a terminal."""


class Heard:
    """Passes steps on: each once, in a log some twenty a phase.

    Where nobody can be told any more (a full disk, a reader that has gone), work goes on untold.
    """

    def __init__(self, step: Steps, reporter: Reporter) -> None:
        self._step: Steps | None = step
        self._sparing = not reporter.console.is_terminal
        self._last: tuple[str, int] | None = None
        # Rich would end the program, and close standard output, where the result is to go.
        reporter.console.on_broken_pipe = _raise  # type: ignore[method-assign]

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Pass on what is new."""
        now = phase, _LINES * done // max(total, 1) if self._sparing else done
        if self._step is None or now == self._last:
            return
        self._last = now
        try:
            self._step(phase, done, total)
        except OSError:
            self._step = None


def _raise() -> None:
    raise BrokenPipeError


def check_place(output: Path | None, force: bool) -> None:
    """Say before hours of work that the result would have nowhere to go.

    Raises
    ------
    OSError
        When the output exists and may not be replaced, or its place takes no file. It names it.
    InvalidOptionError
        When there is no output, and standard output is closed.
    """
    if output is None:
        if sys.stdout is None:
            raise InvalidOptionError(
                "standard output is closed and there is no --output: the result would be lost"
            )
        return
    refuse_taken(output, force)
    try:
        with tempfile.TemporaryFile(dir=output.parent) as probe:
            probe.write(bytes(_ROOM))
    except OSError as error:
        reason = f"{error.strerror}; nothing can be written there"
        raise OSError(error.errno, reason, str(output)) from error


def deliver(reporter: Reporter, document: dict[str, Any], text: str, output: Path | None) -> None:
    """Print a result, then write it; when nothing takes it, standard error gets it.

    Raises
    ------
    OSError
        When one of them did not take it. It names it.
    """
    failed = _print(reporter, document, text)
    if output is not None:
        try:
            write_whole(output, orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
        except OSError as error:
            if failed is not None:
                _last_resort(reporter, document, text)
            raise error from None
    elif failed is not None:
        _last_resort(reporter, document, text)
    if failed is not None:
        raise failed


def _print(reporter: Reporter, document: dict[str, Any], text: str) -> OSError | None:
    """Return why standard output did not take it; where it was closed, nobody waits for it."""
    if sys.stdout is None:
        return None
    try:
        reporter.result(document, text)
    except OSError as error:
        return OSError(error.errno, error.strerror, "standard output")
    return None


def _last_resort(reporter: Reporter, document: dict[str, Any], text: str) -> None:
    told = orjson.dumps(document).decode() if reporter.json else text
    with suppress(OSError, AttributeError):
        sys.stderr.write(told + "\n")
        sys.stderr.flush()
