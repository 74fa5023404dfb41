"""How fast a store writes, imports and is read whole, and what memory an import takes.

Run as ``python -m benchmarks.store [--backend sqlite|postgres] [--url URL] [--parts single chunks
whole snapshot] [--rows 1000000] [--order user|time] [--threads 64] [--seconds 5] [--runs 5]
[--directory DIR]``. Medians of the runs, each on a new database:

- ``single``: ratings of many threads, each acknowledged after its fsync before the next is sent;
- ``chunks``: a stream of generated rows, a transaction for each 50,000, with the memory that the
  process takes beyond what it had before; and the same once more (all of it unchanged);
- ``whole``: a frame of as many rows in one transaction;
- ``snapshot``: all ratings as one frame, after whichever of the two came before.

The directory should lie on the disk to measure. PostgreSQL is started there, with fsync, unless
``--url`` names an empty database (then one run is all there is).
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import statistics
import tempfile
import threading
from pathlib import Path
from time import perf_counter, time
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from app.store import Movie, open_store
from app.store.records import Chunk
from benchmarks import machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.store import Store

MOVIES = 20_000
PER_USER = 100
CHUNK = 50_000
PARTS = ("single", "chunks", "whole", "snapshot")


def rows_between(start: int, stop: int) -> pl.DataFrame:
    """Return these of an endless sequence of ratings, 100 per user, no pair twice."""
    rng = np.random.default_rng(start)
    number = np.arange(start, stop)
    users = number // PER_USER
    first = users * 7919 % MOVIES
    return pl.DataFrame(
        {
            "user": users,
            "item": (first + number % PER_USER * 173) % MOVIES,
            "rating": rng.integers(1, 11, len(number)).astype(np.float64) / 2,
            "timestamp": rng.integers(10**9, 2 * 10**9, len(number)),
        }
    )


def chunks(rows: int, order: str) -> Iterator[Chunk]:
    """Yield so many ratings, never all at once: user by user, or each chunk of many users."""
    n_chunks = -(-rows // CHUNK)
    for i in range(n_chunks):
        if order == "user":
            frame = rows_between(i * CHUNK, min((i + 1) * CHUNK, rows))
        else:  # as if by time: every user comes back in every chunk
            whole = rows_between(0, rows) if n_chunks == 1 else _stride(i, n_chunks, rows)
            frame = whole.sample(fraction=1, shuffle=True, seed=i)
        yield Chunk({"chunk": i}, ratings=frame)


def _stride(i: int, n: int, rows: int) -> pl.DataFrame:
    """Return every n-th row, beginning with the i-th."""
    number = np.arange(i, rows, n)
    users = number // PER_USER
    return pl.DataFrame(
        {
            "user": users,
            "item": (users * 7919 % MOVIES + number % PER_USER * 173) % MOVIES,
            "rating": number * 7919 % 10 / 2 + 0.5,
            "timestamp": 10**9 + number,
        }
    )


class Memory:
    """The most memory that the process takes inside the block, beyond what it had before."""

    def __enter__(self) -> Self:
        self.before = self.peak = _resident()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.02):
            self.peak = max(self.peak, _resident())

    @property
    def megabytes(self) -> float:
        """What it took."""
        return (self.peak - self.before) / 2**20


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


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


def measure_single(store: Store, given: argparse.Namespace) -> dict[str, float]:
    rate, shared = single_writes(store, given.threads, given.seconds)
    started = perf_counter()
    for i in range(100):
        store.put_rating("alone", f"single{i}", 3, int(time())).result()
    return {
        f"single ratings of {given.threads} threads, acknowledged/s": rate,
        "ratings per commit": shared,
        "single ratings of one thread, acknowledged/s": 100 / (perf_counter() - started),
    }


def measure_chunks(store: Store, given: argparse.Namespace) -> dict[str, float]:
    figures = {}
    for name in ("import in chunks", "the same chunks again"):
        with Memory() as memory:
            started = perf_counter()
            store.import_chunks(chunks(given.rows, given.order), atomic=False)
            figures[f"{name}, rows/s"] = given.rows / (perf_counter() - started)
        figures[f"{name}, MB of memory"] = memory.megabytes
    return figures


def measure_whole(store: Store, given: argparse.Namespace) -> dict[str, float]:
    frame = rows_between(0, given.rows).sample(fraction=1, shuffle=True, seed=0)
    figures = {}
    for name in ("import of one frame, rows/s", "the same frame again, rows/s"):
        started = perf_counter()
        store.import_dataset(frame)
        figures[name] = given.rows / (perf_counter() - started)
    return figures


def measure_snapshot(store: Store, given: argparse.Namespace) -> dict[str, float]:
    del given
    with Memory() as memory:
        started = perf_counter()
        height = store.snapshot().ratings.height
        passed = perf_counter() - started
    return {
        "snapshot, ratings": height,
        "snapshot, seconds": passed,
        "snapshot, MB of memory": memory.megabytes,
    }


MEASURES: dict[str, Callable[[Store, argparse.Namespace], dict[str, float]]] = {
    "single": measure_single,
    "chunks": measure_chunks,
    "whole": measure_whole,
    "snapshot": measure_snapshot,
}


@contextlib.contextmanager
def databases(given: argparse.Namespace) -> Iterator[Callable[[], str | None]]:
    """Yield what makes a new database, and returns its URL."""
    if given.url is not None:
        yield lambda: str(given.url)
    elif given.backend == "sqlite":
        yield lambda: None
    else:
        from tests import postgres

        tempfile.tempdir = given.directory
        server: Any
        with postgres.Server(fsync=True) as server:  # type: ignore[no-untyped-call]
            yield lambda: str(server.socket_url(server.new_database()))


def one_run(url: str | None, given: argparse.Namespace) -> dict[str, float]:
    """Measure everything once, on a new database."""
    figures: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory(dir=given.directory) as directory,
        open_store(url, directory) as store,
    ):
        for part in given.parts:
            figures |= MEASURES[part](store, given)
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--backend", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--url", default=None)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--order", choices=("user", "time"), default="user")
    parser.add_argument("--threads", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--directory", type=Path, default=None)
    given = parser.parse_args()
    with databases(given) as new_database:
        runs = [one_run(new_database(), given) for _ in range(1 if given.url else given.runs)]
    print(f"{given.backend}, {given.rows:,} rows by {given.order}, median of {len(runs)} runs")
    print(f"{machine.in_one_line()}\n")
    print("| what | median | least | most |\n|---|---|---|---|")
    for name in runs[0]:
        values = [run[name] for run in runs]
        print(
            f"| {name} | {statistics.median(values):,.1f} | {min(values):,.1f} | "
            f"{max(values):,.1f} |"
        )


if __name__ == "__main__":
    main()
