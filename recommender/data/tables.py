"""Our own tables: ratings, movies and users as CSV files with a header line.

Every value is checked as it is read; the first one that breaks a rule ends the reading with the
line it stands on, the column, what was found and what is allowed.
"""

from __future__ import annotations

import re
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING

import polars as pl

from recommender.data.cells import (
    LONGEST_ATTRIBUTE,
    LONGEST_TITLE,
    CellError,
    check_id,
    check_line,
    check_once,
    check_year,
    shown,
)
from recommender.data.rating_rows import (
    ITEM,
    RATING,
    TIMESTAMP,
    USER,
    RatingLayout,
    ratings_table,
)
from recommender.data.rating_scale import RatingScale
from recommender.data.sources import Source, file_source
from recommender.data.text_blocks import (
    Block,
    csv_records,
    read_blocks,
    read_text,
    split_header,
)
from recommender.data.titles import split_genres, split_title
from recommender.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MOVIE_SCHEMA: dict[str, pl.DataType] = {
    "movie_id": pl.String(),
    "title": pl.String(),
    "year": pl.Int32(),
    "genres": pl.List(pl.String()),
}

# The names that a header may use, the documented one first; case and underscores do not matter.
_USER_NAMES = ("user_id", "user")
_ITEM_NAMES = ("movie_id", "item_id", "movie", "item")
_RATING_COLUMNS = {
    USER: _USER_NAMES,
    ITEM: _ITEM_NAMES,
    RATING: ("rating",),
    TIMESTAMP: ("timestamp", "rated_at"),
}
_MOVIE_COLUMNS = {
    "movie_id": _ITEM_NAMES,
    "title": ("title",),
    "year": ("year",),
    "genres": ("genres",),
}


def read_ratings(
    path: Path | str | Source,
    *,
    scale: RatingScale | None = None,
    integer_ids: bool = False,
    rating_required: bool = True,
) -> pl.DataFrame:
    """Read a CSV file of ratings.

    The header names the columns, in any order: ``user_id`` (or ``user``, ``userId``),
    ``movie_id`` (or ``item_id``, ``item``, ``movieId``), ``rating`` and, if there is one,
    ``timestamp`` or ``rated_at`` (seconds since 1970, or a date and time in ISO 8601; without a
    zone it is UTC). Further columns are passed over.

    Parameters
    ----------
    path
        The file.
    scale
        The ratings allowed; 0.5 to 5 in half steps unless given.
    integer_ids
        Read ids as numbers (Int64). Otherwise they stay text, with their leading zeros.
    rating_required
        Whether a file without a column of ratings, one that says who chose what, is refused.

    Returns
    -------
    polars.DataFrame
        ``user``, ``item`` (String, or Int64), ``rating`` (Float32), and ``timestamp`` (Int64,
        seconds since 1970) when the file has one; rows as in the file, repeated ones kept.

    Raises
    ------
    FileFormatError
        When the file is missing, is no CSV in UTF-8, lacks a column, or at its first bad line.
    """
    source = path if isinstance(path, Source) else file_source(path)
    with closing(read_blocks(source, quoted=True)) as blocks:
        header, rest = split_header(next(blocks), source.label)
        required = (USER, ITEM, RATING) if rating_required else (USER, ITEM)
        places = find_columns(header, _RATING_COLUMNS, required, source.label)
        roles = {place: role for role, place in places.items()}
        layout = RatingLayout(
            roles=tuple(roles.get(place) for place in range(len(header))),
            names=tuple(header),
            scale=scale or RatingScale(),
            integer_ids=integer_ids,
        )
        return ratings_table(chain([rest], blocks), layout, source.label)


def read_movies(path: Path | str | Source) -> pl.DataFrame:
    """Read a CSV file of movies.

    The header names ``movie_id`` (or ``movieId``, ``item_id``, ``item``), ``title`` and, if there
    are any, ``year`` and ``genres`` (separated by ``|``). A file without a ``year`` column is read
    as MovieLens writes titles, ``Matrix, The (1999)``: see
    :func:`recommender.data.titles.split_title`.

    Returns
    -------
    polars.DataFrame
        ``movie_id``, ``title`` (String), ``year`` (Int32, may be null), ``genres``
        (List[String]); rows as in the file.

    Raises
    ------
    FileFormatError
        As :func:`read_ratings`; also when a ``movie_id`` comes twice.
    """
    source = path if isinstance(path, Source) else file_source(path)
    header, records = _whole_table(source)
    places = find_columns(header, _MOVIE_COLUMNS, ("movie_id", "title"), source.label)
    rows: dict[str, list[object]] = {name: [] for name in MOVIE_SCHEMA}
    seen: dict[str, int] = {}
    for line, fields in records:
        cells = {name: fields[place] for name, place in places.items()}
        column = "movie_id"
        try:
            movie_id = check_id(cells["movie_id"])
            check_once(seen, movie_id, line)
            column = "title"
            title, year = check_line(cells["title"], LONGEST_TITLE), None
            column = "year"
            if "year" in cells:
                year = check_year(cells["year"])
            else:
                title, year = split_title(title)
        except CellError as error:
            raise FileFormatError(
                source.label, f"column {header[places[column]]!r}: {error}", line=line
            ) from None
        genres = split_genres(cells.get("genres", ""))
        for name, value in zip(MOVIE_SCHEMA, (movie_id, title, year, genres), strict=True):
            rows[name].append(value)
    return _table(rows, MOVIE_SCHEMA, source.label, "movies")


def read_users(path: Path | str | Source) -> pl.DataFrame:
    """Read a CSV file of users.

    The header names ``user_id`` (or ``user``, ``userId``); every other column is an attribute.

    Returns
    -------
    polars.DataFrame
        ``user_id`` and the attributes under their own names, all String; empty cells are null.

    Raises
    ------
    FileFormatError
        As :func:`read_ratings`; also when a ``user_id`` comes twice.
    """
    source = path if isinstance(path, Source) else file_source(path)
    header, records = _whole_table(source)
    place = find_columns(header, {"user_id": _USER_NAMES}, ("user_id",), source.label)["user_id"]
    names = ["user_id" if at == place else name for at, name in enumerate(header)]
    _check_attribute_names(names, source.label)
    rows: dict[str, list[object]] = {name: [] for name in names}
    seen: dict[str, int] = {}
    for line, fields in records:
        at = place
        try:
            check_once(seen, check_id(fields[place]), line)
            rows["user_id"].append(fields[place])
            for at, name in enumerate(names):
                if at != place:
                    cell = fields[at].strip()
                    rows[name].append(check_line(cell, LONGEST_ATTRIBUTE) if cell else None)
        except CellError as error:
            raise FileFormatError(
                source.label, f"column {header[at]!r}: {error}", line=line
            ) from None
    schema: dict[str, pl.DataType] = dict.fromkeys(names, pl.String())
    return _table(rows, schema, source.label, "users").select(
        "user_id", *(name for name in names if name != "user_id")
    )


def _whole_table(source: Source) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the header, and (line, fields) of every record, each as long as the header."""
    content = read_text(source).encode()
    header, rest = split_header(Block(content, 1), source.label)

    def records() -> Iterator[tuple[int, list[str]]]:
        text = rest.content.decode()
        for line, fields in csv_records(text, source.label, rest.first_line):
            if len(fields) != len(header):
                raise FileFormatError(
                    source.label,
                    f"found {len(fields)} {'field' if len(fields) == 1 else 'fields'}; "
                    f"the header has {len(header)}: {','.join(header)}",
                    line=line,
                )
            yield line, fields

    return header, records()


def find_columns(
    header: list[str],
    known: Mapping[str, tuple[str, ...]],
    required: tuple[str, ...],
    label: str,
) -> dict[str, int]:
    """Return the place of each known column in the header.

    Parameters
    ----------
    known
        The names that a column may have, the documented one first, by what it means.
    required
        Which must be there.

    Raises
    ------
    FileFormatError
        When one of those is missing, or two columns mean the same.
    """
    places: dict[str, int] = {}
    for place, name in enumerate(header):
        plain = _plain(name)
        column = next((key for key, names in known.items() if plain in map(_plain, names)), None)
        if column is None:
            continue
        if column in places:
            raise FileFormatError(
                label,
                f"the columns {header[places[column]]!r} and {name!r} mean the same; keep one",
                line=1,
            )
        places[column] = place
    missing = [known[column] for column in required if column not in places]
    if missing:
        wanted = "; ".join(" or ".join(map(repr, names)) for names in missing)
        raise FileFormatError(
            label,
            f"the header lacks a column: {wanted}. Found: {shown(','.join(header))}"
            + _header_hint(header),
            line=1,
        )
    return places


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "")


def _header_hint(header: list[str]) -> str:
    """Return what is probably wrong with a header that lacks columns."""
    text = ",".join(header)
    for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("::", "'::'"), ("|", "'|'")):
        if separator in text:
            return f" (fields separated by {name}; expected: commas)"
    if header and all(re.fullmatch(r"[-+.:TZ0-9 ]+", name) for name in header):
        return " (data where the header should be? put the names of the columns in line 1)"
    return ""


def _check_attribute_names(names: list[str], label: str) -> None:
    for place, name in enumerate(names):
        try:
            check_line(name, 64)
        except CellError as error:
            raise FileFormatError(label, f"the name of column {place + 1}: {error}", 1) from None
        if name in names[:place]:
            raise FileFormatError(label, f"two columns have the name {shown(name)}", line=1)


def _table(
    rows: dict[str, list[object]], schema: dict[str, pl.DataType], label: str, what: str
) -> pl.DataFrame:
    if not next(iter(rows.values())):
        raise FileFormatError(label, f"the file holds a header and no {what}")
    return pl.DataFrame(rows, schema=schema)
