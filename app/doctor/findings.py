"""What a check says: how bad it is, what was found, why it matters and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Level = Literal["ok", "note", "warning", "error"]
LEVELS: tuple[Level, ...] = ("ok", "note", "warning", "error")
"""From harmless to broken: with an error, people get no lists, or wrong ones, or lose ratings."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found.

    Attributes
    ----------
    level
        One of :data:`LEVELS`.
    found
        What there is, with numbers.
    why
        What it does to recommendations; empty when all is well.
    do
        What to do about it, with the command where there is one; empty when all is well.
    figures
        The numbers, for programs.
    check
        Which check found it; filled in by the registry.
    """

    level: Level
    found: str
    why: str = ""
    do: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    check: str = ""


def share(part: float, whole: float) -> float:
    """Return which part of the whole it is; 0 of nothing."""
    return part / whole if whole else 0.0


def percent(part: float, whole: float) -> str:
    """Return it in words.

    >>> percent(1, 8), percent(0, 0), percent(1, 10_000)
    ('12.5 %', '0 %', '0.01 %')
    """
    return f"{100 * share(part, whole):.3g} %"


def examples(names: list[str], most: int = 3) -> str:
    """Return the first few, quoted.

    >>> examples(["1", "1.0", "01", "001"])
    "'1', '1.0', '01' and 1 more"
    """
    shown = ", ".join(repr(name) for name in names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def counted(n: int, word: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "movie"), counted(2_000, "movie")
    ('1 movie', '2,000 movies')
    """
    return f"{n:,} {word}" + ("" if n == 1 else "s")
