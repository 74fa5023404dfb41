"""Loops compiled to machine code: the one place that says how."""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

# Sums may be reordered and multiply-adds fused, but NaN stays NaN and infinity infinity: bad
# numbers must come out as bad numbers.
_FAST = {"contract", "reassoc", "nsz"}

_PROCESS = uuid4().hex[:12]


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile on first use, and keep the machine code where there is a place for it.

    Where there is none (installed by root, run by a user without a home), Numba would refuse the
    import; then every process compiles for itself.
    """
    return _compiled(function, forceinline=False)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile as :func:`kernel` does, always into its callers: for a step of an inner loop."""
    return _compiled(function, forceinline=True)


def _compiled(function: Callable[..., Any], *, forceinline: bool) -> Callable[..., Any]:
    options: dict[str, Any] = {
        "nogil": True, "fastmath": _FAST, "error_model": "numpy", "forceinline": forceinline,
    }  # fmt: skip
    compiled: Callable[..., Any]
    try:
        compiled = njit(cache=True, **options)(function)
    except RuntimeError:
        return njit(**options)(function)  # type: ignore[no-any-return]
    if hasattr(compiled, "_cache"):  # not with NUMBA_DISABLE_JIT
        _tie_to_all_sources(compiled)
    return compiled


def _tie_to_all_sources(compiled: Any) -> None:
    """Let kept machine code count for the sources it was made from, and no others.

    Kernels contain what they call, from other files too. Numba looks at the size and the time of
    the one file where a kernel stands, so it would run old code after an upgrade. And it numbers
    files of machine code without a lock: two processes that compile at once could write different
    code under one name, and then each run the other's. So each process has names of its own.
    There is no public way to say either; ``tests/recommender/test_compiling.py`` watches.
    """
    kept = compiled._cache._cache_file
    kept._source_stamp = (kept._source_stamp, _checksum())
    kept._data_name_pattern = kept._data_name_pattern.replace(
        "{number:d}", "{number:d}-" + _PROCESS
    )


@cache
def _checksum() -> int:
    """Sum up all sources of this package: a few milliseconds."""
    total = 0
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        total = zlib.crc32(path.read_bytes(), total)
    return total
