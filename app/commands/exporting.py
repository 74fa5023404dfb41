"""``projectionist export``: all ratings, movies or users to one file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.filesize import decimal

from app.commands.options import STORAGE, with_settings
from app.commands.reporting import Reporter
from app.exporting.writing import FORMATS, Format, write
from app.settings import Settings
from app.store import open_store
from recommender.data.whole_file import refuse_taken
from recommender.errors import InvalidOptionError


@with_settings(*STORAGE)
def export(
    kind: Annotated[Literal["ratings", "movies", "users"], typer.Argument(help="What to write.")],
    output: Annotated[Path, typer.Argument(help="The file to write.")],
    settings: Settings,
    format: Annotated[  # noqa: A002 - the name of the option
        Literal["csv", "ndjson", "parquet"] | None,
        typer.Option(help="What to write; the end of the file's name says it if not given."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write all live ratings, movies or users to a file that can be imported again.

    It only reads the database, so it may run beside a server.
    """
    form = format or _by_name(output)
    refuse_taken(output, force)
    with open_store(settings.database, settings.data_dir, read_only=True) as store:
        handle, scratch = tempfile.mkstemp(prefix=".writing-", dir=output.parent)
        os.close(handle)
        try:
            with Path(scratch).open("r+b") as stream:
                rows = write(store.export(kind), form, stream)
                stream.flush()
                os.fchmod(stream.fileno(), 0o644)
                os.fsync(stream.fileno())
                size = os.fstat(stream.fileno()).st_size
            Path(scratch).replace(output)
        finally:
            Path(scratch).unlink(missing_ok=True)
    document = {"path": str(output), "kind": kind, "format": form, "rows": rows, "bytes": size}
    Reporter(json).result(document, f"{output}: {rows:,} {kind}, {decimal(size)}.")


def _by_name(output: Path) -> Format:
    ending = output.suffix.lower().removeprefix(".")
    if ending == "jsonl":
        return "ndjson"
    if ending not in FORMATS:
        raise InvalidOptionError(
            f"{output}: the end of the name says none of {', '.join(FORMATS)}; say it with --format"
        )
    return ending
