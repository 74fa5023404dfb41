"""What a search has found so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recommender.tuning.journal import Trial


@dataclass(frozen=True)
class Findings:
    """What a search has found so far.

    Attributes
    ----------
    best
        The trial with the best score. Its options, trained on the same part of the ratings, give
        this very score again.
    first
        The trial with the defaults, which is always the first one.
    trials
        All, in order.
    """

    best: Trial
    first: Trial
    trials: tuple[Trial, ...]

    def count(self, state: str) -> int:
        """Return how many trials ended so."""
        return sum(trial.state == state for trial in self.trials)

    def scores(self) -> dict[str, float | int | None]:
        """Return what a report says of them, by name."""
        return {
            "score": self.best.score,
            "default_score": self.first.score,
            "trials": len(self.trials),
            "pruned": self.count("pruned"),
            "failed": self.count("failed"),
        }


def findings_of(trials: Sequence[Trial], larger_is_better: bool) -> Findings | None:
    """Return what some trials have found; ``None`` while none is complete.

    Of equal scores the earlier one is the best.
    """
    sign = 1.0 if larger_is_better else -1.0
    complete = [(sign * trial.score, -trial.number) for trial in trials if trial.score is not None]
    if not complete:
        return None
    return Findings(trials[-max(complete)[1]], trials[0], tuple(trials))
