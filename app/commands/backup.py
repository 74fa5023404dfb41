"""``projectionist backup``: all that is stored, as a folder of files."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import STORAGE, with_settings
from app.commands.reporting import Reporter
from app.settings import Settings
from app.store import open_store


@with_settings(*STORAGE)
def backup(
    out: Annotated[Path, typer.Argument(help="The folder to write; it must not be there.")],
    settings: Settings,
    with_models: Annotated[
        bool, typer.Option("--with-models", help="Take the current model along.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write all that is stored into a new folder, while a server runs; it is of one moment.

    Everything that was acknowledged before the start is in it. It can be restored into SQLite and
    PostgreSQL alike.
    """
    # Here and not above: no other command needs to wait for it.
    from app.backup import write_backup

    reporter = Reporter(json)
    with (
        open_store(settings.database, settings.data_dir, read_only=True) as store,
        reporter.progress() as step,
    ):
        total = store.counts()
        expected = total.users + total.movies + total.ratings
        manifest = write_backup(
            store,
            out,
            datetime.now(UTC),
            models=settings.models_path if with_models else None,
            progress=lambda rows: step("rows", rows, max(rows, expected)),
        )
    size = sum(file.bytes for file in manifest.files)
    document = {**asdict(manifest), "path": str(out), "bytes": size}
    counts = ", ".join(f"{manifest.counts.get(table, 0):,} {table}" for table in _TOLD)
    model = "" if manifest.generation is None else f", and generation {manifest.generation}"
    reporter.result(
        document,
        f"{out}: {counts} at version {manifest.version:,}{model}; {size / 2**20:,.1f} MiB.",
    )


_TOLD = ("users", "movies", "ratings")
