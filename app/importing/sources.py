"""What lies at a path: one file, or the files of a folder or a zip archive."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from app.importing.csv_files import CsvFile
from app.importing.ndjson_files import NdjsonFile
from app.importing.parquet_files import ParquetFile
from app.importing.pieces import Piece
from app.limits import LIMITS
from recommender.data import movielens
from recommender.data.containers import open_container
from recommender.data.dataset import choose_folder, notice_of
from recommender.data.sources import Source, file_source
from recommender.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import polars as pl

    from app.importing.rows import Kind
    from recommender.data.movielens import Era
    from recommender.data.rating_scale import RatingScale

Format: TypeAlias = Literal["csv", "ndjson", "parquet", "zip", "folder"]
FORMATS: tuple[str, ...] = ("csv", "ndjson", "parquet", "zip")

_DAT_NAMES = ("u.data", "ratings.dat")


class File(Protocol):
    """One file of an import."""

    @property
    def name(self) -> str:
        """What errors call it."""

    def pieces(self, position: dict[str, Any] | None = None) -> Iterator[Piece]:
        """Yield its rows, from the position of an earlier piece on."""


@dataclass(frozen=True)
class WholeFile:
    """Movies or users of an old MovieLens: read as a whole, refused at the first bad line.

    Attributes
    ----------
    source
        Where it is.
    kind
        What its rows are.
    read
        Returns its frame.
    """

    source: Source
    kind: Kind
    read: Callable[[], pl.DataFrame]

    @property
    def name(self) -> str:
        """What errors call it."""
        return self.source.label

    def pieces(self, position: dict[str, Any] | None = None) -> Iterator[Piece]:
        """Yield all of it, unless it was read already."""
        if position is None:
            yield Piece(self.kind, self.read(), [], {"read": True})


@dataclass(frozen=True)
class Contents:
    """The files of one import, in the order in which they are stored.

    Attributes
    ----------
    name
        As ``ml-latest-small``.
    files
        Movies and users before ratings.
    notice
        What must be said wherever the data is shown; ``None`` when nothing is known.
    """

    name: str
    files: tuple[File, ...]
    notice: str | None = None


@contextmanager
def open_contents(
    path: Path, scale: RatingScale, wanted: Format | None = None, kind: Kind = "ratings"
) -> Iterator[Contents]:
    """Look what lies at a path.

    Parameters
    ----------
    path
        A file or a folder.
    scale
        The ratings that are allowed.
    wanted
        What the file is; found out from its beginning unless given.
    kind
        What the rows of a single file are.

    Raises
    ------
    FileFormatError
        When there is nothing, or nothing that can be read.
    """
    latest = int(time.time()) + LIMITS.clock_skew_seconds
    found = wanted or recognise(path)
    if found in {"zip", "folder"}:
        with open_container(path) as folders:
            name, files = choose_folder(path, folders)
            era = movielens.recognise(files)
            make = _own(files, scale, latest) if era is None else _era(files, era, scale, latest)
            yield Contents(name, make, notice_of(name, files))
        return
    source = file_source(path)
    if found == "parquet":
        yield Contents(path.stem, (ParquetFile(path, kind, scale, latest),))
    elif found == "ndjson":
        yield Contents(path.stem, (NdjsonFile(source, kind, scale, latest),))
    elif kind == "ratings" and path.name in _DAT_NAMES:
        separator = "\t" if path.name == "u.data" else "::"
        file = CsvFile(source, kind, scale, latest, separator, number_ids=True)
        yield Contents(path.stem, (file,))
    else:
        yield Contents(path.stem, (CsvFile(source, kind, scale, latest),))


def recognise(path: Path) -> Format:
    """Return what lies at a path, by its beginning.

    Raises
    ------
    FileFormatError
        When there is nothing that can be read.
    """
    if path.is_dir():
        return "folder"
    head = file_source(path).head(256)
    if head.startswith(b"PK\x03\x04") or path.suffix.lower() == ".zip":
        return "zip"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return "ndjson"
    if path.suffix.lower() in {".ndjson", ".jsonl"}:
        return "ndjson"
    if path.suffix.lower() == ".parquet":
        raise FileFormatError(path, "this is no Parquet file: it does not begin with PAR1")
    return "csv"


def _own(files: Mapping[str, Source], scale: RatingScale, latest: int) -> tuple[File, ...]:
    order: tuple[Kind, ...] = ("movies", "users", "ratings")
    return tuple(
        CsvFile(files[f"{kind}.csv"], kind, scale, latest)
        for kind in order
        if f"{kind}.csv" in files
    )


def _era(
    files: Mapping[str, Source], era: Era, scale: RatingScale, latest: int
) -> tuple[File, ...]:
    if era == "2015":
        return (
            CsvFile(files["movies.csv"], "movies", scale, latest),
            CsvFile(files["ratings.csv"], "ratings", scale, latest, number_ids=True),
        )
    old = era == "1998"
    movies, ratings = ("u.item", "u.data") if old else ("movies.dat", "ratings.dat")
    users = "u.user" if old else "users.dat"
    found: list[File] = [
        WholeFile(files[movies], "movies", lambda: movielens.read_movielens_movies(files, era))
    ]
    if users in files:
        found.append(
            WholeFile(files[users], "users", lambda: movielens.read_movielens_users(files, era))
        )
    separator = "\t" if old else "::"
    found.append(CsvFile(files[ratings], "ratings", scale, latest, separator, number_ids=True))
    return tuple(found)
