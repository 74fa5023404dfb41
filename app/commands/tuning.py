"""``projectionist tune``: search the options that do best on ratings that training does not see."""

from __future__ import annotations

import re
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import STORAGE, with_settings
from app.commands.reporting import Reporter, Steps
from app.settings import Settings
from app.store import open_store
from recommender import Ratings, tuning
from recommender.data.experiment_files import read_experiment
from recommender.data.whole_file import refuse_taken
from recommender.errors import InvalidOptionError
from recommender.version import __version__

if TYPE_CHECKING:
    from recommender.tuning import Budget, Exam, Findings, Tunable

_MINUTES = 10.0
_NAMES = ", ".join(tuning.TUNABLES)


@with_settings(*STORAGE)
def tune(
    settings: Settings,
    model: Annotated[
        str, typer.Option(help=f"What to tune: {_NAMES}.", metavar="NAME")
    ] = "implicit-als",
    train: Annotated[
        Path | None,
        typer.Option(
            help="A CSV file user,item,rating[,timestamp] to use instead of the stored ratings.",
            metavar="FILE",
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help=f"How options are judged: {', '.join(tuning.PROTOCOLS)}; what is usual for the "
            "model when not given.",
            metavar="NAME",
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            help="Which number to improve: such as ndcg@10, recall@20, hr@10, or rmse for stars.",
            metavar="NAME",
        ),
    ] = None,
    hold_out: Annotated[
        str | None,
        typer.Option(
            help="What is held out of the training: time (each user's last ratings; the default "
            "where there are timestamps) or random.",
            metavar="HOW",
        ),
    ] = None,
    factors: Annotated[
        str | None,
        typer.Option(
            help="A number to keep, such as 64, or a range to search, such as 16-256.",
            metavar="K|LOW-HIGH",
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            help=f"How long to search; {_MINUTES:g} when --trials is not given either.",
        ),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(help="How many options to try, earlier runs of --study included.")
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(
            help="A file that keeps every trial: started again with it, the search goes on.",
            metavar="FILE",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Where the best options are written; the model's name and .toml when not given.",
            metavar="FILE",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the output if it exists.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Where the search and the hold-out draw from.")] = 0,
    threads: Annotated[
        int | None, typer.Option(help="Cores for each training; all when not given.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Search the best options on a hold-out of the training ratings; `train --options` reads them.

    The defaults are tried first, so what is found is never worse on the hold-out. Needs the extra
    "tune": pip install 'projectionist[tune]'.
    """
    started = perf_counter()
    reporter = Reporter(json)
    tuned = _within(tuning.tunable(model), factors)
    budget = tuning.Budget(_MINUTES if minutes is None and trials is None else minutes, trials)
    seed, threads = _checked("seed", seed), _checked("threads", threads)
    target = output or Path(f"{model}.toml")
    _refuse_taken(target, force, study)
    tuning.require_optuna()
    ratings = _ratings(settings, train, tuned, protocol)
    tuned = tuned.sized(ratings)
    exam = tuning.Exam.of(tuned, ratings, protocol, metric, hold_out, seed)
    about = _about(ratings, exam, train, seed)
    reporter.say(
        f"Tuning {model} for {exam.metric} ({exam.protocol}) on {ratings.n_ratings:,} ratings of "
        f"{ratings.n_users:,} users, of which a part is held out "
        f"({'by time' if exam.hold_out == 'time' else 'at random'})."
    )
    with reporter.progress() as step:
        show = _Show(step, budget, exam, target, model, about)
        found = tuning.tune(
            ratings, tuned, exam, budget, study=study, seed=seed, threads=threads, told=show
        )
        show.end(found)
    seconds = perf_counter() - started
    document = {
        "model": model,
        "options": found.best.options,
        **about,
        **_scores(found),
        "output": str(target),
        "study": None if study is None else str(study),
        "seconds": round(seconds, 3),
    }
    reporter.result(document, _in_words(found, exam, target, seconds))


class _Show:
    """Tells how far the search is, and writes whatever is the best so far."""

    def __init__(
        self,
        step: Steps,
        budget: Budget,
        exam: Exam,
        target: Path,
        model: str,
        about: dict[str, Any],
    ) -> None:
        self.step, self.budget, self.exam = step, budget, exam
        self.target, self.model, self.about = target, model, about
        self.written = -1

    def __call__(self, found: Findings | None, seconds: float) -> None:
        """Show one more trial; the file on disk is the best one even if we are stopped."""
        if found is not None and found.best.number != self.written:
            self.write(found)
        self._step(found, seconds)

    def end(self, found: Findings) -> None:
        """Show that it is over, and write what was found in the end."""
        self._step(found, 60 * (self.budget.minutes or 0.0))
        self.write(found)

    def _step(self, found: Findings | None, seconds: float) -> None:
        done = 0 if found is None else len(found.trials)
        best = "" if found is None else f"best {self.exam.metric} {found.best.score:.4f}"
        if self.budget.minutes is None and self.budget.trials is not None:
            self.step("trials", min(done, self.budget.trials), self.budget.trials, best)
            return
        whole = round(60 * (self.budget.minutes or 0.0)) or 1
        note = f"{done} {'trial' if done == 1 else 'trials'}, {best}" if best else ""
        self.step("seconds", min(round(seconds), whole), whole, note)

    def write(self, found: Findings) -> None:
        """Write the best options."""
        tuning.write_options(
            self.target, self.model, found.best.options, self.about | _scores(found)
        )
        self.written = found.best.number


def _within(tuned: Tunable, factors: str | None) -> Tunable:
    if factors is None:
        return tuned
    given = re.fullmatch(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?", factors, re.ASCII)
    if given is None:
        raise InvalidOptionError(
            f"factors must be a number, such as 64, or a range, such as 16-256; found {factors!r}"
        )
    return tuned.within("factors", int(given[1]), int(given[2] or given[1]))


def _checked(name: str, value: Any) -> Any:
    return tuning.TUNABLES["implicit-als"].option(name).check(value)


def _refuse_taken(path: Path, force: bool, study: Path | None) -> None:
    """Refuse a name that nothing can be written under; what a study goes on with may be."""
    goes_on = study is not None and study.exists()
    refuse_taken(path, force or (goes_on and tuning.is_options_file(path)))


def _ratings(
    settings: Settings, train: Path | None, tuned: Tunable, protocol: str | None
) -> Ratings:
    if train is not None:
        stars = (protocol or tuned.protocols[0]) == "rating"
        return read_experiment(train, stars=stars)
    with open_store(settings.database, settings.data_dir, read_only=True) as store:
        return Ratings.from_frame(store.snapshot().ratings, timestamp="timestamp")


def _about(ratings: Ratings, exam: Exam, train: Path | None, seed: int) -> dict[str, Any]:
    return {
        "protocol": exam.protocol,
        "metric": exam.metric,
        "hold_out": exam.hold_out,
        "data": "stored ratings" if train is None else train.name,
        "digest": tuning.digest(ratings),
        "ratings": ratings.n_ratings,
        "users": ratings.n_users,
        "items": ratings.n_items,
        "seed": seed,
        "version": __version__,
    }


def _scores(found: Findings) -> dict[str, Any]:
    return {
        "score": found.best.score,
        "default_score": found.first.score,
        "trials": len(found.trials),
        "pruned": found.count("pruned"),
        "failed": found.count("failed"),
    }


def _in_words(found: Findings, exam: Exam, target: Path, seconds: float) -> str:
    tried = f"{len(found.trials)} {'trial' if len(found.trials) == 1 else 'trials'}"
    ended = [f"{n} {state}" for state in ("pruned", "failed") if (n := found.count(state))]
    tried += f" ({', '.join(ended)})" if ended else ""
    first = "failed" if found.first.score is None else f"{found.first.score:.4f}"
    best = f"{exam.metric} {found.best.score:.4f}, with the defaults {first}"
    chosen = ", ".join(f"{name} {value}" for name, value in found.best.options.items())
    return f"{tried} in {seconds:.1f} s: {best}.\n{chosen}\nWritten to {target}."
