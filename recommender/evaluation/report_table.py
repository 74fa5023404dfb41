"""What is told of an experiment, as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recommender.evaluation.report import COUNTS
from recommender.evaluation.resampling import CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from recommender.evaluation.report import Report

_REPEATED = "repeated rows in the {} file: the last counts"
_WIDE = 80
_NO_NEWS = ("test_ratings", "test_users", "negatives")


def table_of(report: Report) -> str:
    """Return a report as text, without a line feed at the end: figures first, then what fell out.

    Of the counts those are told that are not 0. Where nobody said which k is wanted, some of the
    usual ones are shown.
    """
    chosen = [name for name in report.summaries() if _is_shown(report, name)]
    lines = [*_head(report), "", *_aligned(_rows(report, chosen))]
    if len(chosen) < len(report.summaries()):
        ks = ", ".join(map(str, report.experiment.places))
        lines.append(f"(of k = {ks}; all are in the JSON document, and those that --k names here)")
    counts = {name: n for name, n in report.counts().items() if _is_shown(report, name)}
    told = [(f"{n:,}", _sentence(name)) for name, n in counts.items() if n]
    told = [(n, sentence) for n, sentence in told if sentence]
    if told:
        width = max(len(n) for n, _ in told)
        added = ["added up over folds:"] if len(report.experiment.folds) > 1 else []
        lines += ["", *added, *(f"{n:>{width}}  {sentence}" for n, sentence in told)]
    return "\n".join(lines)


def _is_shown(report: Report, name: str) -> bool:
    """Whether a figure or a count is of a k that was asked for, or that is shown unasked."""
    k = name.partition("@")[2]
    return not k or bool(report.experiment.ks) or int(k) in report.experiment.kind.shown


def _head(report: Report) -> Iterator[str]:
    asked, data = report.experiment, report.runs[0].data
    yield f"{asked.protocol} · {asked.model}"
    told = {k: v for k, v in report.options.items() if k not in ("seed", "threads")}
    parts = [f"{name} {value}" for name, value in told.items()]
    yield from _wrapped([*parts, *_seeds(report), f"threads {report.threads}"])
    yield (
        f"{data['train_ratings']:,} ratings of {data['train_users']:,} users and "
        f"{data['train_items']:,} items to train on"
        + (f" (first of {len(asked.folds)} folds)" if len(asked.folds) > 1 else "")
    )
    seconds = report.total_seconds()
    yield (
        f"{report.n_users:,} users judged; training {seconds['fit']:.1f} s, "
        f"evaluation {seconds['evaluate']:.1f} s, all {seconds['total']:.1f} s"
    )


def _seeds(report: Report) -> list[str]:
    seeds = [seed for seed in report.experiment.seeds if seed is not None]
    if len(seeds) > 1:
        return [f"{len(seeds)} seeds ({seeds[0]} to {seeds[-1]})"]
    return [f"seed {seed}" for seed in seeds]


def _rows(report: Report, chosen: list[str]) -> Iterator[tuple[str, ...]]:
    summaries = {name: s for name, s in report.summaries().items() if name in chosen}
    seeds = any(s.spread_of_seeds is not None for s in summaries.values())
    folds = any(s.spread_of_folds is not None for s in summaries.values())
    head = ("", "mean", f"{CONFIDENCE:.0%} interval")
    yield (*head, *["± seeds"] * seeds, *["± folds"] * folds)
    for name, s in summaries.items():
        between = "" if s.interval is None else f"{s.interval.low:.4f} – {s.interval.high:.4f}"
        row = [name, f"{s.mean:.4f}", between]
        row += [_spread(s.spread_of_seeds)] * seeds + [_spread(s.spread_of_folds)] * folds
        yield tuple(row)


def _spread(spread: float | None) -> str:
    return "" if spread is None else f"{spread:.4f}"


def _sentence(name: str) -> str:
    if name.startswith("repeated_in_"):
        return _REPEATED.format(name.removeprefix("repeated_in_").replace("_", "-"))
    of, _, k = name.partition("@")
    return "" if name in _NO_NEWS else f"{COUNTS[of]} (k = {k})" if k else COUNTS[of]


def _aligned(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Set the first column left and the others right."""
    cells = list(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        rest = (f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        yield "  ".join((f"{row[0]:<{widths[0]}}", *rest)).rstrip()


def _wrapped(parts: list[str]) -> Iterator[str]:
    line = ""
    for part in parts:
        if line and len(line) + len(part) + 2 > _WIDE:
            yield line + ","
            line = part
        else:
            line = f"{line}, {part}" if line else part
    yield line
