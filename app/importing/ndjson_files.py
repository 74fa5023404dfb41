"""NDJSON: a JSON object a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from app.importing.pieces import Piece
from app.importing.report import BadCell, BadRow
from app.importing.rows import COLUMNS, REQUIRED, Kind, Rules
from app.importing.text import Place, TextBlock, records, text_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from recommender.data.rating_scale import RatingScale
    from recommender.data.sources import Source


@dataclass(frozen=True)
class NdjsonFile:
    """One file; the fields of an object are named as the columns of CSV.

    Attributes
    ----------
    source
        Where it is.
    kind
        What its rows are.
    scale, latest
        See :class:`~app.importing.rows.Rules`.
    """

    source: Source
    kind: Kind
    scale: RatingScale
    latest: int

    @property
    def name(self) -> str:
        """What errors call it."""
        return self.source.label

    def pieces(self, position: dict[str, Any] | None = None) -> Iterator[Piece]:
        """Yield its rows, from the position of an earlier piece on.

        Raises
        ------
        FileFormatError
            When it is empty or no text.
        """
        start = Place(**position) if position else None
        names = {role: known[0] for role, known in COLUMNS[self.kind].items()}
        rules = Rules(self.kind, self.scale, self.latest, names)
        for block in text_blocks(self.source, quoted=False, start=start):
            frame, bad = self._read(block, rules)
            where = {"at": block.end.at, "line": block.end.line}
            yield Piece(self.kind, frame, bad, where, block.end.at / max(self.source.size, 1))

    def _read(self, block: TextBlock, rules: Rules) -> tuple[pl.DataFrame, list[BadRow]]:
        roles = {name: role for role, known in COLUMNS[self.kind].items() for name in known}
        good: list[tuple[Any, ...]] = []
        bad: list[BadRow] = []
        for line, fields in records(block, None):
            values: dict[str, Any] = {}
            try:
                found = _object(fields)
                values = {roles[name]: value for name, value in found.items() if name in roles}
                self._require(values)
                good.append(rules.check(values))
            except BadCell as error:
                bad.append(rules.bad(line, error, values))
        return rules.frame(good), bad

    def _require(self, values: dict[str, Any]) -> None:
        for role in REQUIRED[self.kind]:
            if role not in values:
                names = " or ".join(COLUMNS[self.kind][role])
                raise BadCell("no such field", names, None, role)


def _object(fields: list[str] | BadCell) -> dict[str, Any]:
    if isinstance(fields, BadCell):
        raise fields
    text = fields[0]
    try:
        found = orjson.loads(text)
    except ValueError:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadCell("bytes that are no UTF-8", "text in UTF-8") from None
        raise BadCell("no JSON", "a JSON object in one line", text) from None
    if not isinstance(found, dict):
        raise BadCell("no JSON object", "a JSON object in one line", text)
    return found
