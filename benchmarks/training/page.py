"""The page: what was measured, as text, tables and a plot."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.training import curves, tables
from benchmarks.training.agreement import disagreement
from benchmarks.training.plot import draw

if TYPE_CHECKING:
    from benchmarks.training.results import Record, Results

PICTURE = "training.svg"
TEMPLATE = Path(__file__).with_name("page.md")


def write(path: Path, results: Results) -> None:
    """Write the page, its picture under ``images`` beside it, and all records as JSON."""
    images = path.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    path.write_text(render(results), encoding="utf-8")
    (images / PICTURE).write_text(draw(curves.charts(results.records())), encoding="utf-8")
    document = {"sessions": _used(results), "records": results.records()}
    path.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def for_terminal(results: Results) -> str:
    """Return what a terminal shows: machine, summary, all figures."""
    records = results.records()
    parts = (
        _machines(results),
        tables.summary(records),
        tables.figures(records),
        tables.targets(records),
    )
    return "\n\n".join(part for part in parts if part)


def render(results: Results) -> str:
    """Return the page."""
    records = results.records()
    plans = [session["plan"] for session in _used(results)]
    return TEMPLATE.read_text(encoding="utf-8").format(
        machines=_machines(results),
        summary=tables.summary(records),
        picture=PICTURE,
        table=tables.figures(records),
        targets=tables.targets(records),
        runs=" or ".join(sorted({str(plan["runs"]) for plan in plans})),
        threads=" or ".join(sorted({str(plan["threads"]) for plan in plans})),
        agreement=_agreement(results),
    )


def _used(results: Results) -> list[Record]:
    """Return the sessions that the records come from."""
    names = {record["session"] for record in results.records()}
    return [session for session in results.sessions() if session["session"] in names]


def _machines(results: Results) -> str:
    """Return a paragraph for each machine and set of versions, with its sessions and ceilings."""
    lines: dict[str, list[Record]] = {}
    for session in _used(results):
        described = {k: v for k, v in session["machine"].items() if k != "load"}
        words = ", ".join(f"{name} {value}" for name, value in described.items())
        lines.setdefault(words, []).append(session)
    paragraphs = []
    for words, sessions in lines.items():
        bandwidth = max(s["ceilings"]["memory_bytes_per_second"] for s in sessions) / 1e9
        rate = max(s["ceilings"]["multiply_adds_per_second"] for s in sessions) / 1e9
        when = [s["session"] for s in sessions]
        loads = [r["load_average"] for r in results.records() if r["session"] in when]
        paragraphs.append(
            f"Measured {', '.join(when)} on: {words}. What this machine can do with "
            f"{sessions[0]['plan']['threads']} threads: {bandwidth:.1f} GB/s through memory "
            f"(triad), {rate:.0f} billion float32 multiply-adds a second (product of large "
            f"matrices). Its load when a training began: {statistics.median(loads):.1f}, at most "
            f"{max(loads):.1f}, of which the one before makes up to "
            f"{sessions[0]['plan']['threads']}."
        )
    return "\n\n".join(paragraphs)


def _agreement(results: Results) -> str:
    trials: list[list[Record]] = [session["agreement"] for session in _used(results)]
    worst = max((disagreement(rows) for rows in trials), default=0.0)
    tried = {row["program"] for rows in trials for row in rows if "objective" in row}
    return f"apart by {worst:.0e} at most (tried: {', '.join(sorted(tried))})"
