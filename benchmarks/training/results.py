"""What was measured, one line of JSON a training, added to and never rewritten.

A *session* is one call of the benchmark. Programs that are compared should have taken turns in
one session; where figures of several sessions meet, the page says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Record = dict[str, Any]
"""``session``, ``run``, ``part``, ``size``, ``n_ratings``, ``program``, ``solver``, ``kind``,
``factors``, ``scaling``, ``threads``, and what ``launch`` returned."""

_KEY = ("part", "size", "program", "solver", "factors", "scaling", "threads")


@dataclass(frozen=True)
class Results:
    """A folder of results.

    Attributes
    ----------
    folder
        With ``sessions.jsonl`` and a file for each part; it need not be there yet.
    """

    folder: Path

    def add_session(self, session: Record) -> None:
        """Keep what holds for a whole session: machine, ceilings, arguments."""
        self._append("sessions", session)

    def add(self, record: Record) -> None:
        """Keep one training."""
        self._append(record["part"], record)

    def sessions(self) -> list[Record]:
        """Every session, oldest first."""
        return sorted(self._lines("sessions"), key=lambda session: session["session"])

    def records(self) -> list[Record]:
        """Every training that no later session has repeated."""
        return newest([r for part in ("epochs", "memory", "objective") for r in self._lines(part)])

    def _append(self, name: str, line: Record) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _lines(self, name: str) -> list[Record]:
        path = self.folder / f"{name}.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def newest(records: list[Record]) -> list[Record]:
    """Leave out what a later session has measured again, or did on another matrix of that name."""
    matrices = {r["size"]: r["n_ratings"] for r in sorted(records, key=lambda r: r["session"])}
    records = [r for r in records if r["n_ratings"] == matrices[r["size"]]]
    last: dict[tuple[Any, ...], str] = {}
    for record in records:
        key = tuple(record[field] for field in _KEY)
        last[key] = max(last.get(key, ""), record["session"])
    return [r for r in records if r["session"] == last[tuple(r[field] for field in _KEY)]]


def those(records: list[Record], **fields: Any) -> list[Record]:
    """Return the records with these values."""
    return [r for r in records if all(r[name] == value for name, value in fields.items())]
