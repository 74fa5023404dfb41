"""One option that a search varies: its range, and whether a value is within or at the edge."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from recommender.errors import InvalidOptionError


@dataclass(frozen=True)
class Dimension:
    """One option that a search varies.

    Attributes
    ----------
    name
        Of the option.
    low, high
        The range, both ends allowed; whole numbers are searched where both are whole.
    log
        Whether steps are ratios rather than differences.
    choices
        Words, or True and False, instead of a range.
    is_closed
        Whether there is nothing to look for beyond the range.
    """

    name: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()
    is_closed: bool = False

    def nearest(self, value: Any) -> Any:
        """Return what of this dimension is nearest to a value."""
        if self.choices:
            return value if value in self.choices else self.choices[0]
        return min(max(value, self.low), self.high)

    def check(self, value: Any) -> None:
        """Check that a search of this dimension can have been at a value.

        Raises
        ------
        InvalidOptionError
            When it cannot.
        """
        if self.choices:
            fits = any(type(value) is type(each) and value == each for each in self.choices)
        else:
            kinds = (int,) if self.is_whole else (int, float)
            fits = type(value) in kinds and self.low <= value <= self.high
        if not fits:
            raise InvalidOptionError(f"the place of {self}, cannot be {str(value)[:60]!r}")

    @property
    def is_whole(self) -> bool:
        """Whether whole numbers are searched."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def edge(self, value: Any) -> float | None:
        """Return the end of the range that a value is at, or as good as at; ``None`` if at none.

        As good as at is within a fiftieth of the range, in the steps of the search. A closed range
        has no end in this sense.

        Examples
        --------
        >>> Dimension("factors", 16, 256, log=True).edge(250)
        256
        """
        if self.choices or self.is_closed:
            return None
        low, high, at = (math.log(x) if self.log else x for x in (self.low, self.high, value))
        near = (high - low) / 50
        if at - low <= near:
            return self.low
        return self.high if high - at <= near else None

    def __str__(self) -> str:
        if self.choices:
            return f"{self.name}: {' or '.join(map(str, self.choices))}"
        return f"{self.name}: {self.low:g} to {self.high:g}{' (log)' if self.log else ''}"
