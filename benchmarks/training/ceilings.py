"""What the machine can do at best: bytes a second through memory, multiply-adds a second.

No solver can read its vectors faster than the one, or multiply them faster than the other.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from recommender.compiling import kernel
from recommender.solvers.threads import run_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORDS = 1 << 25  # of 4 bytes, three times: 400 MB, far more than any cache
_SIDE = 3072
_REPEATS = 5


@kernel
def _triad(
    rows: NDArray[np.int64],
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    c: NDArray[np.float32],
    scale: np.float32,
) -> None:
    for i in range(rows[0], rows[1]):
        a[i] = b[i] + scale * c[i]


def memory_bandwidth(threads: int, words: int = _WORDS) -> float:
    """Bytes a second of STREAM's triad ``a = b + s·c``: two read and one written, the best run."""
    a, b, c = (np.full(words, value, dtype=np.float32) for value in (0.0, 1.0, 2.0))
    edges = np.linspace(0, words, threads + 1).astype(np.int64)
    shares = [edges[thread : thread + 2] for thread in range(threads)]
    _triad(np.array([0, 1]), a, b, c, np.float32(3))  # compiles
    best = np.inf
    for _ in range(_REPEATS):
        started = perf_counter()
        run_shares(lambda rows: _triad(rows, a, b, c, np.float32(3)), shares)
        best = min(best, perf_counter() - started)
    assert a[0] == a[-1] == 7.0
    return 3 * a.nbytes / best


def multiply_adds(threads: int, side: int = _SIDE) -> float:
    """Multiply-adds a second of float32, in BLAS's product of two square matrices, the best run."""
    a = np.ones((side, side), dtype=np.float32)
    out = np.empty_like(a)
    best = np.inf
    with threadpool_limits(threads, user_api="blas"):
        for _ in range(_REPEATS):
            started = perf_counter()
            np.matmul(a, a, out=out)
            best = min(best, perf_counter() - started)
    return side**3 / best


def measure(threads: int) -> dict[str, float]:
    """Return both ceilings by name."""
    return {
        "memory_bytes_per_second": memory_bandwidth(threads),
        "multiply_adds_per_second": multiply_adds(threads),
    }
