"""``projectionist import``: a file of any size into the store, whole or without its bad rows."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
import typer

from app.commands.options import SCALE, STORAGE, with_settings
from app.commands.reporting import Reporter
from app.importing.running import Import, Wanted, job_id_of
from app.importing.sources import open_contents
from app.settings import Settings
from app.store import ImportReport, StoreInUse, open_store
from recommender.data.whole_file import refuse_taken, write_whole
from recommender.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.commands.reporting import Steps
    from app.store import Store
    from recommender.data.rating_scale import RatingScale

SHOWN = 20
"""So many bad rows are told of on the terminal; ``--report`` has more."""


@with_settings(*STORAGE, *SCALE)
def import_(
    path: Annotated[
        Path,
        typer.Argument(
            help="A MovieLens folder or zip of any era, a folder or zip with ratings.csv and "
            "movies.csv, or one file: CSV with a header user,item,rating[,timestamp], NDJSON, "
            "Parquet. - reads standard input."
        ),
    ],
    settings: Settings,
    format: Annotated[  # noqa: A002 - the name of the option
        Literal["csv", "ndjson", "parquet", "zip"] | None,
        typer.Option(help="What the file is; found out from its beginning if not given."),
    ] = None,
    kind: Annotated[
        Literal["ratings", "movies", "users"],
        typer.Option(help="What the rows of a single file are."),
    ] = "ratings",
    mode: Annotated[
        Literal["atomic", "skip"],
        typer.Option(help="atomic: all or, if a row is bad, nothing. skip: all but the bad rows."),
    ] = "atomic",
    dry_run: Annotated[
        bool, typer.Option(help="Read and check everything, store nothing.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="A file to write the report to, as JSON, with up to 1,000 bad rows."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the report's file.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Read ratings, movies and users from a file and store them; killed, go on where it was."""
    reporter = Reporter(json)
    if report is not None:
        refuse_taken(report, force)
    wanted = Wanted(mode, kind, format, dry_run)
    with _at_hand(path) as (file, name):
        # First of all the file: whether a server holds the database is the smaller question.
        with open_contents(file, settings.scale, format, kind):
            pass
        if dry_run:
            document = _run(None, file, name, wanted, settings.scale, reporter)
        else:
            with _opened(settings, name) as store:
                document = _run(store, file, name, wanted, settings.scale, reporter)
    if report is not None:
        write_whole(report, orjson.dumps(told(document), option=orjson.OPT_INDENT_2) + b"\n")
    _say_bad_rows(document, reporter, report)
    if document["state"] == "failed":
        if json:
            reporter.result(told(document), "")
        raise _failure(document, name)
    reporter.result(told(document), _summary(document, name))


def import_dataset(
    store: Store, path: Path, scale: RatingScale, reporter: Reporter
) -> ImportReport:
    """Import a data set whole.

    Raises
    ------
    FileFormatError
        At the first bad row; then nothing is stored.
    """
    document = _run(store, path, path.name, Wanted(), scale, reporter)
    if document["state"] == "failed":
        raise _failure(document, path.name)
    return ImportReport(**(document["stored"] or _NOTHING))


_NOTHING = dict.fromkeys(ImportReport.__dataclass_fields__, 0)


def told(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document as ``--json`` prints it: the counts, then what was wrong."""
    report = document["report"]
    counts = document.get("stored") or _NOTHING
    if document["dry_run"]:
        counts = {kind: report["by_kind"].get(kind, 0) for kind in ("ratings", "movies", "users")}
    return {
        "state": document["state"],
        "reason": document.get("reason"),
        "mode": document["mode"],
        "dry_run": document["dry_run"],
        **counts,
        "rows": report["rows"],
        "bad": report["bad"],
        "reasons": [
            {"file": file, "column": column or None, "found": found, "count": count}
            for file, column, found, count in report["reasons"]
        ],
        "errors": report["errors"],
        "hints": report["hints"],
    }


def _run(
    store: Store | None,
    path: Path,
    name: str,
    wanted: Wanted,
    scale: RatingScale,
    reporter: Reporter,
) -> dict[str, Any]:
    reporter.say(f"Reading {name} …")
    with reporter.progress() as step:
        job_id = job_id_of(path, name, wanted, scale)
        phase = {"now": "", "rows": 0}

        def going_on(now: str, rows: int) -> None:
            phase.update(now=now, rows=rows)
            step(f"{now} rows", rows, rows + 1)

        document = Import(store, path, name, wanted, scale, job_id, told=going_on).run()
        _end(step, phase)
    return document


def _end(step: Steps, phase: dict[str, Any]) -> None:
    if phase["now"]:
        step(f"{phase['now']} rows", phase["rows"], phase["rows"])


@contextmanager
def _at_hand(path: Path) -> Iterator[tuple[Path, str]]:
    """Return the file and its name; what comes from standard input is kept on disk meanwhile."""
    if str(path) != "-":
        yield path, path.name or str(path)
        return
    with tempfile.TemporaryDirectory(prefix="projectionist-") as folder:
        spooled = Path(folder) / "standard-input"
        with spooled.open("wb") as stream:
            shutil.copyfileobj(sys.stdin.buffer, stream, 1 << 20)
        yield spooled, "standard input"


@contextmanager
def _opened(settings: Settings, name: str) -> Iterator[Store]:
    try:
        store = open_store(settings.database, settings.data_dir)
    except StoreInUse as error:
        raise StoreInUse(
            f"{error} A running server takes {name} as the body of POST /v1/imports."
        ) from None
    with store:
        yield store


def _say_bad_rows(document: dict[str, Any], reporter: Reporter, report: Path | None) -> None:
    """Tell of the bad rows, a few of them; of the first one the error itself tells."""
    found = document["report"]
    first = 1 if document["state"] == "failed" else 0
    for error in found["errors"][first:SHOWN]:
        reporter.say(f"{error['file']}, line {error['line']}: {error['reason']}")
    if found["bad"] > SHOWN:
        where = f"see {report}" if report is not None else "--report FILE lists them"
        reporter.say(f"… and {found['bad'] - SHOWN:,} more bad rows; {where}.")
    for hint in found["hints"]:
        reporter.say(hint)


def _failure(document: dict[str, Any], name: str) -> FileFormatError:
    errors = document["report"]["errors"]
    if errors and document["report"]["bad"]:
        more = document["report"]["bad"] - 1
        also = f" ({more:,} more bad {'row' if more == 1 else 'rows'})" if more else ""
        return FileFormatError(errors[0]["file"], errors[0]["reason"] + also, errors[0]["line"])
    return FileFormatError(name, str(document["reason"]).removeprefix(f"{name}: "))


def _summary(document: dict[str, Any], name: str) -> str:
    counts = told(document)
    rows = "row was" if counts["bad"] == 1 else "rows were"
    left_out = f" {counts['bad']:,} bad {rows} left out." if counts["bad"] else ""
    if document["dry_run"]:
        found = f"{counts['ratings']:,} ratings, {counts['movies']:,} movies"
        if counts["bad"]:
            return f"{name}: {found}, {counts['bad']:,} bad rows; nothing was stored."
        return f"{name} is good: {found}; nothing was stored."
    return (
        f"Stored {counts['ratings']:,} ratings ({counts['unchanged']:,} were there already), "
        f"{counts['movies']:,} new movies, {counts['users']:,} new users.{left_out}"
    )
