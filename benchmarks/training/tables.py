"""The tables of the page, from records to Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.training.figures import (
    Arrival,
    Spread,
    Target,
    arrival,
    beyond_bytes,
    compare,
    epoch_seconds,
    error,
    ndcg,
    peak_bytes,
    target,
)
from benchmarks.training.programs import OURS, PROGRAMS, Program
from benchmarks.training.results import Record, those

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class _Case:
    """One matrix with one number of factors."""

    size: str
    n_ratings: int
    factors: int
    timed: list[Record]
    followed: list[Record]

    @property
    def name(self) -> str:
        """The matrix; with a mark where programs did not take turns."""
        sessions = {record["session"] for record in self.timed}
        return self.size + (" †" if len(sessions) > 1 else "")

    def goals(self) -> dict[float, Target]:
        """Return what was to be reached, by ν."""
        scalings = sorted({record["scaling"] for record in self.followed})
        found = {s: target(those(self.followed, scaling=s)) for s in scalings}
        return {scaling: goal for scaling, goal in found.items() if goal is not None}

    def arrival(self, program: Program, scaling: float) -> Arrival | None:
        goal = self.goals().get(scaling)
        runs = those(self.followed, program=program.name, solver=program.solver, scaling=scaling)
        return None if goal is None else arrival(runs, goal.objective)


def _cases(records: list[Record]) -> Iterator[_Case]:
    keys = sorted({(r["n_ratings"], r["size"], r["factors"]) for r in records})
    for n_ratings, size, factors in keys:
        here = those(records, n_ratings=n_ratings, size=size, factors=factors)
        timed = those(here, part="epochs") + those(here, part="memory")
        yield _Case(size, n_ratings, factors, timed, those(here, part="objective"))


def _scalings(records: list[Record]) -> list[float]:
    return sorted({r["scaling"] for r in records if r["part"] == "objective"})


def summary(records: list[Record]) -> str:
    scalings = _scalings(records)
    head = ["matrix", "ratings", "factors", "epoch, approximate", "epoch, exact", "epoch, subspace"]
    head += ["peak memory", "memory added"]
    head += [f"time to objective, ν = {s:g}" for s in scalings]
    rows = []
    for case in _cases(records):
        found = compare(case.timed)
        cells = [case.name, f"{case.n_ratings:,}", str(case.factors)]
        cells += [_part(found.epochs.get(k)) for k in ("approximate", "exact", "subspace")]
        cells += [_part(found.memory), _part(found.beyond)]
        cells += [_soonest(case, scaling) for scaling in scalings]
        rows.append(cells)
    return _markdown(head, rows)


def _soonest(case: _Case, scaling: float) -> str:
    goal = case.goals().get(scaling)
    found = [(p, case.arrival(p, scaling)) for p in PROGRAMS]
    seconds = {p.label: a.seconds.median for p, a in found if a is not None}
    mine = [s for label, s in seconds.items() if label.startswith(OURS)]
    if goal is None or not mine:
        return "–"
    return _part(min(mine) / seconds[f"{goal.program}/{goal.solver}"])


def figures(records: list[Record]) -> str:
    scalings = _scalings(records)
    head = ["matrix", "factors", "program / solver", "epoch, s", "× ours", "peak, MiB", "NDCG@10"]
    head += [f"to the objective, s, ν = {s:g}" for s in scalings]
    rows = []
    for case in _cases(records):
        for program in PROGRAMS:
            label = {"program": program.name, "solver": program.solver}
            mine, followed = those(case.timed, **label), those(case.followed, **label)
            if not mine and not followed:
                continue
            cells = [case.name, str(case.factors), f"{program.name} {program.solver}"]
            cells += _timed_cells(case, program, mine)
            cells += [_arrival_cell(case, program, followed, s) for s in scalings]
            rows.append(cells)
    mixed = any(case.name != case.size for case in _cases(records))
    note = "\n\n† Programs of several sessions, so not all of them in turn." if mixed else ""
    return _markdown(head, rows) + note


def _timed_cells(case: _Case, program: Program, mine: list[Record]) -> list[str]:
    failed = error(mine)
    if failed is not None and not any("memory" in r for r in mine):
        return [f"failed: {_escaped(failed)}", "–", "–", "–"]
    epoch, score = epoch_seconds(mine), ndcg(mine)
    ours = epoch_seconds(those(case.timed, program=OURS, kind=program.kind))
    ratio = f"{epoch.median / ours.median:.2f}" if epoch and ours else "–"
    cell = "–" if epoch is None else _seconds(epoch)
    if failed is not None:
        cell += f"; a run failed: {_escaped(failed)}"
    return [cell, ratio, _memory(mine), "–" if score is None else f"{score:.4f}"]


def _memory(mine: list[Record]) -> str:
    peak, beyond = peak_bytes(mine), beyond_bytes(mine)
    if peak is None or beyond is None:
        return "–"
    return f"{peak.median / 2**20:,.0f} ({beyond.median / 2**20:,.0f})"


def _arrival_cell(case: _Case, program: Program, followed: list[Record], scaling: float) -> str:
    here = those(followed, scaling=scaling)
    if not here:
        return "–"
    found = case.arrival(program, scaling)
    if found is not None:
        epochs = "epoch" if found.epochs == 1 else "epochs"
        seconds, whole = found.seconds.median, found.whole.median
        return f"{_number(seconds)} ({_number(whole)}), {found.epochs} {epochs}"
    failed = error(here)
    if failed is not None:
        return f"failed: {_escaped(failed)}"
    return f"not in {len(here[0]['objectives'])} epochs"


def targets(records: list[Record]) -> str:
    """Say what the objectives to reach are, and who set them."""
    lines = []
    for case in _cases(records):
        for scaling, goal in case.goals().items():
            lines.append(
                f"- {case.size}, {case.factors} factors, ν = {scaling:g}: "
                f"{goal.objective:.6g}, set by {goal.program} {goal.solver} "
                f"in {goal.epochs} epochs."
            )
    return "The objectives to reach:\n\n" + "\n".join(lines) if lines else ""


def _seconds(spread: Spread) -> str:
    return f"{_number(spread.median)} [{_number(spread.least)}–{_number(spread.most)}]"


def _number(value: float) -> str:
    """Write three digits that count, and no exponent."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if value >= 0.01 else f"{value:.4f}"


def _part(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _markdown(head: list[str], rows: list[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
