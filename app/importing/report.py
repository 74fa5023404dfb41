"""What an import says of itself: how much it read, and every bad row with its reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from recommender.data.cells import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.store import JSON

MOST_ERRORS = 1_000
"""So many bad rows are listed; all are counted."""

_FEW = 3  # bad ratings are too few below it to say of columns that they are swapped


class BadCell(ValueError):  # noqa: N818 - it names what was found
    """A value that breaks its column's rule.

    Parameters
    ----------
    found
        What sort of value it is: ``"not a number"``, ``"NaN"``, ``"empty"``, ``"future date"``, …
    allowed
        What is allowed there.
    value
        The value itself, which is only ever shown cut and escaped; ``None`` to leave it out.
    role
        Which column, as ``"rating"``; ``None`` for the whole row.
    """

    def __init__(
        self, found: str, allowed: str, value: object = None, role: str | None = None
    ) -> None:
        super().__init__(found, allowed)
        self.found = found
        self.allowed = allowed
        self.value = value
        self.role = role


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be imported.

    Attributes
    ----------
    line
        Counted from 1, the header included; of Parquet the row, counted from 1.
    column
        Its name in the file, ``None`` where the whole row is meant.
    found
        What sort of value was found.
    value
        The value, escaped and cut; ``None`` where there is none to show.
    allowed
        What is allowed there.
    fits
        Columns of the same row that hold what was looked for: perhaps two are swapped.
    """

    line: int
    column: str | None
    found: str
    value: str | None
    allowed: str
    fits: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the reason in one line."""
        where = "" if self.column is None else f"column {self.column!r}: "
        what = self.found if self.value is None else f"{self.found} {self.value}"
        return f"{where}found {what}; allowed: {self.allowed}"


def bad_row(line: int, error: BadCell, column: str | None, fits: tuple[str, ...] = ()) -> BadRow:
    """Return the row that a bad cell spoils."""
    value = None if error.value is None else shown(str(error.value)[:200])
    return BadRow(line, column, error.found, value, error.allowed, fits)


@dataclass
class Report:
    """How far an import is, and what was wrong so far.

    Attributes
    ----------
    rows, bad
        How many rows were read, and how many of them are bad.
    by_kind
        How many good rows there were of ratings, movies and users.
    """

    rows: int = 0
    bad: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    errors: list[dict[str, JSON]] = field(default_factory=list)
    reasons: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    fits: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Report:
        """Return the report that :meth:`to_json` wrote."""
        report = cls(document["rows"], document["bad"], Counter(document["by_kind"]))
        report.errors = list(document["errors"])
        for name, counter in (("reasons", report.reasons), ("fits", report.fits)):
            for *key, count in document[name]:
                counter[key[0], key[1], key[2]] = count
        return report

    def to_json(self) -> dict[str, Any]:
        """Return it as a document; a later change of the report does not change it."""
        return {
            "rows": self.rows,
            "bad": self.bad,
            "by_kind": dict(self.by_kind),
            "errors": list(self.errors),
            "reasons": [[*key, count] for key, count in self.reasons.most_common()],
            "fits": [[*key, count] for key, count in self.fits.items()],
            "hints": self.hints(),
        }

    def add(self, file: str, kind: str, good: int, bad: Iterable[BadRow]) -> None:
        """Take in what a chunk had."""
        self.rows += good
        self.by_kind[kind] += good
        for row in bad:
            self.rows += 1
            self.bad += 1
            self.reasons[file, row.column or "", row.found] += 1
            for name in row.fits:
                self.fits[file, row.column or "", name] += 1
            if len(self.errors) < MOST_ERRORS:
                self.errors.append(
                    {
                        "file": file,
                        "line": row.line,
                        "column": row.column,
                        "found": row.found,
                        "value": row.value,
                        "reason": str(row),
                    }
                )

    def hints(self) -> list[str]:
        """Return what is probably wrong with the whole: columns that look swapped."""
        hints = []
        for (file, column, other), count in self.fits.most_common():
            spoilt = sum(n for (f, c, _), n in self.reasons.items() if (f, c) == (file, column))
            if count >= _FEW and count >= 0.9 * spoilt and count >= 0.5 * self.rows:
                hints.append(
                    f"{file}: the columns {column!r} and {other!r} look swapped: what is allowed "
                    f"in the first stands in the second."
                )
        return hints
