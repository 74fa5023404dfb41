"""One training of one program: reads a ``Spec`` from standard input, prints what was measured.

The order matters. Memory is noted when the program is imported and when the matrix is loaded; its
peak is read right after the training, before factors are copied, judged or ranked.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.training import process_memory
from benchmarks.training.matrix import load
from benchmarks.training.programs import OURS, Spec
from benchmarks.training.trainers import (
    Factors,
    Watch,
    handed,
    load_program,
    objective_of,
    train,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.training.matrix import Stored


def run(spec: Spec) -> dict[str, Any]:
    """Train as told.

    Returns
    -------
    ``seconds``, one an epoch; ``whole``, the training with its preparation; ``load``, importing
    and, for ours, loading compiled loops; ``memory`` in bytes; ``objectives``, one an epoch;
    ``ndcg``. What was not asked for is missing.
    """
    started = perf_counter()
    load_program(spec)
    found: dict[str, Any] = {"load": perf_counter() - started}
    memory = {"imported": process_memory.resident()}
    folder = Path(spec.matrix)
    if spec.part == "objective":
        factors = _to_objective(spec, load(folder), found)
    else:
        matrix, watch = handed(spec, load(folder)), Watch()
        memory["loaded"] = process_memory.resident()
        started = perf_counter()
        result = train(spec, matrix, watch)
        found |= {"whole": perf_counter() - started, "seconds": watch.seconds}
        memory["peak"] = process_memory.peak()
        found["memory"] = memory
        factors = result()
    if spec.score:
        from benchmarks.training.score import ndcg_at_10

        found["ndcg"] = ndcg_at_10(load(folder), *factors)
    return found


def _to_objective(spec: Spec, stored: Stored, found: dict[str, Any]) -> Factors:
    from benchmarks.training.loss import loss
    from benchmarks.training.to_objective import follow, timed

    if spec.program == OURS:
        followed, losses = follow(spec, stored)
        watch, whole, factors, reached = timed(spec, stored, len(losses))
        found |= {"followed_seconds": followed, "objectives": losses}
    else:
        objective = objective_of(spec)

        def look(show: Callable[[], Factors]) -> float:
            W, H = show()
            return loss(objective, stored.indptr, stored.indices, W, H, threads=spec.threads)

        watch, matrix = Watch(look), handed(spec, stored)
        started = perf_counter()
        factors = train(spec, matrix, watch)()
        whole = perf_counter() - started - watch.looking
        reached = watch.objectives[-1]
        found["objectives"] = watch.objectives
    found |= {"seconds": watch.seconds, "whole": whole, "reached": reached}
    return factors


def main() -> None:
    """Read, run, print."""
    warnings.simplefilter("ignore")  # peers warn of BLAS threads and of what Python deprecates
    spec = Spec(**json.load(sys.stdin))
    print("\n" + json.dumps(run(spec)))


if __name__ == "__main__":
    main()
