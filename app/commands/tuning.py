"""``projectionist tune``: search the options that do best on ratings that training does not see."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import STORAGE, with_settings
from app.commands.reporting import Reporter
from app.commands.tuning_steps import TuningSteps, in_range, in_words, ranges_in_words
from app.settings import Settings
from app.store import open_store
from recommender import Ratings, tuning
from recommender.data.experiment_files import read_experiment
from recommender.data.whole_file import refuse_taken
from recommender.errors import InvalidInputError, InvalidOptionError
from recommender.version import __version__

if TYPE_CHECKING:
    from recommender.tuning import Exam, Tunable

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
            "where there are timestamps) or random. Say random when the test set of an "
            "experiment was drawn at random: hold out as the test set was.",
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
            help=f"How long to search, the trials of earlier runs of --study included; "
            f"{_MINUTES:g} when --trials is not given either.",
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
        bool,
        typer.Option(
            "--force",
            help="Replace the output whatever it holds; without it, only what the same --study "
            "has written.",
        ),
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
    reporter = Reporter(json)
    tuned = _within(tuning.tunable(model), factors)
    budget = tuning.Budget(_MINUTES if minutes is None and trials is None else minutes, trials)
    seed, threads = _checked("seed", seed), _checked("threads", threads)
    target = output or Path(f"{model}.toml")
    _refuse_taken(target, force, study, train)
    steps = TuningSteps(reporter, budget, target, study)
    with steps.told_when_stopped():
        tuning.require_optuna()
        ratings = _ratings(settings, train, tuned, protocol)
        tuned = tuned.sized(ratings)
        exam = tuning.Exam.of(tuned, ratings, protocol, metric, hold_out, seed)
        about = _about(ratings, tuned, exam, train, seed)
        reporter.say(_beginning(ratings, tuned, exam))
        file = tuning.BestFile(target, model, about, exam.larger_is_better, force)
        with steps.shown(file, exam):
            found = tuning.tune(
                ratings, tuned, exam, budget, study=study, seed=seed, threads=threads, told=steps
            )
            steps.end()
    took = steps.effort()
    document = {
        "model": model,
        "options": found.best.options,
        **about,
        **found.scores(),
        "at_the_edge": [dimension.name for dimension in tuned.edges(found.best.place)],
        "output": str(target),
        "study": None if study is None else str(study),
        **took,
    }
    reporter.result(document, in_words(found, exam.metric, tuned, target, study, took))


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
    return tuning.TUNABLES["implicit-als"].model.option(name).check(value)


def _refuse_taken(target: Path, force: bool, study: Path | None, train: Path | None) -> None:
    """Refuse a name that nothing can be written under; a study is asked for its own file later."""
    for other, flag in ((study, "--study"), (train, "--train")):
        if other is not None and _is_same(target, other):
            raise InvalidInputError(
                f"{target}: the best options would replace the file of {flag}; "
                "give --output another name"
            )
    goes_on = study is not None and study.exists()
    try:
        refuse_taken(target, force or goes_on)
    except FileExistsError as error:
        raise FileExistsError(
            error.errno,
            "it exists, and is replaced only when told to (--force); else name another --output. "
            "A search that is to be gone on with needs --study FILE from its beginning",
            str(target),
        ) from None


def _is_same(one: Path, other: Path) -> bool:
    """Whether two names are of one file, there or not, whatever links lead to it."""
    if one.exists() and other.exists():
        return one.samefile(other)
    return os.path.realpath(one) == os.path.realpath(other)


def _beginning(ratings: Ratings, tuned: Tunable, exam: Exam) -> str:
    how = "by time" if exam.hold_out == "time" else "at random"
    return (
        f"Tuning {tuned.name} for {exam.metric} ({exam.protocol}) on {ratings.n_ratings:,} ratings "
        f"of {ratings.n_users:,} users, of which a part is held out ({how}).\n"
        f"{ranges_in_words(tuned)}"
    )


def _ratings(
    settings: Settings, train: Path | None, tuned: Tunable, protocol: str | None
) -> Ratings:
    if train is not None:
        stars = (protocol or tuned.protocols[0]) == "rating"
        return read_experiment(train, stars=stars)
    with open_store(settings.database, settings.data_dir, read_only=True) as store:
        return Ratings.from_frame(store.snapshot().ratings, timestamp="timestamp")


def _about(
    ratings: Ratings, tuned: Tunable, exam: Exam, train: Path | None, seed: int
) -> dict[str, Any]:
    return {
        "protocol": exam.protocol,
        "metric": exam.metric,
        "hold_out": exam.hold_out,
        "searched": [in_range(dimension) for dimension in tuned.dimensions],
        "data": "stored ratings" if train is None else train.name,
        "digest": tuning.digest(ratings),
        "ratings": ratings.n_ratings,
        "users": ratings.n_users,
        "items": ratings.n_items,
        "seed": seed,
        "version": __version__,
    }
