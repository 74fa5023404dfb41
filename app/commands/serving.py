"""``projectionist serve`` and ``projectionist run``: listen, and first do what is missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from app.commands.importing import import_dataset
from app.commands.options import serving_settings, with_settings
from app.commands.reporting import Reporter
from app.settings import PREFIX, Settings
from app.store import Store, open_store
from recommender.data.bundled import bundled_path
from recommender.errors import GenerationError, IncompatibleGenerationError
from recommender.generations import current_number, generation_path, read_manifest


@with_settings(*serving_settings())
def serve(settings: Settings) -> None:
    """Serve the stored movies and the current model until stopped."""
    from app.server import serve as listen  # the web framework: no other command needs it

    reporter = Reporter()
    listen(_for_people(settings), on_ready=lambda address: _announce(reporter, address))


@with_settings(*serving_settings())
def run(
    settings: Settings,
    dataset: Annotated[
        Path | None,
        typer.Option(
            help="What to import when nothing is stored yet; the bundled demo data when not given."
        ),
    ] = None,
) -> None:
    """Prepare what is missing (data, model), then serve: the one command to start with."""
    from app.access import refuse_open_server
    from app.server import serve as listen

    # Before minutes of work, not after.
    refuse_open_server(settings)
    # Until the server has handlers of its own; process 1 of a container would not stop without.
    signal.signal(signal.SIGTERM, _stop)
    reporter = Reporter()
    with open_store(settings.database, settings.data_dir) as store:
        _fill(store, dataset, settings, reporter)
        something_to_learn = store.counts().ratings > 0
    if not something_to_learn:
        reporter.say("No ratings are stored yet, so there is no model: recommendations answer 503.")
    elif _has_no_model(settings):
        _train_apart(settings)
    settings = _with_schedule(_for_people(settings))
    listen(settings, on_ready=lambda address: _announce(reporter, address))


def _with_schedule(settings: Settings) -> Settings:
    """Train again by itself, unless something else was said: here nobody sees to it."""
    usual = {"train_every_seconds": 86_400, "train_after_changes": 10_000}
    unsaid = {name: v for name, v in usual.items() if name not in settings.model_fields_set}
    return settings.model_copy(update=unsaid)


def _fill(store: Store, dataset: Path | None, settings: Settings, reporter: Reporter) -> None:
    """Import what was named, or into an empty store the demo; never among somebody's own data."""
    counts = store.counts()
    if counts.ratings and dataset is not None:
        reporter.say(
            f"{counts.ratings:,} ratings are stored already, so {dataset} was not imported; "
            "`projectionist import` adds to them."
        )
    elif dataset is not None or not (counts.ratings or counts.movies or counts.users):
        source = dataset or bundled_path("demo")
        report = import_dataset(store, source, settings.scale, reporter)
        reporter.say(f"Stored {report.ratings:,} ratings of {report.movies:,} movies.")


def _stop(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _has_no_model(settings: Settings) -> bool:
    """Whether there is none, or only one of an older version of this program."""
    try:
        number = current_number(settings.models_path)
        if number is not None:
            read_manifest(generation_path(settings.models_path, number))
    except IncompatibleGenerationError:
        return True
    except GenerationError:
        return False  # the server falls back to the last good one, and says so
    return number is None


def _train_apart(settings: Settings) -> None:
    """Train in a process of its own: what it needed of memory is given back when it ends."""
    # -P: a folder named `app` where we were started is not ours.
    command = [sys.executable, "-P", "-m", "app.cli", "train"]
    command += ["--data-dir", str(settings.data_dir)]
    if settings.models_dir is not None:
        command += ["--models-dir", str(settings.models_dir)]
    environment = dict(os.environ)
    if settings.database_url is not None:  # it may hold a password, and a command line is public
        environment[f"{PREFIX}DATABASE_URL"] = settings.database_url.get_secret_value()
    child = subprocess.Popen(command, env=environment)  # noqa: S603 - our own interpreter
    try:
        status = child.wait()
    finally:  # whoever stops us stops the training too: it would hold its lock
        child.terminate()
        child.wait()
    if status:
        raise typer.Exit(status)


def _for_people(settings: Settings) -> Settings:
    """Log in text on a terminal, unless a format was asked for."""
    if "log_format" in settings.model_fields_set or not sys.stderr.isatty():
        return settings
    return settings.model_copy(update={"log_format": "plain"})


def _announce(reporter: Reporter, address: str) -> None:
    reporter.say(
        f"\nProjectionist is running.\n"
        f"  Recommendations  {address}/\n"
        f"  Map              {address}/map\n"
        f"  API              {address}/docs\n"
        f"Stop with Ctrl+C."
    )
