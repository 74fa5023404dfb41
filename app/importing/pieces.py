"""What every reader of a file yields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from app.importing.report import BadRow
    from app.importing.rows import Kind

ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a file.

    Attributes
    ----------
    kind
        What the rows are.
    frame
        The good ones.
    bad
        The others.
    position
        Where the file goes on; a reader takes it up from there.
    done
        How far that is, as a share of the file.
    """

    kind: Kind
    frame: pl.DataFrame
    bad: list[BadRow]
    position: dict[str, Any] = field(default_factory=dict)
    done: float = 1.0
