"""What is told of an experiment, over all folds and seeds: one document for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from recommender.evaluation.resampling import CONFIDENCE, SAMPLES, percentile_range
from recommender.evaluation.significance import Interval
from recommender.evaluation.surroundings import machine, versions
from recommender.solvers.threads import available_threads
from recommender.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from recommender.data.experiment_files import Fold
    from recommender.evaluation.experiment import Experiment
    from recommender.evaluation.outcome import Outcome
    from recommender.evaluation.planning import Plan

_SEED = 1
"""Of the draws for intervals: the same in every run, so that they can be compared."""

COUNTS = {
    "test_ratings": "test ratings, the last of each repeated pair",
    "test_users": "users in the test",
    "below_relevant_from": "test ratings dropped: fewer stars than relevant ones have",
    "already_known": "test ratings dropped: the training (or the fold-in) has the pair too",
    "unknown_items": "relevant items that training never saw",
    "users_without_relevant_items": "users dropped: nothing relevant left",
    "unknown_users": "users of whom nothing is known: ranked by popularity",
    "users_in_training": "users to be folded in whom training has seen",
    "users_scored_alike": "users whose items all have one score: ranked by id, which says nothing",
    "lists_cut_in_a_tie": "lists that end between items of equal score",
    "negatives": "negatives ranked",
    "positives_among_negatives": "negatives dropped: the user's own test items",
    "negatives_of_unknown_items": "negatives that training never saw: ranked last",
    "negatives_already_known": "negatives that the user rated in the training: kept",
    "users_without_negatives": "users dropped: no negatives",
    "users_with_negatives_alone": "users with negatives who are not asked: passed over",
    "users_with_fewer_negatives": "users with fewer items left than negatives were to be drawn",
    "ratings_of_unknown_users": "test ratings by users whom training never saw: fallback",
    "ratings_of_unknown_items": "test ratings of items that training never saw: fallback",
    "clipped": "predictions outside the training's scale: clipped",
}
"""What is counted, by name; of lists for each k, as in ``lists_cut_in_a_tie@10``. In strong
generalization unknown items are dropped; in the other rankings they stay in the denominators, as
misses."""


@dataclass(frozen=True, eq=False)
class Run:
    """One training and one evaluation.

    Attributes
    ----------
    fold, seed
        Which; folds from 1.
    options
        Of the model, every one.
    values, intervals
        Every figure by name, and the interval of each that has one.
    resampled
        By name, the figure in every resample of users.
    judged
        (n_users of all folds,) bool: who is judged in this one.
    memory
        Bytes that the process had held at its worst when the run was over, if anybody asked.
    """

    fold: int
    seed: int | None
    options: dict[str, Any]
    n_users: int
    values: dict[str, float]
    intervals: dict[str, Interval]
    resampled: dict[str, NDArray[np.float64]]
    counts: dict[str, int]
    settings: dict[str, object]
    data: dict[str, int]
    judged: NDArray[np.bool_]
    seconds: dict[str, float] = field(default_factory=dict)
    memory: int | None = None

    @classmethod
    def of(
        cls,
        outcome: Outcome,
        fold: int,
        seed: int | None,
        options: dict[str, Any],
        files: Fold,
        plan: Plan,
    ) -> Self:
        """Keep of an outcome what a report tells; what each user adds is let go."""
        n_folds, places = len(plan.sha256), plan.judged.places(outcome.user_ids)
        among = (places, len(plan.judged)) if n_folds > 1 else None
        resampled = outcome.resampled(SAMPLES, _SEED, among)
        judged = np.zeros(len(plan.judged), np.bool_)
        judged[places] = outcome.columns["users"] > 0
        values = outcome.values()
        counts = {f"repeated_in_{role}": n for role, n in files.repeated.items()}
        data = {
            "train_ratings": files.train.n_ratings,
            "train_users": files.train.n_users,
            "train_items": files.train.n_items,
            "test_ratings": files.test.n_ratings,
        }
        intervals = {name: _interval(values[name], drawn) for name, drawn in resampled.items()}
        return cls(
            fold, seed, options, outcome.n_users, values, intervals, resampled,
            outcome.counts | counts, outcome.settings, data, judged,
        )  # fmt: skip

    def document(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "fold": self.fold,
            "seed": self.seed,
            "options": self.options,
            "users": self.n_users,
            "metrics": {
                name: _plain(self.values[name], self.intervals.get(name)) for name in self.values
            },
            "counts": self.counts,
            "data": self.data,
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "peak_memory_bytes": self.memory,
        }


@dataclass(frozen=True)
class Summary:
    """A figure over all runs.

    Attributes
    ----------
    interval
        The mean over runs, and where it may lie for other users of the same kind. All runs see
        the same draws: a user who is drawn brings what is theirs in every fold.
    spread_of_seeds, spread_of_folds
        Standard deviation (over n - 1) between the seeds' means over folds, and between the folds'
        means over seeds; ``None`` where there is one.
    """

    mean: float
    interval: Interval | None
    spread_of_seeds: float | None
    spread_of_folds: float | None


@dataclass(frozen=True, eq=False)
class Report:
    """All runs of an experiment."""

    experiment: Experiment
    runs: list[Run]
    seconds: float
    plan: Plan

    @property
    def options(self) -> dict[str, Any]:
        """The options of the first run; those of other folds may differ by their size."""
        return self.runs[0].options

    @property
    def threads(self) -> int:
        """The most cores that a training uses: as the option says, else all that there are."""
        return int(self.options.get("threads") or available_threads())

    def summaries(self) -> dict[str, Summary]:
        """Return every figure over all runs."""
        return {name: self._summary(name) for name in self.runs[0].values}

    def _summary(self, name: str) -> Summary:
        mean = _mean(run.values[name] for run in self.runs)
        interval = None
        if name in self.runs[0].resampled:
            drawn = np.mean([run.resampled[name] for run in self.runs], axis=0)
            interval = _interval(mean, drawn)
        return Summary(mean, interval, self._spread(name, "seed"), self._spread(name, "fold"))

    def _spread(self, name: str, of: str) -> float | None:
        """Return the deviation between seeds, or folds."""
        groups: dict[int | None, list[float]] = {}
        for run in self.runs:
            groups.setdefault(getattr(run, of), []).append(run.values[name])
        if len(groups) < 2:
            return None
        return float(np.std([_mean(group) for group in groups.values()], ddof=1))

    def counts(self) -> dict[str, int]:
        """Return what was counted, added up over folds; of several seeds, the first's.

        Of ``test_users`` each counts once, in however many folds.
        """
        firsts = [run for run in self.runs if run.seed == self.runs[0].seed]
        counts = {name: sum(run.counts[name] for run in firsts) for name in firsts[0].counts}
        return counts | {"test_users": self.plan.n_test_users}

    @property
    def n_users(self) -> int:
        """How many users were judged, each once, in however many folds."""
        firsts = [run.judged for run in self.runs if run.seed == self.runs[0].seed]
        return int(np.any(firsts, axis=0).sum())

    def document(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        asked = self.experiment
        metrics = {
            name: _plain(s.mean, s.interval)
            | {"spread_of_seeds": s.spread_of_seeds, "spread_of_folds": s.spread_of_folds}
            for name, s in self.summaries().items()
        }
        return {
            "version": __version__,
            "versions": versions(),
            "machine": machine(),
            "threads": self.threads,
            "protocol": asked.protocol,
            "model": asked.model,
            "options": {k: v for k, v in self.options.items() if k != "seed"},
            "seeds": [seed for seed in asked.seeds if seed is not None],
            "files": [
                {role: None if path is None else str(path) for role, path in vars(fold).items()}
                for fold in asked.folds
            ],
            "sha256": list(self.plan.sha256),
            "settings": {
                "k": asked.places,
                "relevant_from": asked.relevant_from,
                "sampled_negatives": asked.sampled_negatives,
                "timestamps": asked.timestamps,
                "confidence": CONFIDENCE,
                "bootstrap_samples": SAMPLES,
                **self.runs[0].settings,
            },
            "users": self.n_users,
            "metrics": metrics,
            "counts": self.counts(),
            "runs": [run.document() for run in self.runs],
            "seconds": self.total_seconds(),
        }

    def total_seconds(self) -> dict[str, float]:
        """Return the seconds of all runs, by what they were spent on."""
        names = self.runs[0].seconds
        total = {name: round(sum(run.seconds[name] for run in self.runs), 3) for name in names}
        return total | {"total": round(self.seconds, 3)}


def _plain(value: float, interval: Interval | None) -> dict[str, float | None]:
    """Return a figure with its interval; what has no value is null, as JSON has no NaN."""
    ends = (None, None) if interval is None else (interval.low, interval.high)
    named = {"mean": value, "low": ends[0], "high": ends[1]}
    return {
        name: None if number is None or not np.isfinite(number) else number
        for name, number in named.items()
    }


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _interval(value: float, drawn: NDArray[np.float64]) -> Interval:
    there = drawn[np.isfinite(drawn)]
    if not len(there):
        return Interval(value, value, value)
    return Interval(value, *percentile_range(there))
