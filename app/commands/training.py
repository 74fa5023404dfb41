"""``projectionist train``: learn from what is stored, and publish a generation."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from app.commands.model_options import options_in, with_model_options
from app.commands.options import STORAGE, TRAINING, with_settings
from app.commands.reporting import Reporter
from app.process_memory import peak_memory
from app.settings import Settings
from app.store import open_store
from app.trainer.manners import watch
from app.trainer.repeating import repeat, seconds_of
from app.trainer.training_run import Policy, TrainingReport, run_training
from recommender import Ratings
from recommender.errors import InvalidOptionError
from recommender.models.by_name import MODELS, named_model
from recommender.training import Recipe, prepare, recipe_for
from recommender.tuning import read_options

(_RANKING,), _STARS = (
    tuple(model.name for model in MODELS.values() if model.serves == half)
    for half in ("ranking", "stars")
)
_TRAINED = (_RANKING, *_STARS)
"""What a generation may be made of: what ranks, and what predicts stars."""

_OF_RANKING = ("factors", "regularization", "unobserved_weight", "epochs")
_OPTIONS = dict.fromkeys(_OF_RANKING, (_RANKING,)) | dict.fromkeys(("seed", "threads"), _TRAINED)
"""What can be said here, and for which models; all else in files of options."""


@with_settings(*STORAGE, "train_after_changes", *TRAINING)
@with_model_options(_OPTIONS)
def train(
    settings: Settings,
    given: dict[str, Any],
    options: Annotated[
        list[Path] | None,
        typer.Option(
            help="A file that `projectionist tune` wrote; once for each model, "
            f"{', '.join(_TRAINED)}. An option given below goes before it, for the models that "
            "its help names and no other.",
            metavar="FILE",
        ),
    ] = None,
    stars: Annotated[
        str | None,
        typer.Option(
            help="What predicts stars: biased-als, which is quick, or bayesian-mf, which is "
            "nearer and takes some hundred times as long. [default: biased-als]",
            metavar="MODEL",
        ),
    ] = None,
    evaluate: Annotated[
        bool, typer.Option(help="Hold out each user's last fifth first, and measure.")
    ] = True,
    warm: Annotated[
        bool, typer.Option(help="Begin from the current model where that saves time.")
    ] = True,
    force: Annotated[bool, typer.Option(help="Publish it although the gate refuses it.")] = False,
    every: Annotated[
        str | None,
        typer.Option(
            help="Train again and again, whenever the newest training is so old (90s, 30m, 6h, "
            "1d), each time in a process of its own, until stopped.",
            metavar="TIME",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Train on everything stored and publish the model; a running server takes it up by itself.

    A model that is worse than what serves is refused: it is kept, not published, and the exit
    status is 3.
    """
    if every is not None:
        repeat(settings, seconds_of(every))
        return
    started = perf_counter()
    reporter = Reporter(json)
    watch(settings.train_memory_mib, partial(_too_much, settings.train_memory_mib))
    paths, files = _from_files(options or [])
    any_size = _recipe(Recipe(), files, given, stars)
    usual = trained = any_size  # until it is known how many ratings there are

    def recipe(ratings: Ratings) -> Recipe:
        nonlocal usual, trained
        usual = recipe_for(ratings)
        trained = _recipe(usual, files, given, stars)
        return trained

    reporter.say("Preparing the solver (compiled the first time, then kept) …")
    prepare(any_size)
    with (
        open_store(settings.database, settings.data_dir, read_only=True) as store,
        reporter.progress() as step,
    ):
        report = run_training(
            store,
            settings.models_path,
            lambda: datetime.now(UTC),
            recipe=recipe,
            tuned=bool(paths or given or stars),
            evaluate=evaluate,
            progress=step,
            policy=Policy.of(settings, warm=warm, force=force),
        )
    seconds = perf_counter() - started
    document = {
        **asdict(report),
        "options": trained.options(),
        "seconds": round(seconds, 3),
        "peak_memory_bytes": peak_memory(),
    }
    lines = [_in_words(report, seconds)]
    if paths or given:
        made = (trained.ranking, trained.stars)
        lines += [_options_in_words(model, usual, paths) for model in made]
    reporter.result(document, "\n".join(lines))
    if not report.published:
        raise typer.Exit(_REFUSED)


_REFUSED = 3


def _too_much(allowed_mib: int, used_mib: int) -> None:
    sys.stderr.write(
        f"projectionist: the training took {used_mib:,} MiB of memory; "
        f"TRAIN_MEMORY_MIB allows {allowed_mib:,}\n"
    )


def _from_files(paths: list[Path]) -> tuple[dict[str, Path], dict[str, dict[str, Any]]]:
    """Return the file of each model that is named in one, and its options."""
    places: dict[str, Path] = {}
    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        model, options = read_options(path)
        if model not in _TRAINED:
            raise InvalidOptionError(
                f"{path}: these are options of {model}, which is not trained here; "
                f"allowed are {' and '.join(_TRAINED)}"
            )
        if model in found:
            raise InvalidOptionError(f"{path}: options of {model} were given already; keep one")
        places[model], found[model] = path, options
    return places, found


def _recipe(
    base: Recipe, files: dict[str, dict[str, Any]], given: dict[str, Any], stars: str | None
) -> Recipe:
    """Return what to train: as given, else as in the files, else as in the base."""
    named = [name for name in _STARS if name in files]
    if len(named) > 1:
        raise InvalidOptionError(
            f"options of {' and '.join(named)} were given, and one of them predicts stars; keep one"
        )
    chosen = stars or (named[0] if named else "biased-als")
    if chosen not in _STARS:
        raise InvalidOptionError(f"stars must be {' or '.join(_STARS)}; found {chosen!r}")
    if named and chosen not in named:
        raise InvalidOptionError(
            f"--stars {chosen} goes with no options of {named[0]}; leave one of them out"
        )

    def made(name: str) -> Any:
        own = {option: value for option, value in given.items() if name in _OPTIONS[option]}
        return named_model(name).make(options_in(base, name) | files.get(name, {}) | own)

    return Recipe(made(_RANKING), made(chosen))


def _options_in_words(made: Any, usual: Recipe, paths: dict[str, Path]) -> str:
    """Say where the options of a model come from, and which are not what training takes itself."""
    (model,) = (each for each in MODELS.values() if each.has_made(made))
    defaults = {option.name: option.default for option in model.options}
    defaults |= options_in(usual, model.name)
    others = {name: value for name, value in made.options().items() if value != defaults[name]}
    source = f" with {paths[model.name]}" if model.name in paths else ""
    chosen = ", ".join(f"{name} {value}" for name, value in others.items())
    return (
        f"{model.name}{source}: {chosen or 'the defaults'}{' (else the defaults)' * bool(chosen)}."
    )


def _in_words(report: TrainingReport, seconds: float) -> str:
    size = f"{report.ratings:,} ratings, {report.users:,} users, {report.movies:,} movies"
    lines = [f"Generation {report.generation}, in {seconds:.1f} s: {size}."]
    if report.reason is not None:
        became = "published all the same" if report.published else "kept, and not published"
        lines.append(f"Refused, {became}: {report.reason}.")
    m = report.metrics
    if m:
        lines.append(
            f"On each user's last fifth: NDCG@10 {m['ndcg_at_10']:.3f} "
            f"({m['ndcg_at_10_low']:.3f} to {m['ndcg_at_10_high']:.3f}), "
            f"popularity {m['popularity_ndcg_at_10']:.3f}; stars off by {m['rmse']:.3f} (RMSE)."
        )
    return "\n".join(lines)
