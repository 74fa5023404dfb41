"""Running an experiment: read, train, ask, for every fold and every seed."""

from __future__ import annotations

import inspect
from time import perf_counter
from typing import TYPE_CHECKING, Any

from recommender.data.experiment_files import read_fold
from recommender.evaluation.full_ranking import rank_catalogue, strong_generalization
from recommender.evaluation.leave_one_out import leave_one_out
from recommender.evaluation.rating_prediction import rating_prediction
from recommender.evaluation.report import Report, Run
from recommender.models.by_name import named_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from recommender.data.experiment_files import Fold
    from recommender.data.ratings import Ratings
    from recommender.evaluation.contestants import Progress
    from recommender.evaluation.experiment import Experiment, FoldFiles
    from recommender.evaluation.outcome import Outcome


def run_experiment(experiment: Experiment, progress: Progress | None = None) -> Report:
    """Run it: one training and one evaluation for each fold and seed.

    Parameters
    ----------
    experiment
        What is to be run.
    progress
        Told of each epoch and of each batch of users.

    Raises
    ------
    FileFormatError
        When a file cannot be used: see :func:`read_fold
        <recommender.data.experiment_files.read_fold>`.
    TooFewRatingsError
        When there is nothing to learn from, or nobody left to be asked.
    """
    started = perf_counter()
    runs: list[Run] = []
    for number, files in enumerate(experiment.folds, start=1):
        before = perf_counter()
        fold = _read(experiment, files)
        read_seconds = perf_counter() - before
        for seed in experiment.seeds:
            title = _title(experiment, number, seed)
            one = _Once(experiment, fold, seed, _titled(progress, title))
            outcome = one.run()
            seconds = {"read": read_seconds, "fit": one.fit_seconds, "evaluate": one.ask_seconds}
            before = perf_counter()
            one.tell("intervals", 0, 1)
            runs.append(Run.of(outcome, number, seed, one.options, fold, seconds))
            one.tell("intervals", 1, 1)
            seconds["evaluate"] += perf_counter() - before
            read_seconds = 0.0
    return Report(experiment, runs, perf_counter() - started)


def _read(experiment: Experiment, files: FoldFiles) -> Fold:
    return read_fold(
        files.train,
        files.test,
        fold_in=files.fold_in,
        negatives=files.negatives,
        stars=experiment.protocol == "rating",
        relevant_from=experiment.relevant_from is not None,
        timestamps=experiment.timestamps,
    )


def _title(experiment: Experiment, number: int, seed: int | None) -> str:
    parts = []
    if len(experiment.folds) > 1:
        parts.append(f"fold {number} of {len(experiment.folds)}")
    if experiment.n_seeds > 1:
        parts.append(f"seed {seed}")
    return ", ".join(parts)


def _titled(progress: Progress | None, title: str) -> Progress:
    if progress is None:
        return lambda _phase, _done, _total: None
    if not title:
        return progress
    return lambda phase, done, total: progress(f"{title}: {phase}", done, total)


class _Once:
    """One training and one evaluation."""

    def __init__(
        self, experiment: Experiment, fold: Fold, seed: int | None, tell: Progress
    ) -> None:
        self.experiment, self.fold, self.seed, self.tell = experiment, fold, seed, tell
        self.options: dict[str, Any] = {}
        self.fit_seconds = self.ask_seconds = 0.0

    def run(self) -> Outcome:
        """Train, then ask."""
        named = named_model(self.experiment.model)
        seeded = {"seed": self.seed} if named.is_random else {}
        defaults = self.experiment.defaults(self.fold.train)
        made = named.make({**defaults, **self.experiment.options, **seeded})
        self.options = named.options_of(made)
        started = perf_counter()
        trained = self._fit(made.fit)
        self.fit_seconds = perf_counter() - started
        started = perf_counter()
        outcome = self._ask(trained)
        self.ask_seconds = perf_counter() - started
        return outcome

    def _fit(self, fit: Callable[..., Any]) -> Any:
        steps = self.options.get("epochs", self.options.get("samples", 1))

        def tell(step: int, _seconds: float, _loss: float | None) -> None:
            nonlocal steps
            steps = max(steps, step)  # some draw before they count
            self.tell("training", step, steps)

        self.tell("training", 0, steps)
        told = {"callback": tell} if "callback" in inspect.signature(fit).parameters else {}
        trained = fit(self.fold.train, **told)
        self.tell("training", steps, steps)
        return trained

    def _ask(self, trained: Any) -> Outcome:
        asked, fold, ks = self.experiment, self.fold, self.experiment.places
        told: dict[str, Any] = {"progress": self.tell}
        if asked.protocol == "rating":
            return rating_prediction(trained, fold.train, fold.test, **told)
        told["relevant_from"] = asked.relevant_from
        if asked.protocol == "leave-one-out":
            negatives: Ratings | int = (
                fold.negatives if fold.negatives is not None else asked.sampled_negatives or 0
            )
            seed = self.seed or 0
            return leave_one_out(trained, fold.train, fold.test, negatives, ks, seed=seed, **told)
        if fold.fold_in is not None:
            return strong_generalization(trained, fold.train, fold.fold_in, fold.test, ks, **told)
        return rank_catalogue(trained, fold.train, fold.test, ks, **told)
