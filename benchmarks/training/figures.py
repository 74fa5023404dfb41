"""From records to figures: medians, spreads, and who reached what when."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.training.programs import OURS
from benchmarks.training.results import those

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.training.results import Record


@dataclass(frozen=True)
class Spread:
    """A median with the least and the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """``None`` of nothing."""
        found = list(values)
        return cls(statistics.median(found), min(found), max(found)) if found else None


def epoch_seconds(records: list[Record]) -> Spread | None:
    """Seconds an epoch over all runs; the first of each run warmed up and does not count."""
    return Spread.of(s for r in records if "error" not in r for s in r["seconds"][1:])


def peak_bytes(records: list[Record]) -> Spread | None:
    """The most memory of the whole process."""
    return Spread.of(r["memory"]["peak"] for r in records if "memory" in r)


def beyond_bytes(records: list[Record]) -> Spread | None:
    """The same without what the process held before it began: interpreter, packages, matrix."""
    return Spread.of(r["memory"]["peak"] - r["memory"]["loaded"] for r in records if "memory" in r)


def ndcg(records: list[Record]) -> float | None:
    """The first that was measured: the seed is the same in each run."""
    return next((r["ndcg"] for r in records if "ndcg" in r), None)


def error(records: list[Record]) -> str | None:
    """Why there are no figures, or fewer."""
    return next((r["error"] for r in records if "error" in r), None)


@dataclass(frozen=True)
class Target:
    """What has to be reached: where the fastest peer is after all its epochs.

    Attributes
    ----------
    objective
        Its objective after the last epoch.
    program, solver
        Whose it is.
    epochs
        How many it took.
    """

    objective: float
    program: str
    solver: str
    epochs: int


def target(records: list[Record]) -> Target | None:
    """Find the peer whose epochs took the least time in the first run.

    Parameters
    ----------
    records
        Of the part ``objective``: one matrix, one number of factors, one ν.
    """
    peers = [r for r in records if r["program"] != OURS and r["run"] == 0 and "error" not in r]
    if not peers:
        return None
    fastest = min(peers, key=lambda r: sum(r["seconds"]))
    return Target(
        fastest["objectives"][-1],
        fastest["program"],
        fastest["solver"],
        len(fastest["seconds"]),
    )


@dataclass(frozen=True)
class Arrival:
    """When a program was at the target.

    Attributes
    ----------
    epochs
        How many it took.
    seconds
        Those of the epochs alone.
    whole
        With all that comes before and after them: from the matrix in memory to the factors.
    """

    epochs: int
    seconds: Spread
    whole: Spread


ROUNDING = 1e-5
"""Relative: threads add up in another order each time, so a program's own objective varies."""


def arrival(records: list[Record], objective: float) -> Arrival | None:
    """Say when a program was at the objective or below; ``None`` when it never was.

    Parameters
    ----------
    records
        The runs of one program with one solver, in the part ``objective``.
    """
    enough = objective * (1 + ROUNDING)
    found = [a for a in (_arrival(r, enough) for r in records if "error" not in r) if a]
    seconds, whole = Spread.of(s for _, s, _ in found), Spread.of(w for _, _, w in found)
    if seconds is None or whole is None:
        return None
    return Arrival(found[0][0], seconds, whole)


def _arrival(record: Record, enough: float) -> tuple[int, float, float] | None:
    spent = sum(record["seconds"])
    if record["program"] == OURS:  # its training was ended at the target: see to_objective.py
        if record["reached"] > enough:
            return None
        return len(record["seconds"]), spent, record["whole"]
    for epochs, reached in enumerate(record["objectives"], 1):
        if reached <= enough:
            needed = sum(record["seconds"][:epochs])
            return epochs, needed, record["whole"] - spent + needed
    return None


@dataclass(frozen=True)
class Comparison:
    """Ours beside the best peer, as parts of what the peer needs: below 1 is better.

    Attributes
    ----------
    epochs
        Seconds an epoch for each kind of solver, ours over the faster peer.
    memory, beyond
        Peak memory of the process, and of it what training added: our hungriest solver over the
        leanest peer.
    """

    epochs: dict[str, float]
    memory: float | None
    beyond: float | None


def compare(records: list[Record]) -> Comparison:
    """Compare what one matrix and one number of factors took (parts ``epochs``, ``memory``)."""
    ours = [r for r in records if r["program"] == OURS]
    peers = [r for r in records if r["program"] != OURS]
    epochs = {}
    for kind in ("approximate", "exact", "subspace"):
        mine = epoch_seconds(those(ours, kind=kind))
        theirs = [
            spread.median
            for name in {r["program"] for r in peers}
            if (spread := epoch_seconds(those(peers, kind=kind, program=name))) is not None
        ]
        if mine is not None and theirs:
            epochs[kind] = mine.median / min(theirs)
    return Comparison(
        epochs, *(_hungriest_over_leanest(ours, peers, f) for f in (peak_bytes, beyond_bytes))
    )


def _hungriest_over_leanest(
    ours: list[Record],
    peers: list[Record],
    measure: Callable[[list[Record]], Spread | None],
) -> float | None:
    def medians(records: list[Record]) -> list[float]:
        labels = {(r["program"], r["solver"]) for r in records}
        spreads = (measure(those(records, program=p, solver=s)) for p, s in labels)
        return [spread.median for spread in spreads if spread is not None]

    mine, theirs = medians(ours), medians(peers)
    return max(mine) / min(theirs) if mine and theirs else None
