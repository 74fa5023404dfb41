"""How long ours takes to a given objective: found by one training, timed by another.

``fit`` returns its factors when it ends, so the epoch to stop after has to be known. A first
training tells the loss after every epoch and is ended when the target is reached. A second one, of
so many epochs and without computing losses, is the one that is timed, and the objective of what it
returns is computed like everybody's.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.training.trainers import (
    Factors,
    Watch,
    handed,
    objective_of,
    our_model,
    train,
)

if TYPE_CHECKING:
    from benchmarks.training.matrix import Stored
    from benchmarks.training.programs import Spec

MORE = 3
"""Epochs to add at most, should the second training's objective miss by a rounding."""


class _ReachedError(Exception):
    """Ends the first training."""


def follow(spec: Spec, stored: Stored) -> tuple[list[float], list[float]]:
    """Train until the loss is no larger than the target, or the epochs are used up.

    Returns
    -------
    Seconds and loss of each epoch.
    """
    from recommender import Ratings

    seconds: list[float] = []
    losses: list[float] = []

    def after(_epoch: int, passed: float, loss: float | None) -> None:
        assert loss is not None
        seconds.append(passed)
        losses.append(loss)
        if spec.target is not None and loss <= spec.target:
            raise _ReachedError

    with suppress(_ReachedError):
        our_model(spec).fit(Ratings.from_sparse(handed(spec, stored).take()), after)
    return seconds, losses


def timed(spec: Spec, stored: Stored, epochs: int) -> tuple[Watch, float, Factors, float]:
    """Train so many epochs, or a few more when the target needs them.

    Returns
    -------
    The seconds of the epochs, those of the whole training, the factors, and their objective.
    """
    from benchmarks.training.loss import loss

    for more in range(MORE + 1):
        watch, matrix = Watch(), handed(spec, stored)
        started = perf_counter()
        result = train(replace(spec, epochs=epochs + more), matrix, watch)
        whole = perf_counter() - started
        W, H = result()
        reached = loss(
            objective_of(spec), stored.indptr, stored.indices, W, H, threads=spec.threads
        )
        if spec.target is None or reached <= spec.target:
            break
    return watch, whole, (W, H), reached
