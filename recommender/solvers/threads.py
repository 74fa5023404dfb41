"""The only file that knows about threads and BLAS.

Kernels are compiled without the interpreter's lock and each gets its share of the rows, so
plain Python threads run them side by side; two trainings in one process do not disturb each
other. BLAS is held to one thread meanwhile: its own threads would fight with ours for the cores
and make sums depend on their number. Nobody has to know ``OPENBLAS_NUM_THREADS``.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from recommender.arrays import Rows


Result = TypeVar("Result")


def available_threads() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def worthwhile_threads(threads: int | None, n_entries: int) -> int:
    """Use no more threads than there is work for: to start one takes as long as a few rows."""
    return min(threads or available_threads(), 1 + n_entries // 5_000)


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks through all loaded libraries: once is enough


class _Hold:
    """Counts who holds BLAS to one thread: its limit is the process's, and blocks may overlap."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._holders = 0
        self._limit: Any = None

    def take(self) -> None:
        """Limit BLAS, unless somebody does already."""
        with self._lock:
            if self._holders == 0:
                self._limit = _controller().limit(limits=1, user_api="blas")
            self._holders += 1

    def release(self) -> None:
        """Lift the limit when the last one lets go."""
        with self._lock:
            self._holders -= 1
            if self._holders == 0:
                self._limit.restore_original_limits()


_hold = _Hold()


def _start_over() -> None:
    """Forget who held BLAS before a fork: they are in the other process."""
    global _hold  # one for the process, and this is a new process
    _hold = _Hold()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_over)


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS to one thread until the last of the blocks that overlap has ended."""
    _hold.take()
    try:
        yield
    finally:
        _hold.release()


def deal_rows(indptr: NDArray[np.int64], threads: int) -> list[Rows]:
    """Deal the rows to threads, longest first, like cards: every hand weighs about the same."""
    longest_first = np.argsort(-np.diff(indptr), kind="stable").astype(np.int64)
    return [np.ascontiguousarray(longest_first[thread::threads]) for thread in range(threads)]


def run_shares(work: Callable[[Rows], Result], shares: list[Rows]) -> list[Result]:
    """Run ``work`` on each share of rows, one thread a share, and return what each returned."""
    if len(shares) == 1:
        return [work(shares[0])]
    with ThreadPoolExecutor(len(shares)) as pool:
        return list(pool.map(work, shares))
