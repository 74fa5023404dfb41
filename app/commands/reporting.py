"""How long work shows that it goes on: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS_BETWEEN_LINES = 2.0


class Reporter:
    """Says what goes on, on standard error, so that standard output is the result alone."""

    def __init__(self, json: bool = False) -> None:
        self.json = json
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Write one line for people."""
        self.console.print(text, markup=False)

    def result(self, document: dict[str, Any], text: str) -> None:
        """Write what came out: one JSON document if asked for, else the text."""
        out = orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() if self.json else text
        sys.stdout.write(out + "\n")
        sys.stdout.flush()

    @contextmanager
    def progress(self) -> Iterator[Steps]:
        """Show the steps of what runs inside the block."""
        if not self.console.is_terminal:
            yield Lines(self)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console) as bars:
            yield Bars(bars)


class Steps(Protocol):
    """Told of each step: a phase, how many steps are done, and of how many."""

    def __call__(self, phase: str, done: int, total: int, note: str = "") -> None:
        """Show one step; the note says what there is to say of it besides."""


class Bars:
    """One bar a phase."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, phase: str, done: int, total: int, note: str = "") -> None:
        """Move the phase's bar."""
        if phase not in self._tasks:
            self._tasks[phase] = self._bars.add_task(phase, total=total)
        told = f"{phase} ({note})" if note else phase
        self._bars.update(self._tasks[phase], completed=done, total=total, description=told)


class Lines:
    """A line when a phase begins and ends, and now and then between."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._phase: str | None = None
        self._spoken = 0.0

    def __call__(self, phase: str, done: int, total: int, note: str = "") -> None:
        """Write a line when there is something new to say."""
        now = monotonic()
        if phase == self._phase and done < total and now - self._spoken < _SECONDS_BETWEEN_LINES:
            return
        self._phase, self._spoken = phase, now
        self._reporter.say(f"{phase}: {done:,} of {total:,}{f' ({note})' if note else ''}")
