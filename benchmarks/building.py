"""What it takes to bring ratings into rows: the figures of docs/decisions/0007. Linux only.

Run as ``python -m benchmarks.building [--ratings 20000000] [--runs 3]``. The entries are random:
few users with many ratings and many with few, few films that everybody knows. Measured are the
seconds of one thread, and how much memory the process takes at the peak beyond the arrays that it
was given; by user first, then the transpose by item as well.
"""

from __future__ import annotations

import argparse
import ctypes
import statistics
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import machine
from recommender import Ratings

if TYPE_CHECKING:
    from numpy.typing import NDArray

SELF = Path("/proc/self")


def megabytes(field: str) -> float:
    """Return a line of the process's own account, such as VmRSS (now) or VmHWM (the peak)."""
    lines = (SELF / "status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))


def entries(n: int) -> tuple[NDArray[Any], ...]:
    """Users, films, stars and times, in no order; as many of each as in MovieLens 20M."""
    rng = np.random.default_rng(0)
    activity = np.cumsum(rng.lognormal(0, 1.2, max(n // 144, 2)))
    fame = np.cumsum(1 / np.arange(1, max(n // 748, 2) + 1) ** 0.9)
    users = np.searchsorted(activity, activity[-1] * rng.random(n, np.float32)) + 1
    films = np.searchsorted(fame, fame[-1] * rng.random(n, np.float32)) * 5 + 1
    stars = (rng.integers(1, 11, n, np.uint8) / np.float32(2)).astype(np.float32)
    return users, films, stars, rng.integers(789652004, 1427784002, n)


def measured(given: tuple[Any, ...], runs: int) -> str:
    """Build the ratings a few times; return the cells of a table."""
    Ratings.from_arrays(*(array[:1000] for array in given)).by_item  # noqa: B018 - to compile
    figures = []
    for _ in range(runs):
        ctypes.CDLL(None).malloc_trim(0)  # what the last run left behind would not count as new
        (SELF / "clear_refs").write_text("5")  # the peak begins anew
        before, started = megabytes("VmRSS"), process_time()
        ratings = Ratings.from_arrays(*given)
        built, peak = process_time(), megabytes("VmHWM") - before
        ratings.by_item  # noqa: B018 - it is made when it is asked for
        turned, peak_of_both = process_time(), megabytes("VmHWM") - before
        figures.append((built - started, peak, turned - built, peak_of_both))
        del ratings
    seconds, peaks, turning, of_both = zip(*figures, strict=True)
    return (
        f"{statistics.median(seconds):.2f} | {max(peaks):.0f} | "
        f"{statistics.median(turning):.2f} | {max(of_both):.0f}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--ratings", type=int, default=20_000_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    users, films, stars, times = entries(asked.ratings)
    print(f"{asked.ratings:,} entries\n{machine.in_one_line()}\n")
    print("| entries | by user, s | peak, MB | by item, s | peak of both, MB |")
    print("|---|---|---|---|---|")
    print(f"| in no order | {measured((users, films, stars), asked.runs)} |")
    print(f"| with times | {measured((users, films, stars, times), asked.runs)} |")
    far = users * 2**33, films * 2**33
    print(f"| ids far apart | {measured((*far, stars), asked.runs)} |")
    del far
    cells, last = np.unique(users * 2**32 + films, return_index=True)
    users, films, stars = cells >> 32, cells & (2**32 - 1), stars[last]
    print(
        f"| in order, none twice ({len(users):,}) | {measured((users, films, stars), asked.runs)} |"
    )


if __name__ == "__main__":
    main()
