"""One trial after the other: Optuna proposes options, the hold-out judges them."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.errors import InvalidInputError, MissingExtraError
from recommender.tuning.findings import findings_of
from recommender.tuning.journal import COMPLETE, FAILED, PRUNED, Journal, Trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from recommender.tuning.dimension import Dimension
    from recommender.tuning.exam import Exam
    from recommender.tuning.judge import Judge
    from recommender.tuning.space import Tunable

PATIENCE = 3
"""Epochs without a better score that end a trial."""

_DRAWN_AT_RANDOM = 8
"""Trials before Optuna begins to learn from them."""

_BEFORE_PRUNING = 3
"""Epochs that every trial is given."""

_KEPT = 75.0
"""A trial goes on while it is among the best so many per cent at its epoch; some begin slowly."""


class PrunedError(Exception):
    """Others are ahead."""


class TimeOverError(Exception):
    """The budget is used up in the middle of a trial."""


class Trials:
    """One run: trials are read from a journal, proposed, judged, and added to it."""

    def __init__(
        self,
        optuna: Any,
        tunable: Tunable,
        exam: Exam,
        judge: Judge,
        journal: Journal,
        seed: int,
        threads: int | None,
    ) -> None:
        self.optuna, self.tunable, self.exam = optuna, tunable, exam
        self.judge, self.journal, self.seed = judge, journal, seed
        self.machine = {"threads": threads}
        self.end = float("inf")
        self.sign = 1.0 if exam.larger_is_better else -1.0
        self.space = {d.name: _distribution(optuna, d) for d in tunable.dimensions}

    def is_over(self, enough: int | None) -> bool:
        """Whether there were trials enough or the time is over; not before the first trial."""
        done = len(self.journal.trials)
        if enough is not None and done >= enough:
            return True
        if done > self._warm_ups and not self.space:
            return True  # nothing is left to vary
        return done > 0 and perf_counter() >= self.end

    @property
    def _warm_ups(self) -> int:
        """The last of the trials whose options are given."""
        return 0 if self.tunable.longest is None else 1

    def run_one(self) -> bool:
        """Run a trial, and keep it; return whether there was time for it."""
        number, started = len(self.journal.trials), perf_counter()
        place, report = self._proposal(number)
        options = dict(self.tunable.defaults)
        if number > 0:
            options = self.tunable.options_at(place, self.judge.train)
        watch = Watch(self, report)
        state, score, reason = COMPLETE, None, ""
        try:
            options, score = self._tried(options, watch, watched=number > 0)
        except TimeOverError:
            return False
        except PrunedError:
            state = PRUNED
        except (InvalidInputError, MemoryError) as error:
            state, reason = FAILED, str(error) or "not enough memory"
        trial = Trial(
            number,
            place,
            {name: options[name] for name in self.tunable.told},
            state,
            score,
            tuple(watch.scores),
            round(perf_counter() - started, 3),
            reason,
        )
        self.journal.add(trial)
        return True

    def _proposal(self, number: int) -> tuple[dict[str, Any], Any]:
        """Return where to try next, and Optuna's trial, which can say that others are ahead.

        Each proposal comes from a study made anew of the journal, and from random numbers of the
        seed and the trial's number alone: whether the process was killed on the way is nothing
        that it could know.
        """
        drawn = np.random.SeedSequence((self.seed, number)).generate_state(1)[0]
        study = self.optuna.create_study(
            direction="maximize",
            sampler=self.optuna.samplers.TPESampler(
                seed=int(drawn), n_startup_trials=_DRAWN_AT_RANDOM, multivariate=True
            ),
            pruner=self.optuna.pruners.PercentilePruner(
                _KEPT, n_startup_trials=4, n_warmup_steps=_BEFORE_PRUNING
            ),
        )
        for trial in self.journal.trials:
            study.add_trial(self._retold(trial))
        if number <= self._warm_ups:
            study.enqueue_trial(self.tunable.start(self.judge.train))
        asked = study.ask(self.space)
        return dict(asked.params), asked

    def _tried(
        self, options: dict[str, Any], watch: Watch, *, watched: bool
    ) -> tuple[dict[str, Any], float]:
        """Train and judge; return the options, with their epochs, and the score."""
        if not watched or self.tunable.longest is None:
            return options, self._scored(options)
        trained = self._model(options | {"epochs": self.tunable.longest}).fit(
            self.judge.train, validate=watch, patience=PATIENCE
        )
        options = options | {"epochs": 1 + int(np.argmax(watch.scores))}
        score = self.judge.score(trained)
        best = findings_of(self.journal.trials, self.exam.larger_is_better)
        if best is None or self.sign * score > self.sign * (best.best.score or 0.0):
            # Once more and unwatched, so that the score is what these options give, to the digit.
            score = self._scored(options)
        return options, score

    def _scored(self, options: dict[str, Any]) -> float:
        return self.judge.score(self._model(options).fit(self.judge.train))

    def _model(self, options: Mapping[str, Any]) -> Any:
        machine = {name: value for name, value in self.machine.items() if name in options}
        return self.tunable.model.make({**options, **machine})

    def _retold(self, trial: Trial) -> Any:
        """Return a finished trial as Optuna has it."""
        states = self.optuna.trial.TrialState
        state = {COMPLETE: states.COMPLETE, PRUNED: states.PRUNED, FAILED: states.FAIL}
        return self.optuna.trial.create_trial(
            state=state[trial.state],
            value=None if trial.score is None else self.sign * trial.score,
            params=trial.place,
            distributions=self.space,
            intermediate_values=dict(enumerate(trial.watched, start=1)),
        )


@dataclass(eq=False)
class Watch:
    """Judges each epoch of a trial, and ends it when there is no point in going on."""

    search: Trials
    trial: Any

    def __post_init__(self) -> None:
        self.scores: list[float] = []

    def __call__(self, model: Any) -> float:
        """Return the score of an epoch, unless there is no point in another one."""
        score = self.search.sign * self.search.judge.watch(model)
        self.scores.append(score)
        if perf_counter() >= self.search.end:
            raise TimeOverError
        self.trial.report(score, len(self.scores))
        if self.trial.should_prune():
            raise PrunedError
        return score


def _distribution(optuna: Any, dimension: Dimension) -> Any:
    kinds = optuna.distributions
    if dimension.choices:
        return kinds.CategoricalDistribution(dimension.choices)
    kind = kinds.IntDistribution if dimension.is_whole else kinds.FloatDistribution
    return kind(dimension.low, dimension.high, log=dimension.log)


def require_optuna() -> Any:
    """Return Optuna, which is imported when it is needed and not before.

    Raises
    ------
    MissingExtraError
        When it, or something that it needs, is not installed.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"tuning needs {error.name}, which is not installed: pip install 'projectionist[tune]'"
        ) from None
    return optuna


@contextmanager
def quiet_optuna() -> Iterator[Any]:
    """Keep Optuna from writing to the terminal while it is used."""
    optuna = require_optuna()
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            # The multivariate estimator is marked experimental: it may change, and is pinned.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield optuna
    finally:
        optuna.logging.set_verbosity(before)
