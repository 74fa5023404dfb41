"""CSV with a header, and MovieLens' ratings without one: ``::`` or tabs between the fields."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from app.importing import cells
from app.importing.pieces import Piece
from app.importing.report import BadCell, BadRow
from app.importing.rows import COLUMNS, REQUIRED, Kind, Rules
from app.importing.text import Place, TextBlock, is_plain, records, text_blocks
from recommender.data.rating_rows import RatingLayout, fast_rows
from recommender.data.tables import find_columns
from recommender.data.text_blocks import Block, check_text, split_header
from recommender.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recommender.data.rating_scale import RatingScale
    from recommender.data.sources import Source

MOVIELENS = ("UserID", "MovieID", "Rating", "Timestamp")
_QUOTED_FORMULA = r"^'('*[=+\-@])"
_UNQUOTED = "${1}"


@dataclass(frozen=True)
class CsvFile:
    """One file of text with a record a line.

    Attributes
    ----------
    source
        Where it is.
    kind
        What its rows are.
    scale, latest
        See :class:`~app.importing.rows.Rules`.
    separator
        ``","``; or a tab or ``"::"``: then there is neither header nor quoting.
    number_ids
        Whether ids are whole numbers.
    """

    source: Source
    kind: Kind
    scale: RatingScale
    latest: int
    separator: str = ","
    number_ids: bool = False

    @property
    def name(self) -> str:
        """What errors call it."""
        return self.source.label

    def pieces(self, position: dict[str, Any] | None = None) -> Iterator[Piece]:
        """Yield its rows, from the position of an earlier piece on.

        Raises
        ------
        FileFormatError
            When the file as a whole cannot be read: empty, no text, a column missing.
        """
        columns = self._columns()
        start = Place(**position) if position else columns.start
        for block in text_blocks(self.source, columns.quoted, start):
            frame, bad = columns.read(block)
            done = block.end.at / max(self.source.size, 1)
            where = {"at": block.end.at, "line": block.end.line}
            yield Piece(self.kind, frame, bad, where, min(done, 1.0))

    def _columns(self) -> _Columns:
        if self.separator != ",":
            names = dict(zip(COLUMNS["ratings"], MOVIELENS, strict=True))
            places = {role: place for place, role in enumerate(names)}
            rules = Rules(self.kind, self.scale, self.latest, names, self.number_ids)
            return _Columns(rules, places, MOVIELENS, Place(), self.separator)
        with closing(text_blocks(self.source, quoted=True)) as blocks:
            first = next(blocks)
        if first.too_long:
            raise FileFormatError(self.name, "the first line is too long for a header", line=1)
        newline = first.content.find(b"\n") + 1 or len(first.content)
        check_text(Block(first.content[:newline], 1), self.name)
        header, rest = split_header(Block(first.content, 1), self.name)
        places = find_columns(header, COLUMNS[self.kind], REQUIRED[self.kind], self.name)
        names = {role: header[place] for role, place in places.items()}
        if self.kind == "users":
            self._check_names(header)
        rules = Rules(
            self.kind,
            self.scale,
            self.latest,
            names,
            self.number_ids,
            titles_with_years=self.kind == "movies" and "year" not in places,
        )
        start = Place(first.end.at - len(rest.content), rest.first_line)
        return _Columns(rules, places, tuple(header), start, ",")

    def _check_names(self, header: list[str]) -> None:
        """Refuse names of columns that cannot be names of attributes."""
        for place, name in enumerate(header):
            if not 0 < len(name) <= 64 or name in header[:place]:
                raise FileFormatError(
                    self.name,
                    f"column {place + 1} needs a name of its own of 1 to 64 characters",
                    line=1,
                )


@dataclass(frozen=True)
class _Columns:
    """Which column is what, and how rows are read."""

    rules: Rules
    places: dict[str, int]
    header: tuple[str, ...]
    start: Place
    separator: str

    @property
    def quoted(self) -> bool:
        return self.separator == ","

    def read(self, block: TextBlock) -> tuple[pl.DataFrame, list[BadRow]]:
        """Return the good rows of a block, fast if all are, and the bad ones."""
        if self.rules.kind == "ratings" and not block.too_long:
            frame = self._fast(block)
            if frame is not None:
                return frame, []
        return self._readable(block)

    def _fast(self, block: TextBlock) -> pl.DataFrame | None:
        if not block.content.strip() or not is_plain(block.content):
            return None
        roles = {place: role for role, place in self.places.items()}
        layout = RatingLayout(
            tuple(roles.get(place) for place in range(len(self.header))),
            self.header,
            self.separator,
            self.rules.scale,
            self.rules.number_ids,
        )
        frame = fast_rows(Block(block.content, block.line), layout)
        if frame is None:
            return None
        if "timestamp" not in frame.columns:
            frame = frame.with_columns(timestamp=pl.lit(None, dtype=pl.Int64))
        frame = frame.select(
            pl.col("user", "item").cast(pl.String),
            cells.on_scale(frame.get_column("rating"), self.rules.scale),
            pl.col("timestamp").cast(pl.Int64),
        )
        if block.content.find(b"'") >= 0:
            frame = frame.with_columns(
                pl.col("user", "item").str.replace(_QUOTED_FORMULA, _UNQUOTED)
            )
        good = cells.good_ratings(frame, self.rules.scale, self.rules.latest)
        return frame if good else None

    def _readable(self, block: TextBlock) -> tuple[pl.DataFrame, list[BadRow]]:
        good: list[tuple[Any, ...]] = []
        bad: list[BadRow] = []
        for line, fields in records(block, self.separator):
            values: dict[str, Any] = {}
            try:
                cells_of_row = self._split(fields)
                values = {role: cells_of_row[place] for role, place in self.places.items()}
                good.append(self.rules.check(values, self._others(cells_of_row)))
            except BadCell as error:
                bad.append(self.rules.bad(line, error, values))
        return self.rules.frame(good), bad

    def _split(self, fields: list[str] | BadCell) -> list[str]:
        """Return the fields of a record, one for each column."""
        if isinstance(fields, BadCell):
            raise fields
        if len(fields) != len(self.header):
            raise BadCell(
                f"{len(fields)} {'field' if len(fields) == 1 else 'fields'}",
                f"{len(self.header)}: {self.separator.join(self.header)}",
            )
        self._check_encoding(fields)
        return [unquoted(text) for text in fields] if self.quoted else fields

    def _others(self, fields: list[str]) -> dict[str, str] | None:
        """Return the further columns of a user."""
        if self.rules.kind != "users":
            return None
        known = set(self.places.values())
        return {name: fields[i] for i, name in enumerate(self.header) if i not in known}

    def _check_encoding(self, fields: list[str]) -> None:
        for place, text in enumerate(fields):
            if not text.isascii():
                try:
                    text.encode()
                except UnicodeEncodeError:
                    role = next((r for r, p in self.places.items() if p == place), None)
                    raise BadCell("bytes that are no UTF-8", cells.NOT_UTF8, None, role) from None


def unquoted(text: str) -> str:
    """Return a cell without the quote that keeps a spreadsheet from computing it.

    >>> unquoted("'=1+1"), unquoted("''-x"), unquoted("'71")
    ('=1+1', "'-x", "'71")
    """
    if not text.startswith("'"):
        return text
    return text[1:] if text.lstrip("'")[:1] in {"=", "+", "-", "@"} else text
