"""``python -m benchmarks.training``: measure what was asked for, then show all there is."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.training import page
from benchmarks.training.measuring import Part, Plan, measure
from benchmarks.training.programs import PROGRAMS, chosen
from benchmarks.training.results import Results
from recommender.data.synthetic import named_shape
from recommender.errors import InvalidOptionError

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "var" / "benchmarks"


def words(text: str) -> list[str]:
    """Split ``a,b``."""
    return [word.strip() for word in text.split(",") if word.strip()]


def numbers(text: str) -> list[int]:
    """Split ``64,128``."""
    return [int(word) for word in words(text)]


def scalings(text: str) -> list[float]:
    """Split ``0,1``, the ν that are known here."""
    found = [float(word) for word in words(text)]
    if not set(found) <= {0.0, 1.0}:
        raise argparse.ArgumentTypeError("only 0 and 1 are known")
    return found


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training",
        description="ALS training beside implicit and irspack, on the same matrix, in turn.",
    )
    add = parser.add_argument
    add("--sizes", type=words, help="shapes to generate, such as ml-1m,5m,ml-20m,100m (ml-1m)")
    add("--data", type=Path, action="append", default=[], help="MovieLens folder, zip or CSV")
    add("--factors", type=numbers, default=[64], help="such as 64,128,256")
    add("--programs", type=words, default=sorted({p.name for p in PROGRAMS}),
        help="names, or name/solver: " + ", ".join(p.label for p in PROGRAMS))  # fmt: skip
    add("--part", choices=("epochs", "memory", "objective", "all"), default="all")
    add("--runs", type=int, default=3, help="how often the programs take turns")
    add("--epochs", type=int, default=5, help="epochs that count; one more warms up")
    add("--iterations", type=int, default=15, help="of peers, to set the objective to reach")
    add("--most", type=int, default=100, help="epochs after which ours gives up reaching it")
    add("--scalings", type=scalings, default=[0.0, 1.0], help="ν of the objectives: 0,1")
    add("--threads", type=int, default=2)
    add("--timeout", type=float, default=3600, help="seconds for one training")
    add("--scratch", type=Path, default=KEPT / "matrices", help="where matrices are kept")
    add("--fresh", action="store_true", help="write matrices anew that are kept there")
    add("--results", type=Path, default=KEPT / "training", help="where results are added")
    add("--output", type=Path, help="the page to write, such as docs/performance.md")
    add("--render", action="store_true", help="measure nothing, show what there is")
    given = parser.parse_args()
    if given.sizes is None:
        given.sizes = [] if given.data else ["ml-1m"]
    try:
        chosen(given.programs, max(given.factors))
        for size in given.sizes:
            named_shape(size)
    except (ValueError, InvalidOptionError) as mistake:
        parser.error(str(mistake))
    return given


def main() -> None:
    """Measure and show."""
    given = arguments()
    results = Results(given.results)
    if not given.render:
        parts: tuple[Part, ...] = (given.part,)
        if given.part == "all":
            parts = ("epochs", "objective")  # peaks come with the epochs
        measure(
            Plan(
                sizes=given.sizes, data=given.data, factors=given.factors,
                programs=given.programs, parts=parts, runs=given.runs, epochs=given.epochs,
                iterations=given.iterations, most=given.most, scalings=given.scalings,
                threads=given.threads, timeout=given.timeout, scratch=given.scratch,
                fresh=given.fresh,
            ),
            results,
        )  # fmt: skip
    if not results.records():
        sys.exit(f"there are no results in {given.results}")
    if given.output:
        page.write(given.output, results)
    else:
        print(page.for_terminal(results))


if __name__ == "__main__":
    main()
