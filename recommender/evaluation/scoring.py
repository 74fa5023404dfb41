"""Scores in batches: as many users at a time as memory should hold, whoever scores them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import frozen
from recommender.errors import InvalidInputError
from recommender.solvers.threads import available_threads, run_shares

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from recommender.arrays import Rows
    from recommender.evaluation.alignment import Asked
    from recommender.evaluation.contestants import Progress

_SCORES_AT_ONCE = 1 << 23
"""32 MB: so large that a matrix product is at its best, so small that a few fit into memory."""

_USERS_AT_ONCE = 4_096

_WORK_FOR_A_THREAD = 1 << 16
"""Scores that are looked through in the time that a thread takes to start."""


@dataclass(frozen=True, eq=False)
class Scored:
    """Some users with their scores.

    Attributes
    ----------
    users
        (B,) int64: which of the asked users.
    lines
        (B,) int64: which line of ``scores`` is each user's. All that training never saw share one.
    scores
        (lines, n_items) float32, read-only.
    """

    users: Rows
    lines: Rows
    scores: NDArray[np.float32]


def scored_batches(
    score: Callable[[Rows], NDArray[np.float32]],
    asked: Asked,
    progress: Progress | None = None,
    phase: str = "evaluating",
) -> Iterator[Scored]:
    """Score every item for all asked users: those that training knows first, then the others.

    Parameters
    ----------
    score
        Gives (B, n_items) finite scores for (B,) rows.
    asked
        Who. For those of whom nothing is known the popularity of items is the score. Who has one
        score for all items is counted there (``users_scored_alike``).
    progress
        Told of each batch.
    phase
        What it is told that goes on.

    Raises
    ------
    InvalidInputError
        When ``score`` gives another shape.
    """
    known, strangers = np.flatnonzero(asked.rows >= 0), np.flatnonzero(asked.rows < 0)
    size = max(1, min(_USERS_AT_ONCE, _SCORES_AT_ONCE // asked.n_items))
    tell = progress or (lambda _phase, _done, _total: None)
    tell(phase, 0, asked.n_users)
    asked.counts["users_scored_alike"] = 0
    for begin in range(0, len(known), size):
        users = known[begin : begin + size]
        scores = _checked(score(asked.rows[users]), (len(users), asked.n_items))
        asked.counts["users_scored_alike"] += _alike(scores)
        yield Scored(users, np.arange(len(users)), scores)
        tell(phase, begin + len(users), asked.n_users)
    popular = _checked(asked.popularity[None], (1, asked.n_items))
    asked.counts["users_scored_alike"] += _alike(popular) * len(strangers)
    for begin in range(0, len(strangers), _USERS_AT_ONCE):
        users = strangers[begin : begin + _USERS_AT_ONCE]
        yield Scored(users, np.zeros(len(users), np.int64), popular)
        tell(phase, len(known) + begin + len(users), asked.n_users)


def _alike(scores: NDArray[np.float32]) -> int:
    """Count the lines with one score for all items: their ranking says nothing of the user."""
    if scores.shape[1] < 2:
        return 0
    return int((scores.min(axis=1) == scores.max(axis=1)).sum())


def _checked(scores: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float32]:
    if scores.shape != shape:
        raise InvalidInputError(
            f"a ranker gave scores of the shape {scores.shape}; asked was for {shape}: "
            "a line a user, a column an item of the training"
        )
    return frozen(np.ascontiguousarray(scores, np.float32))


def shared_out(work: Callable[[Rows], Any], batch: Scored) -> list[Any]:
    """Let every core work on its part of a batch; ``work`` is given places in the batch."""
    n, n_items = len(batch.users), batch.scores.shape[1]
    threads = max(1, min(available_threads(), n, n * n_items // _WORK_FOR_A_THREAD))
    return run_shares(work, [frozen(part) for part in np.array_split(np.arange(n), threads)])
