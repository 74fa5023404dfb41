"""Tables of ratings to disk, block by block: whole under their name, or not there at all."""

from __future__ import annotations

import errno
import gzip
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import polars as pl

from recommender.data.whole_file import refuse_taken
from recommender.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

FORMATS = (".csv", ".csv.gz", ".parquet")
"""The ends of file names that say how ratings are written."""


def write_ratings(path: Path | str, frames: Iterable[pl.DataFrame], replace: bool = False) -> int:
    """Write frames of ratings, one after the other, into one file.

    The file is written beside its name and renamed when it is whole and on disk. Nothing of
    ``frames`` is asked for before it is clear that a file can be written there. Parquet needs room
    for two copies for a moment.

    Parameters
    ----------
    path
        Its name ends in ``.csv``, ``.csv.gz`` or ``.parquet``.
    frames
        At least one; all with the same columns. ``rating`` is written with one decimal.
    replace
        Whether a file of that name may be replaced.

    Returns
    -------
    The size of the file in bytes.

    Raises
    ------
    InvalidOptionError
        When the name ends otherwise.
    OSError
        When a file of that name exists (:class:`FileExistsError`), or the disk refuses; it names
        ``path``, and nothing is left behind.
    """
    path = Path(path)
    write = _writer(path)
    refuse_taken(path, replace)
    with _told_as(path):
        scratch = Path(tempfile.mkdtemp(prefix=".writing-", dir=path.parent))
    try:
        with _told_as(path):
            whole = write(scratch, iter(frames))
            with whole.open("rb") as stream:
                os.fsync(stream.fileno())
            size = whole.stat().st_size
        refuse_taken(path, replace)  # it may have come while we wrote
        with _told_as(path):
            whole.replace(path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return size


def check_name(path: Path | str) -> None:
    """Check that a name says how ratings are to be written.

    Raises
    ------
    InvalidOptionError
        When it does not.

    Examples
    --------
    >>> check_name("ratings.xlsx")
    Traceback (most recent call last):
    recommender.errors.InvalidOptionError: ratings.xlsx: ratings are written to .csv, .csv.gz or \
.parquet; the end of the name says which
    """
    _writer(Path(path))


def _writer(path: Path) -> Callable[[Path, Iterator[pl.DataFrame]], Path]:
    name = path.name.lower()
    if name.endswith(".csv"):
        return _write_csv
    if name.endswith(".csv.gz"):
        return _write_gzip
    if name.endswith(".parquet"):
        return _write_parquet
    raise InvalidOptionError(
        f"{path}: ratings are written to {', '.join(FORMATS[:-1])} or {FORMATS[-1]}; "
        "the end of the name says which"
    )


@contextmanager
def _told_as(path: Path) -> Iterator[None]:
    """Name the file that was asked for in what the disk says, however Polars wraps it."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        number = getattr(error, "errno", None)
        if number is None and (wrapped := re.search(r"os error (\d+)", str(error))):
            number = int(wrapped[1])
        why = str(error) if number is None else os.strerror(number)
        raise OSError(number or errno.EIO, f"{why}; nothing was written", str(path)) from error


def _write_csv(scratch: Path, frames: Iterator[pl.DataFrame]) -> Path:
    whole = scratch / "whole"
    with whole.open("wb") as stream:
        _write_lines(stream, frames)
    return whole


def _write_gzip(scratch: Path, frames: Iterator[pl.DataFrame]) -> Path:
    whole = scratch / "whole"
    # Without a name and a time inside, so that the same ratings are the same bytes.
    with (
        whole.open("wb") as stream,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=stream, mtime=0) as packed,
    ):
        _write_lines(cast("IO[bytes]", packed), frames)
    return whole


def _write_lines(stream: IO[bytes], frames: Iterator[pl.DataFrame]) -> None:
    header = True
    for frame in frames:
        frame.write_csv(stream, include_header=header, float_precision=1)
        header = False


def _write_parquet(scratch: Path, frames: Iterator[pl.DataFrame]) -> Path:
    parts = []
    for number, frame in enumerate(frames):
        # By our own hand, because Polars does not always hand on what the disk has said.
        content = BytesIO()
        frame.write_parquet(content)
        parts.append(scratch / f"part-{number:06d}")
        parts[-1].write_bytes(content.getbuffer())
    if len(parts) == 1:
        return parts[0]
    whole = scratch / "whole"
    pl.scan_parquet(parts, glob=False).sink_parquet(whole)
    return whole
