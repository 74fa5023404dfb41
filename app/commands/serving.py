"""``projectionist serve`` and ``projectionist run``: listen, and first do what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.access import refuse_open_server
from app.commands.importing import import_dataset
from app.commands.options import serving_settings, with_settings
from app.commands.reporting import Reporter
from app.server import serve as listen
from app.settings import PREFIX, Settings
from app.store import open_store
from recommender.data.bundled import bundled_path
from recommender.errors import DamagedGenerationError
from recommender.generations import current_number


@with_settings(*serving_settings())
def serve(settings: Settings) -> None:
    """Serve the stored movies and the current model until stopped."""
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
    # Before minutes of work, not after.
    refuse_open_server(settings)
    reporter = Reporter()
    with open_store(settings.database, settings.data_dir) as store:
        counts = store.counts()
        if counts.ratings == 0:
            source = dataset or bundled_path("demo")
            report = import_dataset(store, source, settings.scale, reporter)
            reporter.say(f"Stored {report.ratings:,} ratings of {report.movies:,} movies.")
        elif dataset is not None:
            reporter.say(
                f"{counts.ratings:,} ratings are stored already, so {dataset} was not imported; "
                "`projectionist import` adds to them."
            )
    if _has_no_model(settings):
        _train_apart(settings)
    listen(_for_people(settings), on_ready=lambda address: _announce(reporter, address))


def _has_no_model(settings: Settings) -> bool:
    try:
        return current_number(settings.models_path) is None
    except DamagedGenerationError:
        return False  # the server falls back to the last good one, and says so


def _train_apart(settings: Settings) -> None:
    """Train in a process of its own: what it needed of memory is given back when it ends."""
    command = [sys.executable, "-m", "app.cli", "train", "--data-dir", str(settings.data_dir)]
    if settings.models_dir is not None:
        command += ["--models-dir", str(settings.models_dir)]
    environment = dict(os.environ)
    if settings.database_url is not None:  # it may hold a password, and a command line is public
        environment[f"{PREFIX}DATABASE_URL"] = settings.database_url.get_secret_value()
    finished = subprocess.run(command, check=False, env=environment)  # noqa: S603 - our own interpreter, our own words
    if finished.returncode:
        raise typer.Exit(finished.returncode)


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
