"""``projectionist import``: a data set from disk into the store, whole or not at all."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import SCALE, STORAGE, with_settings
from app.commands.reporting import Reporter
from app.settings import Settings
from app.store import open_store
from app.store.bulk_import import prepare
from recommender.data.dataset import read_dataset

if TYPE_CHECKING:
    from app.store import ImportReport, Store
    from recommender.data.rating_scale import RatingScale


@with_settings(*STORAGE, *SCALE)
def import_(
    path: Annotated[
        Path,
        typer.Argument(
            help="A MovieLens folder or zip of any era, a folder with ratings.csv and "
            "movies.csv, or one CSV file with a header user,item,rating[,timestamp]."
        ),
    ],
    settings: Settings,
    dry_run: Annotated[
        bool, typer.Option(help="Read and check everything, store nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Read ratings and movies from disk and store them, all or, if a line is bad, none."""
    reporter = Reporter(json)
    if dry_run:
        dataset = read_dataset(path, scale=settings.scale)
        prepare(dataset.ratings, dataset.movies, dataset.users)
        found = {
            "name": dataset.name,
            "ratings": len(dataset.ratings),
            "movies": len(dataset.movies),
        }
        reporter.result(
            {"dry_run": True, **found},
            f"{path} is good: {found['ratings']:,} ratings, {found['movies']:,} movies; "
            "nothing was stored.",
        )
        return
    with open_store(settings.database, settings.data_dir) as store:
        report = import_dataset(store, path, settings.scale, reporter)
    reporter.result(
        asdict(report),
        f"Stored {report.ratings:,} ratings ({report.unchanged:,} were there already), "
        f"{report.movies:,} new movies, {report.users:,} new users.",
    )


def import_dataset(
    store: Store, path: Path, scale: RatingScale, reporter: Reporter
) -> ImportReport:
    """Read a data set, store it, and keep what must be said of it."""
    reporter.say(f"Reading {path.name} …")
    dataset = read_dataset(path, scale=scale)
    with reporter.progress() as step:
        report = store.import_dataset(
            dataset.ratings,
            dataset.movies,
            dataset.users,
            progress=lambda done, total: step("importing ratings", done, total),
        )
    if dataset.notice is not None:
        store.set_fact("notice", dataset.notice).result()
    return report
