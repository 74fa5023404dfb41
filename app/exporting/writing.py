"""Frames of the store to one file: CSV, NDJSON or Parquet.

A cell of CSV that begins with ``= + - @`` would be computed by a spreadsheet. It gets a ``'``
before it, which an import takes off again; so does one that begins so after ``'``. Numbers stay
numbers.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, TypeAlias

import orjson
import polars as pl

from recommender.data.titles import split_genres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Format: TypeAlias = Literal["csv", "ndjson", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "ndjson", "parquet")
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}

_FORMULA = r"^('*[=+\-@])"
_QUOTED = "'${1}"
_FRAMES_A_PART = 20


def write(frames: Iterable[pl.DataFrame], form: Format, stream: IO[bytes]) -> int:
    """Write frames one after the other into one open file; return how many rows there were.

    Parameters
    ----------
    frames
        Of ``Store.export``: at least one.
    form
        What to write.
    stream
        A file on disk.
    """
    writers: dict[Format, Callable[[Iterable[pl.DataFrame], IO[bytes]], int]] = {
        "csv": _write_csv,
        "ndjson": _write_ndjson,
        "parquet": _write_parquet,
    }
    return writers[form]((_named(frame) for frame in frames), stream)


def _named(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with the time under the name that says what it is: seconds."""
    return frame.rename({"rated_at": "timestamp"}) if "rated_at" in frame.columns else frame


def _write_csv(frames: Iterable[pl.DataFrame], stream: IO[bytes]) -> int:
    rows = 0
    for frame in frames:
        flat = frame
        if "genres" in frame.columns:
            flat = frame.with_columns(pl.Series("genres", map(_genres, frame["genres"].to_list())))
        texts = [name for name, kind in flat.schema.items() if kind == pl.String]
        safe = flat.with_columns(pl.col(texts).str.replace(_FORMULA, _QUOTED))
        safe.write_csv(stream, include_header=not rows and stream.tell() == 0)
        rows += frame.height
    return rows


def _genres(genres: list[str]) -> str:
    """Return a cell as ``Comedy|Drama``; as a JSON list where that would be read as another."""
    joined = "|".join(genres)
    plain = split_genres(joined) == genres and not joined.startswith("[")
    return joined if plain else orjson.dumps(genres).decode()


def _write_ndjson(frames: Iterable[pl.DataFrame], stream: IO[bytes]) -> int:
    rows = 0
    for frame in frames:
        for row in frame.iter_rows(named=True):
            if "attributes" in row:
                row["attributes"] = orjson.loads(row["attributes"])
            stream.write(orjson.dumps(row) + b"\n")
        rows += frame.height
    return rows


def _write_parquet(frames: Iterable[pl.DataFrame], stream: IO[bytes]) -> int:
    rows = 0
    with tempfile.TemporaryDirectory(prefix=".exporting-", dir=_folder(stream)) as folder:
        parts: list[Path] = []
        waiting: list[pl.DataFrame] = []

        def write_part() -> None:
            parts.append(Path(folder) / f"part-{len(parts):06d}")
            pl.concat(waiting).write_parquet(parts[-1])
            waiting.clear()

        for frame in frames:
            waiting.append(frame)
            rows += frame.height
            if len(waiting) == _FRAMES_A_PART:
                write_part()
        if waiting:
            write_part()
        whole = parts[0]
        if len(parts) > 1:
            whole = Path(folder) / "whole"
            pl.scan_parquet(parts, glob=False).sink_parquet(whole)
        with whole.open("rb") as content:
            shutil.copyfileobj(content, stream, 1 << 20)
    return rows


def _folder(stream: IO[bytes]) -> str | None:
    """Return where the file lies, as parts of it may need as much room."""
    name = stream.name
    return str(Path(name).parent) if isinstance(name, str) else None
