"""How fast the SQLite store writes, imports and is read whole.

Run as ``python -m benchmarks.store [--rows 1000000] [--threads 64] [--seconds 5] [--runs 5]
[--directory DIR]``. Medians of the runs: single ratings of many threads, each acknowledged after
its fsync before the next is sent; an import of so many rows into an empty database, and the same
once more (all of it unchanged); a snapshot of it. The directory should lie on the disk to measure.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
from pathlib import Path
from time import perf_counter, time
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from app.store import Movie, open_store
from benchmarks import machine

if TYPE_CHECKING:
    from app.store import Store

MOVIES = 20_000
PER_USER = 100


def planted_ratings(rows: int) -> pl.DataFrame:
    """Return that many ratings, 100 per user, shuffled."""
    rng = np.random.default_rng(0)
    users = np.arange(rows) // PER_USER
    first = rng.integers(0, MOVIES, rows // PER_USER + 1)[users]
    frame = pl.DataFrame(
        {
            "user": users,
            "item": (first + np.arange(rows) % PER_USER * 173) % MOVIES,
            "rating": rng.integers(1, 11, rows).astype(np.float32) / 2,
            "timestamp": rng.integers(10**9, 2 * 10**9, rows),
        }
    )
    return frame.sample(fraction=1, shuffle=True, seed=0)


def single_writes(store: Store, threads: int, seconds: float) -> tuple[float, float]:
    """Return acknowledged ratings per second, and how many shared a commit on average."""
    for movie in range(100):
        store.put_movie(Movie(f"single{movie}", "Single")).result()
    before = store.writer_state()
    until = perf_counter() + seconds

    def rate(user: int) -> None:
        i = 0
        while perf_counter() < until:
            store.put_rating(f"thread{user}", f"single{i % 100}", 1 + i % 9 / 2, i).result()
            i += 1

    workers = [threading.Thread(target=rate, args=(user,)) for user in range(threads)]
    started = perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    passed = perf_counter() - started
    after = store.writer_state()
    operations = after.operations - before.operations
    return operations / passed, operations / (after.commits - before.commits)


def one_run(directory: Path, frame: pl.DataFrame, threads: int, seconds: float) -> dict[str, float]:
    """Measure everything once, on a new database."""
    figures = {}
    with open_store(None, directory) as store:
        for name in ("import, rows/s", "the same again, rows/s"):
            started = perf_counter()
            store.import_dataset(frame)
            figures[name] = frame.height / (perf_counter() - started)
        started = perf_counter()
        store.snapshot()
        figures["snapshot, rows/s"] = frame.height / (perf_counter() - started)
        rate, shared = single_writes(store, threads, seconds)
        figures[f"single ratings of {threads} threads, acknowledged/s"] = rate
        figures["ratings per commit"] = shared
        started = perf_counter()
        for i in range(100):
            store.put_rating("alone", f"single{i}", 3, int(time())).result()
        figures["single ratings of one thread, acknowledged/s"] = 100 / (perf_counter() - started)
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--directory", type=Path, default=None)
    given = parser.parse_args()
    frame = planted_ratings(given.rows)
    runs = []
    for _ in range(given.runs):
        with tempfile.TemporaryDirectory(dir=given.directory) as directory:
            runs.append(one_run(Path(directory), frame, given.threads, given.seconds))
    print(f"{given.rows:,} rows, median of {given.runs} runs\n{machine.in_one_line()}\n")
    print("| what | median | least | most |\n|---|---|---|---|")
    for name in runs[0]:
        values = [run[name] for run in runs]
        print(
            f"| {name} | {statistics.median(values):,.0f} | {min(values):,.0f} | "
            f"{max(values):,.0f} |"
        )


if __name__ == "__main__":
    main()
