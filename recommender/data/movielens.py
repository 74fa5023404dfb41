"""MovieLens of every era, from the files of a folder or a zip archive.

=======  ==================================  ===========================================
era      files                               format
=======  ==================================  ===========================================
1998     ``u.data  u.item  u.user``          100K: tabs; pipes, 19 genre flags, Latin-1
2003     ``ratings.dat  movies.dat``         1M (Latin-1, ``users.dat``) and 10M (UTF-8, half
                                             stars): fields separated by ``::``
2015     ``ratings.csv  movies.csv``         20M, 25M, 32M, latest: CSV with a header, UTF-8
=======  ==================================  ===========================================

Harper & Konstan, The MovieLens Datasets: History and Context, ACM TiiS 5(4), 2015.
"""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING, Literal

import polars as pl

from recommender.data.cells import (
    LONGEST_TITLE,
    NUMBER_ID_RULE,
    CellError,
    check_line,
    check_number_id,
    check_once,
    shown,
)
from recommender.data.rating_rows import ITEM, RATING, TIMESTAMP, USER, RatingLayout, ratings_table
from recommender.data.rating_scale import RatingScale
from recommender.data.tables import MOVIE_SCHEMA, read_movies, read_ratings
from recommender.data.text_blocks import csv_records, read_blocks, read_text
from recommender.data.titles import split_genres, split_title
from recommender.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from recommender.data.sources import Source

Era = Literal["1998", "2003", "2015"]

_ERA_FILES: Mapping[Era, tuple[str, str]] = {
    "1998": ("u.data", "u.item"),
    "2003": ("ratings.dat", "movies.dat"),
    "2015": ("ratings.csv", "movies.csv"),
}
_CSV_HEADER = ["userId", "movieId", "rating", "timestamp"]

# The flags of u.item, in order (u.genre). The first says that the genre is unknown.
_FLAG_GENRES = (
    *("", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary"),
    *("Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi"),
    *("Thriller", "War", "Western"),
)
_ITEM_FIELDS = 5 + len(_FLAG_GENRES)

# 1M writes ages and occupations as codes (its README).
_AGES = {
    "1": "under 18",
    "18": "18-24",
    "25": "25-34",
    "35": "35-44",
    "45": "45-49",
    "50": "50-55",
    "56": "56+",
}
_OCCUPATIONS = (
    *("other", "academic/educator", "artist", "clerical/admin", "college/grad student"),
    *("customer service", "doctor/health care", "executive/managerial", "farmer", "homemaker"),
    *("K-12 student", "lawyer", "programmer", "retired", "sales/marketing", "scientist"),
    *("self-employed", "technician/engineer", "tradesman/craftsman", "unemployed", "writer"),
)
_USER_ATTRIBUTES = ("age", "gender", "occupation")


def recognise(files: Mapping[str, Source]) -> Era | None:
    """Return which era of MovieLens the files of one folder are, ``None`` when they are not."""
    for era, names in _ERA_FILES.items():
        if not all(name in files for name in names):
            continue
        if era != "2015" or _is_movielens_csv(files["ratings.csv"]):
            return era
    return None


def read_movielens_ratings(
    files: Mapping[str, Source], era: Era, scale: RatingScale | None = None
) -> pl.DataFrame:
    """Read the ratings of one release.

    Returns
    -------
    polars.DataFrame
        ``user``, ``item`` (Int64), ``rating`` (Float32, on ``scale``: 0.5 to 5 in half steps
        unless given), ``timestamp`` (Int64, seconds since 1970).

    Raises
    ------
    FileFormatError
        At the first bad line.
    """
    source = files[_ERA_FILES[era][0]]
    if era == "2015":
        return read_ratings(source, scale=scale, integer_ids=True)
    layout = RatingLayout(
        roles=(USER, ITEM, RATING, TIMESTAMP),
        names=("UserID", "MovieID", "Rating", "Timestamp"),
        separator="\t" if era == "1998" else "::",
        scale=scale or RatingScale(),
        integer_ids=True,
    )
    with closing(read_blocks(source, quoted=False)) as blocks:
        return ratings_table(blocks, layout, source.label)


def read_movielens_movies(files: Mapping[str, Source], era: Era) -> pl.DataFrame:
    """Read the movies of one release.

    Returns
    -------
    polars.DataFrame
        ``movie_id``, ``title`` (String; the year taken off and the article put first, see
        :func:`recommender.data.titles.split_title`), ``year`` (Int32, may be null), ``genres``
        (List[String], empty when none are listed).

    Raises
    ------
    FileFormatError
        At the first bad line.
    """
    source = files[_ERA_FILES[era][1]]
    if era == "2015":
        return read_movies(source)
    separator, width = ("|", _ITEM_FIELDS) if era == "1998" else ("::", 3)
    rows: dict[str, list[object]] = {name: [] for name in MOVIE_SCHEMA}
    genres_of = _flag_genres if era == "1998" else _listed_genres
    seen: dict[str, int] = {}
    for line, fields in _lines(source, separator, width):
        try:
            movie_id = check_number_id(fields[0])
            check_once(seen, str(movie_id), line)
            title, year = split_title(check_line(fields[1], LONGEST_TITLE))
            genres = genres_of(fields)
        except CellError as error:
            raise FileFormatError(source.label, str(error), line=line) from None
        if year is None and era == "1998":
            year = _release_year(fields[2])
        for name, value in zip(MOVIE_SCHEMA, (str(movie_id), title, year, genres), strict=True):
            rows[name].append(value)
    if not rows["movie_id"]:
        raise FileFormatError(source.label, "the file holds no movies")
    return pl.DataFrame(rows, schema=MOVIE_SCHEMA)


def read_movielens_users(files: Mapping[str, Source], era: Era) -> pl.DataFrame:
    """Read age, gender and occupation of the users (100K and 1M only; elsewhere an empty table).

    Postal codes stay out: they say where somebody lives and nothing about films.

    Returns
    -------
    polars.DataFrame
        ``user_id``, ``age``, ``gender``, ``occupation`` (String).
    """
    name, separator = ("u.user", "|") if era == "1998" else ("users.dat", "::")
    if era == "2015" or name not in files:
        return pl.DataFrame(schema={"user_id": pl.String()})
    source = files[name]
    rows: list[tuple[str, str, str, str]] = []
    for line, fields in _lines(source, separator, 5):
        if not re.fullmatch(r"[0-9]{1,19}", fields[0]):
            raise FileFormatError(
                source.label,
                f"user id: found {shown(fields[0])}; allowed: {NUMBER_ID_RULE}",
                line=line,
            )
        if era == "1998":
            rows.append((str(int(fields[0])), fields[1], fields[2], fields[3]))
        else:
            age, occupation = fields[2], fields[3]
            if occupation.isascii() and occupation.isdigit() and len(occupation) < 3:
                known = int(occupation) < len(_OCCUPATIONS)
                occupation = _OCCUPATIONS[int(occupation)] if known else occupation
            rows.append((str(int(fields[0])), _AGES.get(age, age), fields[1], occupation))
    return pl.DataFrame(rows, schema=["user_id", *_USER_ATTRIBUTES], orient="row")


def _is_movielens_csv(source: Source) -> bool:
    first = source.head(200).removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]
    try:
        _, names = next(csv_records(first.decode(), source.label), (1, []))
    except (UnicodeDecodeError, FileFormatError):
        return False
    return [name.strip() for name in names] == _CSV_HEADER


def _lines(source: Source, separator: str, width: int) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, fields) of an unquoted text, in UTF-8 or else Latin-1."""
    text = read_text(source, latin1=True)
    for line, record in enumerate(text.split("\n"), start=1):
        if not record.strip():
            continue
        fields = record.removesuffix("\r").split(separator)
        if len(fields) != width:
            raise FileFormatError(
                source.label,
                f"found {len(fields)} fields; expected {width}, separated by {separator!r}",
                line=line,
            )
        yield line, fields


def _flag_genres(fields: list[str]) -> list[str]:
    flags = fields[5:]
    if not set(flags) <= {"0", "1"}:
        wrong = next(flag for flag in flags if flag not in {"0", "1"})
        raise CellError(f"genre flag: found {shown(wrong)}; allowed: 0 or 1")
    return [genre for genre, flag in zip(_FLAG_GENRES, flags, strict=True) if flag == "1" and genre]


def _listed_genres(fields: list[str]) -> list[str]:
    return split_genres(fields[2])


def _release_year(date: str) -> int | None:
    found = re.fullmatch(r"[0-9]{2}-[A-Za-z]{3}-([0-9]{4})", date.strip())
    return int(found[1]) if found else None
