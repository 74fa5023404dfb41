"""``projectionist restore``: a backup in place of what is stored."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import STORAGE, with_settings
from app.commands.reporting import Reporter
from app.settings import Settings
from app.store import open_store


@with_settings(*STORAGE)
def restore(
    backup: Annotated[Path, typer.Argument(help="What `projectionist backup` wrote.")],
    settings: Settings,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is in a database that is not empty.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare the backup with its hashes; store nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check a backup, then put it into the database, all of it or nothing; stop the servers first.

    Users of whom the database knows that they were erased stay erased.
    """
    # Here and not above: no other command needs to wait for it.
    from app.backup import restore, verify

    reporter = Reporter(json)
    if check:
        manifest = verify(backup)
        reporter.result(
            {"checked": True, **asdict(manifest)},
            f"{backup} is whole: made at {manifest.made_at}, version {manifest.version:,}.",
        )
        return
    verify(backup)  # before a database is made, which would be left behind
    with (
        open_store(settings.database, settings.data_dir) as store,
        reporter.progress() as step,
    ):
        report = restore(
            store,
            backup,
            settings.models_path,
            force=force,
            progress=lambda done, total: step("files", done, total),
        )
    users, movies, ratings = (report.counts.get(each, 0) for each in ("users", "movies", "ratings"))
    told = f"{users:,} users, {movies:,} movies and {ratings:,} ratings and tombstones"
    lines = [f"Restored {told}, version {report.version:,}."]
    if report.erased_again:
        lines.append(f"Left out again: {report.erased_again:,} who were erased since.")
    lines.append(
        f"The backup was made at {report.made_at}. Whoever was erased after that and is not known "
        "here as erased is back: repeat these erasures."
    )
    if report.generation is not None:
        lines.append(f"Generation {report.generation} is current.")
    reporter.result(asdict(report), "\n".join(lines))
