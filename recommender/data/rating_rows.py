"""Blocks of text to a table of ratings: a fast way for good rows, a readable one that decides.

Every block first goes to Polars as a whole. When Polars cannot read it, or a value breaks its
column's rule, the readable twin reads the same block row by row: it either finds the first bad
line and says what is wrong with it, or it finds the rows good (blank lines, rare ways to write a
date) and returns them. Both return the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from recommender.data.cells import (
    CONTROL_CHARACTERS,
    LATEST_TIMESTAMP,
    CellError,
    check_id,
    check_number_id,
    check_rating,
    check_timestamp,
)
from recommender.data.rating_scale import RatingScale
from recommender.data.text_blocks import Block, csv_records
from recommender.data.vocabulary import MAXIMUM_ID_LENGTH
from recommender.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

USER, ITEM, RATING, TIMESTAMP = "user", "item", "rating", "timestamp"

# With a zone; without one, read as UTC. The readable twin takes all other ways of ISO 8601.
_ZONED = "%+"
_UNZONED = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f")


@dataclass(frozen=True)
class RatingLayout:
    """How a file of ratings is laid out.

    Attributes
    ----------
    roles
        For each column of the file in order: ``user``, ``item``, ``rating``, ``timestamp``, or
        ``None`` for a column that nobody reads.
    names
        What the file calls its columns; errors use these names.
    separator
        ``","`` (CSV, with quoting), or a tab or ``"::"`` (without).
    """

    roles: tuple[str | None, ...]
    names: tuple[str, ...]
    separator: str = ","
    scale: RatingScale = RatingScale()  # noqa: RUF009 (frozen, so it can be shared)
    integer_ids: bool = False

    @property
    def quoted(self) -> bool:
        """Whether double quotes mean something."""
        return self.separator == ","

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """The columns of the resulting table, in order."""
        ids = pl.Int64() if self.integer_ids else pl.String()
        schema: dict[str, pl.DataType] = {USER: ids, ITEM: ids}
        if RATING in self.roles:
            schema[RATING] = pl.Float32()
        if TIMESTAMP in self.roles:
            schema[TIMESTAMP] = pl.Int64()
        return schema

    def column(self, role: str) -> int:
        """Return the place of a role among the file's columns, from 0."""
        return self.roles.index(role)


def ratings_table(blocks: Iterable[Block], layout: RatingLayout, label: str) -> pl.DataFrame:
    """Return the ratings of all blocks.

    Returns
    -------
    polars.DataFrame
        ``user`` and ``item`` (String or Int64) and, when the file has them, ``rating`` (Float32)
        and ``timestamp`` (Int64, seconds since 1970), in the order of the file; in several chunks.

    Raises
    ------
    FileFormatError
        At the first bad line; or when there is no row at all.
    """
    tables: list[pl.DataFrame] = []
    for block in blocks:
        if not block.content.strip():
            continue
        table = fast_rows(block, layout)
        if table is None:
            table = readable_rows(block, layout, label)
        if table.height:
            tables.append(table)
    if not tables:
        raise FileFormatError(label, "the file holds no ratings")
    return pl.concat(tables, rechunk=False)


# --- the fast way -------------------------------------------------------------------------


def fast_rows(block: Block, layout: RatingLayout) -> pl.DataFrame | None:
    """Return the block's rows, or ``None`` when the readable twin has to decide."""
    content = block.content
    if content.count(b"\r") != content.count(b"\r\n"):
        return None  # Polars drops a lone one at the end of a cell, without a word
    separator = layout.separator
    if len(separator) > 1:
        if b"\t" in content:
            return None
        content, separator = content.replace(separator.encode(), b"\t"), "\t"
    found = _parse(content, separator, layout)
    if found is None:
        return None
    # Polars fills a short row up with nulls; one separator too few gives it away.
    if content.count(separator.encode()) != found.height * (len(layout.roles) - 1):
        return None
    columns = [
        _fast_ids(found[USER], layout.integer_ids),
        _fast_ids(found[ITEM], layout.integer_ids),
    ]
    if RATING in layout.roles:
        columns.append(_fast_ratings(found[RATING], layout.scale))
    if TIMESTAMP in layout.roles:
        columns.append(_fast_timestamps(found[TIMESTAMP]))
    good = [column for column in columns if column is not None]
    return pl.DataFrame(good) if len(good) == len(columns) else None


def _parse(content: bytes, separator: str, layout: RatingLayout) -> pl.DataFrame | None:
    ids = pl.Int64() if layout.integer_ids else pl.String()
    types = {USER: ids, ITEM: ids, RATING: pl.Float64(), TIMESTAMP: _time_type(content, layout)}
    places = [f"column_{place + 1}" for place in range(len(layout.roles))]
    wanted = {
        place: role for place, role in zip(places, layout.roles, strict=True) if role is not None
    }
    try:
        return pl.read_csv(
            content,
            has_header=False,
            separator=separator,
            quote_char='"' if layout.quoted else None,
            schema={
                place: types[wanted[place]] if place in wanted else pl.String() for place in places
            },
            columns=list(wanted),
        ).rename(wanted)
    except (pl.exceptions.PolarsError, ValueError):
        return None


def _time_type(content: bytes, layout: RatingLayout) -> pl.DataType:
    """Return Int64 when the block's first row has seconds, String when it has a date."""
    if TIMESTAMP not in layout.roles:
        return pl.Int64()
    first = content[: content.find(b"\n") + 1 or len(content)].strip()
    separator = b"," if layout.quoted else b"\t"
    cells = first.split(separator)
    # From the end, so that a quoted comma in an earlier column does no harm.
    cell = cells[layout.column(TIMESTAMP) - len(layout.roles)] if len(cells) > 1 else b""
    return pl.Int64() if cell.strip(b'"').isdigit() else pl.String()


def _fast_ids(column: pl.Series, integers: bool) -> pl.Series | None:
    if column.null_count():
        return None
    if integers:
        lowest = column.min()
        return column if isinstance(lowest, int) and lowest >= 0 else None
    ids = column.unique()
    return None if breaks_id_rule(ids).any() else column


def breaks_id_rule(ids: pl.Series) -> pl.Series:
    """Return for each text whether it is no id: :func:`~recommender.data.cells.check_id`, fast."""
    lengths = ids.str.len_chars()
    return (
        (lengths < 1)
        | (lengths > MAXIMUM_ID_LENGTH)
        | ids.str.contains(CONTROL_CHARACTERS)
        | (ids.str.strip_chars() != ids)
    )


def _fast_ratings(column: pl.Series, scale: RatingScale) -> pl.Series | None:
    if column.null_count() or not scale.accepts(column.to_numpy()).all():
        return None
    return column.cast(pl.Float32)


def _fast_timestamps(column: pl.Series) -> pl.Series | None:
    seconds = _seconds(column) if column.dtype == pl.String else column
    if seconds is None or seconds.null_count():
        return None
    return seconds if seconds.is_between(0, LATEST_TIMESTAMP).all() else None


def _seconds(column: pl.Series) -> pl.Series | None:
    """Return the dates of a column as seconds, when all are written in one known way."""
    moments = column.str.to_datetime(_ZONED, strict=False, time_unit="ms", time_zone="UTC")
    if not moments.null_count():
        return moments.dt.epoch("s")
    for form in _UNZONED:
        moments = column.str.to_datetime(form, strict=False, time_unit="ms")
        if not moments.null_count():
            return moments.dt.epoch("s")
    return None


# --- the readable twin --------------------------------------------------------------------


def readable_rows(block: Block, layout: RatingLayout, label: str) -> pl.DataFrame:
    """Return the block's rows, read one by one.

    Raises
    ------
    FileFormatError
        At the first row that breaks a rule, with its line.
    """
    checks = _checks(layout)
    columns: dict[str, list[object]] = {role: [] for role in layout.schema}
    for line, fields in _records(block, layout, label):
        if len(fields) != len(layout.roles):
            raise FileFormatError(
                label,
                f"found {len(fields)} {'field' if len(fields) == 1 else 'fields'}; "
                f"expected {len(layout.roles)}: {layout.separator.join(layout.names)}",
                line=line,
            )
        for role, check in checks.items():
            place = layout.column(role)
            try:
                columns[role].append(check(fields[place]))
            except CellError as error:
                raise FileFormatError(
                    label, f"column {layout.names[place]!r}: {error}", line=line
                ) from None
    return pl.DataFrame(columns, schema=layout.schema)


def _checks(layout: RatingLayout) -> dict[str, Callable[[str], object]]:
    ids: Callable[[str], object] = check_number_id if layout.integer_ids else check_id
    scale = layout.scale
    checks: dict[str, Callable[[str], object]] = {USER: ids, ITEM: ids}
    if RATING in layout.roles:
        checks[RATING] = lambda text: check_rating(text, scale)
    if TIMESTAMP in layout.roles:
        checks[TIMESTAMP] = check_timestamp
    return checks


def _records(block: Block, layout: RatingLayout, label: str) -> Iterator[tuple[int, list[str]]]:
    text = block.content.decode("utf-8")
    if layout.quoted:
        yield from csv_records(text, label, block.first_line)
        return
    for line, record in enumerate(text.split("\n"), start=block.first_line):
        if record.strip():
            yield line, record.removesuffix("\r").split(layout.separator)
