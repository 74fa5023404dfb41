"""What the plot shows: seconds an epoch against size, and the objective against time."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from benchmarks.training.figures import epoch_seconds
from benchmarks.training.plot import Chart, Curve
from benchmarks.training.programs import PROGRAMS, Program
from benchmarks.training.results import Record, those

if TYPE_CHECKING:
    from collections.abc import Callable

_COLOURS = ("projectionist", "implicit", "irspack")
_DASHES = ("approximate", "exact", "subspace", "automatic")


def charts(records: list[Record]) -> list[Chart]:
    """Return the two charts."""
    return [_growth(records), _descent(records)]


def _growth(records: list[Record]) -> Chart:
    """Show growth with the ratings, for the fewest factors that were run on most matrices.

    Where there is one matrix alone, show growth with the factors.
    """
    timed = those(records, part="epochs")
    sizes = {f: {r["size"] for r in those(timed, factors=f)} for f in _factors(timed)}
    factors = min(sizes, key=lambda f: (-len(sizes[f]), f), default=0)
    across, where = "n_ratings", f"{factors} factors"
    if len({r["size"] for r in timed}) == 1:
        across, where = "factors", timed[0]["size"]
    else:
        timed = those(timed, factors=factors)

    def points(mine: list[Record]) -> list[tuple[float, float]]:
        found = []
        for value in sorted({r[across] for r in mine}):
            spread = epoch_seconds(those(mine, **{across: value}))
            if spread is not None:
                found.append((float(value), spread.median))
        return found

    label = "ratings" if across == "n_ratings" else "factors"
    return Chart(f"Time of an epoch, {where}", label, "seconds", _curves(timed, points))


def _descent(records: list[Record]) -> Chart:
    """Show the largest matrix with the fewest factors, at the ν with the most programs."""
    followed = those(records, part="objective")
    if not followed:
        return Chart("Objective over time", "seconds", "", [])
    largest = those(followed, n_ratings=max(r["n_ratings"] for r in followed))
    here = those(largest, factors=min(_factors(largest)), run=0)
    takers = {s: {r["program"] for r in those(here, scaling=s)} for s in (0.0, 1.0)}
    scaling = max(takers, key=lambda s: len(takers[s]))
    here = [r for r in those(here, scaling=scaling) if "error" not in r]
    lowest = min((value for r in here for value in r["objectives"]), default=1.0)

    def points(mine: list[Record]) -> list[tuple[float, float]]:
        (record,) = mine
        seconds: list[float] = record.get("followed_seconds") or record["seconds"]
        above = [100 * (value / lowest - 1) for value in record["objectives"]]
        return list(zip(accumulate(seconds), above, strict=True))

    title = f"Objective, {largest[0]['size']}, {min(_factors(largest))} factors, ν = {scaling:g}"
    return Chart(title, "seconds in epochs", "% above the lowest reached", _curves(here, points))


def _curves(
    records: list[Record], points: Callable[[list[Record]], list[tuple[float, float]]]
) -> list[Curve]:
    found = []
    for program in PROGRAMS:
        mine = those(records, program=program.name, solver=program.solver)
        if mine and (drawn := points(mine)):
            found.append(_curve(program, drawn))
    return found


def _curve(program: Program, points: list[tuple[float, float]]) -> Curve:
    label = f"{program.name} {program.solver}"
    return Curve(label, points, _COLOURS.index(program.name), _DASHES.index(program.kind))


def _factors(records: list[Record]) -> list[int]:
    return sorted({r["factors"] for r in records})
