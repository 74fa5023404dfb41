"""A data set from whatever lies at a path: MovieLens of any era, our own folder, or one CSV."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from recommender.data import movielens
from recommender.data.containers import open_container
from recommender.data.movielens_releases import RELEASES
from recommender.data.sources import Source, file_source
from recommender.data.tables import MOVIE_SCHEMA, read_movies, read_ratings, read_users
from recommender.data.text_blocks import read_text
from recommender.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recommender.data.rating_scale import RatingScale

KNOWN_DATASETS = (
    "known are: MovieLens (u.data + u.item, ratings.dat + movies.dat, or ratings.csv + "
    "movies.csv) as a folder or a zip; a folder or zip with ratings.csv + movies.csv "
    "[+ users.csv]; one CSV file of ratings"
)
NOTICE_FILE = "notice.txt"
_LONGEST_NOTICE = 4_096


@dataclass(frozen=True, eq=False)
class Dataset:
    """Ratings, the movies they are about, and what is known of the users.

    Attributes
    ----------
    name
        Such as ``"ml-latest-small"``, ``"demo"``, or the stem of the file's name.
    ratings
        ``user``, ``item`` (both String; Int64 for MovieLens), ``rating`` (Float32) and, where
        known, ``timestamp`` (Int64, seconds since 1970).
    movies
        ``movie_id``, ``title`` (String), ``year`` (Int32, may be null), ``genres``
        (List[String]). May be empty, may lack rated movies, and may have unrated ones.
    users
        ``user_id`` and attributes, all String. May be empty.
    notice
        What must be said wherever the data is shown or used, ``None`` when nothing is known.
    """

    name: str
    ratings: pl.DataFrame
    movies: pl.DataFrame
    users: pl.DataFrame
    notice: str | None = None


def read_dataset(path: Path | str, *, scale: RatingScale | None = None) -> Dataset:
    """Read the data set at ``path``, recognising what it is.

    Parameters
    ----------
    path
        A folder or zip archive (MovieLens of any era, or ``ratings.csv`` and ``movies.csv`` with
        or without ``users.csv`` and ``notice.txt``; also one folder further in), or a single CSV
        file of ratings.
    scale
        The ratings allowed; 0.5 to 5 in half steps unless given.

    Raises
    ------
    FileFormatError
        When nothing known is there (it says what was found), or at the first bad line.
    """
    path = Path(path)
    if not path.is_dir():
        source = file_source(path)
        if path.suffix.lower() != ".zip" and source.head(4) != b"PK\x03\x04":
            return _single_table(path, source, scale)
    with open_container(path) as folders:
        name, files = choose_folder(path, folders)
        return _from_files(name, files, scale)


def choose_folder(
    path: Path, folders: Mapping[str, Mapping[str, Source]]
) -> tuple[str, Mapping[str, Source]]:
    """Return the name and the files of the data set in a container, right here or further in.

    Raises
    ------
    FileFormatError
        When there is none, or more than one.
    """
    recognised = {folder: files for folder, files in folders.items() if _is_dataset(files)}
    if not recognised:
        raise FileFormatError(path, f"no data set here: {_found(folders)}; {KNOWN_DATASETS}")
    # A data set right here comes before those in folders further in.
    folder = "" if "" in recognised else min(recognised)
    if folder and len(recognised) > 1:
        inside = ", ".join(sorted(recognised)[:5])
        raise FileFormatError(path, f"more than one data set inside: {inside}; name one")
    name = folder if folder and path.is_dir() else _name(path)
    return name, recognised[folder]


def notice_of(name: str, files: Mapping[str, Source]) -> str | None:
    """Return what must be said wherever a data set is shown, ``None`` when nothing is known."""
    era = movielens.recognise(files)
    return _own_notice(files) if era is None else _movielens_notice(name, era, files)


def _from_files(name: str, files: Mapping[str, Source], scale: RatingScale | None) -> Dataset:
    era = movielens.recognise(files)
    if era is not None:
        return Dataset(
            name=name,
            ratings=movielens.read_movielens_ratings(files, era, scale),
            movies=movielens.read_movielens_movies(files, era),
            users=movielens.read_movielens_users(files, era),
            notice=_movielens_notice(name, era, files),
        )
    return Dataset(
        name=name,
        ratings=read_ratings(files["ratings.csv"], scale=scale),
        movies=read_movies(files["movies.csv"]),
        users=read_users(files["users.csv"]) if "users.csv" in files else _no_users(),
        notice=_own_notice(files),
    )


def _single_table(path: Path, source: Source, scale: RatingScale | None) -> Dataset:
    return Dataset(
        name=path.stem,
        ratings=read_ratings(source, scale=scale),
        movies=pl.DataFrame(schema=MOVIE_SCHEMA),
        users=_no_users(),
    )


def _is_dataset(files: Mapping[str, Source]) -> bool:
    own = "ratings.csv" in files and "movies.csv" in files
    return own or movielens.recognise(files) is not None


def _movielens_notice(name: str, era: movielens.Era, files: Mapping[str, Source]) -> str:
    likely = {"1998": "ml-100k", "2003": "ml-1m" if "users.dat" in files else "ml-10m"}
    release = RELEASES.get(name) or RELEASES[likely.get(era, "ml-latest-small")]
    if release.name != name and era == "2015":
        # Some release in CSV, under a name that is not ours: the terms are those of all of them.
        return release.notice.replace("ml-latest-small was", "This MovieLens data was", 1)
    return release.notice


def _own_notice(files: Mapping[str, Source]) -> str | None:
    if NOTICE_FILE not in files:
        return None
    return " ".join(read_text(files[NOTICE_FILE]).split())[:_LONGEST_NOTICE]


def _no_users() -> pl.DataFrame:
    return pl.DataFrame(schema={"user_id": pl.String()})


def _name(path: Path) -> str:
    whole = path.resolve()
    return whole.name if path.is_dir() else whole.stem


def _found(folders: Mapping[str, Mapping[str, Source]]) -> str:
    """Return the first few names in a container, for a message."""
    names = list(folders.get("", {}))
    names += [f"{folder}/{file}" for folder, files in folders.items() if folder for file in files]
    if not names:
        return "found nothing"
    more = f" and {len(names) - 6:,} more" if len(names) > 6 else ""
    return "found " + ", ".join(ascii(name)[1:-1][:40] for name in names[:6]) + more
