"""``projectionist generate``: a planted world of any size, as a file."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.filesize import decimal

from app.commands.reporting import Reporter
from recommender.data.rating_files import check_name, write_ratings
from recommender.data.synthetic import SHAPES, PlantedWorld, Shape, named_shape
from recommender.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from app.commands.reporting import Steps


def generate(
    output: Annotated[
        Path,
        typer.Option(help="The file to write: its name ends in .csv, .csv.gz or .parquet."),
    ],
    like: Annotated[
        str | None,
        typer.Option(help=f"As large as a known data set: {', '.join(SHAPES)}.", metavar="NAME"),
    ] = None,
    users: Annotated[
        int | None, typer.Option(help="How many users, instead of those of --like.")
    ] = None,
    items: Annotated[
        int | None, typer.Option(help="How many items, instead of those of --like.")
    ] = None,
    ratings: Annotated[
        int | None, typer.Option(help="How many ratings, instead of those of --like.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same ratings.")] = 0,
    timestamps: Annotated[bool, typer.Option(help="Say when each rating was given.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Simulate ratings as skewed as MovieLens, with tastes to be found, and write them to a file.

    The columns are user, item, rating (half stars) and timestamp; rows are sorted by user and
    item, ids count from 1. No real person's rating is in it.
    """
    started = perf_counter()
    reporter = Reporter(json)
    check_name(output)
    shape = _shape(like, {"n_users": users, "n_items": items, "n_ratings": ratings})
    with _unwinding_when_killed(), reporter.progress() as step:
        size = write_ratings(output, _frames(shape, seed, timestamps, step), replace=force)
    seconds = perf_counter() - started
    document = {
        "path": str(output),
        "bytes": size,
        "users": shape.n_users,
        "items": shape.n_items,
        "ratings": shape.n_ratings,
        "timestamps": timestamps,
        "seed": seed,
        "seconds": round(seconds, 3),
    }
    reporter.result(
        document,
        f"{output}: {shape.n_ratings:,} simulated ratings of {shape.n_users:,} users and "
        f"{shape.n_items:,} items, {decimal(size)}, in {seconds:.1f} s.",
    )


def _shape(like: str | None, given: dict[str, int | None]) -> Shape:
    counts = {name: count for name, count in given.items() if count is not None}
    if like is not None:
        return replace(named_shape(like), **counts)
    if len(counts) < len(given):
        raise InvalidOptionError(
            f"say how large: --like with one of {', '.join(SHAPES)}, "
            "or --users, --items and --ratings"
        )
    return Shape(**counts)


def _frames(shape: Shape, seed: int, timestamps: bool, step: Steps) -> Iterator[pl.DataFrame]:
    try:
        world = PlantedWorld.plant(shape, seed)
    except MemoryError:
        raise InvalidOptionError(
            f"there is not enough memory to plant {shape.n_users:,} users and {shape.n_items:,} "
            "items; ask for fewer"
        ) from None
    done = 0
    step("generating ratings", done, shape.n_ratings)
    for block in world.blocks(timestamps=timestamps):
        yield block.to_frame()
        done += len(block.users)
        step("generating ratings", done, shape.n_ratings)


@contextmanager
def _unwinding_when_killed() -> Iterator[None]:
    """Leave no half file behind when asked politely to stop, as Ctrl+C leaves none."""

    def stop(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
