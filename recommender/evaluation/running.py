"""Running an experiment: read, train, ask, for every fold and every seed."""

from __future__ import annotations

import inspect
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from recommender.evaluation.full_ranking import rank_catalogue, strong_generalization
from recommender.evaluation.leave_one_out import leave_one_out
from recommender.evaluation.planning import Plan, options_for
from recommender.evaluation.preparing import prepare
from recommender.evaluation.rating_prediction import rating_prediction
from recommender.evaluation.report import Report, Run
from recommender.models.by_name import named_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recommender.data.experiment_files import Fold
    from recommender.data.ratings import Ratings
    from recommender.evaluation.contestants import Progress
    from recommender.evaluation.experiment import Experiment
    from recommender.evaluation.outcome import Outcome


def run_experiment(
    experiment: Experiment,
    progress: Progress | None = None,
    memory: Callable[[], int] | None = None,
) -> Report:
    """Run it: one training and one evaluation for each fold and seed.

    All files are read and checked first. Before each fold's clock starts, machine code is made.

    Parameters
    ----------
    experiment
        What is to be run.
    progress
        Told of each epoch and of each batch of users.
    memory
        Asked after each run for the bytes that this process has held at its worst.

    Raises
    ------
    FileFormatError
        When a file cannot be used: see :func:`read_fold
        <recommender.data.experiment_files.read_fold>`.
    TooFewRatingsError
        When there is nothing to learn from, or nobody left to be asked.
    """
    started = perf_counter()
    tell = progress or (lambda _phase, _done, _total: None)
    plan = Plan.of(experiment, tell)
    runs: list[Run] = []
    for number, read_seconds in enumerate(plan.seconds, start=1):
        before = perf_counter()
        fold = plan.fold(experiment, number)
        seconds = {"read": read_seconds + perf_counter() - before}
        seconds["prepare"] = _prepare(experiment, fold, _titled(tell, _title(experiment, number)))
        for seed in experiment.seeds:
            title = _title(experiment, number, seed)
            one = _Once(experiment, fold, seed, _titled(tell, title))
            outcome = one.run()
            before = perf_counter()
            one.tell("intervals", 0, 1)
            run = Run.of(outcome, number, seed, one.options, fold, plan)
            one.tell("intervals", 1, 1)
            one.ask_seconds += perf_counter() - before
            seconds |= {"fit": one.fit_seconds, "evaluate": one.ask_seconds}
            runs.append(replace(run, seconds=seconds, memory=memory() if memory else None))
            seconds = {"read": 0.0, "prepare": 0.0}
    return Report(experiment, runs, perf_counter() - started, plan)


def _prepare(experiment: Experiment, fold: Fold, tell: Progress) -> float:
    """Have everything compiled; return the seconds that it took."""
    started = perf_counter()
    phase = "preparing (compiled the first time, then kept)"
    tell(phase, 0, 1)

    def run(small: Fold, options: Mapping[str, Any]) -> None:
        in_small = replace(experiment, options=options, defaults=lambda _train: {})
        _Once(in_small, small, experiment.seeds[0], _unheard).run().resampled(1)

    prepare(fold, options_for(experiment, fold.train), run)
    tell(phase, 1, 1)
    return perf_counter() - started


def _unheard(_phase: str, _done: int, _total: int) -> None:
    pass


def _title(experiment: Experiment, number: int, seed: int | None = None) -> str:
    parts = []
    if len(experiment.folds) > 1:
        parts.append(f"fold {number} of {len(experiment.folds)}")
    if experiment.n_seeds > 1 and seed is not None:
        parts.append(f"seed {seed}")
    return ", ".join(parts)


def _titled(progress: Progress, title: str) -> Progress:
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
        made = named.make({**options_for(self.experiment, self.fold.train), **seeded})
        self.options = named.options_of(made)
        started = perf_counter()
        steps = getattr(made, "steps", self.options.get("epochs", 1))
        trained = self._fit(made.fit, steps)
        self.fit_seconds = perf_counter() - started
        started = perf_counter()
        outcome = self._ask(trained)
        self.ask_seconds = perf_counter() - started
        return outcome

    def _fit(self, fit: Callable[..., Any], steps: int) -> Any:
        def tell(step: int, _seconds: float, _loss: float | None) -> None:
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
