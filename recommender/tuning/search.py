"""The search itself: options are tried until the time is over or there were trials enough."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from recommender.errors import InvalidInputError, InvalidOptionError
from recommender.tuning.findings import findings_of
from recommender.tuning.hold_out import digest
from recommender.tuning.journal import open_journal
from recommender.tuning.trials import Trials, quiet_optuna
from recommender.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from recommender.data.ratings import Ratings
    from recommender.tuning.exam import Exam
    from recommender.tuning.findings import Findings
    from recommender.tuning.space import Tunable


_LONGEST = 1_000_000
"""Minutes; nearly two years."""


@dataclass(frozen=True)
class Budget:
    """How long to search: until one of the two is used up.

    Attributes
    ----------
    minutes
        Of the whole study: the trials of earlier runs have used up what they took.
    trials
        Of the whole study, those of earlier runs included.

    Raises
    ------
    InvalidOptionError
        When there is none, or one leaves no room for anything.
    """

    minutes: float | None = None
    trials: int | None = None

    def __post_init__(self) -> None:
        if self.minutes is None and self.trials is None:
            raise InvalidOptionError("say how long to search: minutes, or a number of trials")
        if self.minutes is not None and not 0 < self.minutes <= _LONGEST:
            raise InvalidOptionError(
                f"minutes must be a number above 0, at most {_LONGEST:,}; found {self.minutes!r}"
            )
        if self.trials is not None and self.trials < 1:
            raise InvalidOptionError(
                f"trials must be a whole number of at least 1; found {self.trials!r}"
            )


def tune(
    ratings: Ratings,
    tunable: Tunable,
    exam: Exam,
    budget: Budget,
    *,
    study: Path | str | None = None,
    seed: int = 0,
    threads: int | None = None,
    told: Callable[[Findings | None, float], None] | None = None,
) -> Findings:
    """Search the options of a model that do best on ratings that it does not see.

    The first trial has the defaults, so that what is found is never worse on the hold-out. The
    second has them with as many epochs as are good. The others are proposed by Optuna's
    tree-structured Parzen estimator. The number of epochs is not searched: a trial ends when its
    score has not risen for three epochs, and its best epoch counts; a trial that lags behind three
    quarters of the others at the same epoch is given up.

    Parameters
    ----------
    ratings
        All that may be seen: the training part alone, where something is to be published.
    tunable
        The model and its dimensions.
    exam
        Protocol, metric and hold-out.
    budget
        When to stop. The first trial is always finished.
    study
        A file that keeps every finished trial. A search that was killed goes on from it.
    seed
        Where proposals come from. The same seed and number of trials give the same result.
    threads
        Cores for each training; ``None`` for all that the process may use.
    told
        Called before the first trial and after each with what is found so far (``None`` until
        there is something) and the seconds of the whole study, those of earlier runs included.

    Raises
    ------
    MissingExtraError
        When Optuna is not installed.
    InvalidInputError
        When nothing can be held out, the study is about something else, or no trial succeeded.
    """
    with quiet_optuna() as optuna:
        started = perf_counter()
        judge = exam.judge(ratings)
        about = _about(ratings, tunable, exam, seed)
        with open_journal(
            study, about, lambda t: tunable.check_trial(t.place, t.options)
        ) as journal:
            started -= journal.seconds
            trials = Trials(optuna, tunable, exam, judge, journal, seed, threads)
            if budget.minutes is not None:
                trials.end = started + budget.minutes * 60
            tell = told or (lambda _findings, _seconds: None)
            found = findings_of(journal.trials, exam.larger_is_better)
            tell(found, perf_counter() - started)
            while not trials.is_over(budget.trials) and trials.run_one():
                found = findings_of(journal.trials, exam.larger_is_better)
                tell(found, perf_counter() - started)
    if found is None:
        reasons = "; ".join(sorted({trial.reason for trial in journal.trials if trial.reason}))
        raise InvalidInputError(f"none of {len(journal.trials)} trials succeeded: {reasons}")
    return found


def _about(ratings: Ratings, tunable: Tunable, exam: Exam, seed: int) -> dict[str, object]:
    """Return what a study is about: it can go on where all of it is as it was."""
    return {
        "version": __version__,
        "model": tunable.name,
        "data": digest(ratings),
        "protocol": exam.protocol,
        "metric": exam.metric,
        "hold_out": exam.hold_out,
        "seed": [exam.seed, seed],
        "space": [str(dimension) for dimension in tunable.dimensions],
        "defaults": {name: tunable.defaults[name] for name in tunable.told},
    }
