"""The ``projectionist`` command: names, help, and how errors are told."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from app.commands.backup import backup
from app.commands.doctor import doctor
from app.commands.downloading import download
from app.commands.evaluating import evaluate
from app.commands.exporting import export
from app.commands.generate import generate
from app.commands.importing import import_
from app.commands.models import models
from app.commands.recommending import recommend
from app.commands.restore import restore
from app.commands.serving import run, serve
from app.commands.training import train
from app.commands.tuning import tune
from app.settings import SettingsError
from app.store import StoreError
from app.trainer.lock import TrainingRunningError
from recommender.errors import RecommenderError
from recommender.version import __version__

cli = typer.Typer(
    name="projectionist",
    help="A movie recommender that a small team can run itself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

cli.command("run")(run)
cli.command("serve")(serve)
cli.command("import")(import_)
cli.command("export")(export)
cli.command("download")(download)
cli.command("generate")(generate)
cli.command("train")(train)
cli.command("evaluate")(evaluate)
cli.command("tune")(tune)
cli.command("recommend")(recommend)
cli.command("backup")(backup)
cli.command("restore")(restore)
cli.command("doctor")(doctor)
cli.command("models")(models)


def _print_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"projectionist {__version__}\n")
        raise typer.Exit


@cli.callback()
def _projectionist(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command; what the user can mend is told in one line, with exit status 1."""
    try:
        cli()
    except (RecommenderError, StoreError, SettingsError, TrainingRunningError) as error:
        sys.stderr.write(f"projectionist: {error}\n")
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"projectionist: {where}{error.strerror or error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("projectionist: stopped\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
