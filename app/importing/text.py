"""Text of any length in blocks that end with a record, and the records of a block one by one.

Nothing here gives up at what it cannot read: a line too long, a quote left open and bytes that are
no UTF-8 spoil the row they stand in.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.importing.report import BadCell
from recommender.data.text_blocks import LONGEST_RECORD, end_of_records, without_mark

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from recommender.data.sources import Source

BLOCK_BYTES = 1 << 19
"""Some 20,000 ratings: larger ones are stored a little faster, and take more memory."""

_UTF8_MARK = b"\xef\xbb\xbf"
_QUOTING = (
    'a quoted field ends with a double quote before the comma, and a quote inside it is written ""'
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a text something begins.

    Attributes
    ----------
    at
        Bytes before it.
    line
        The line it stands on, counted from 1.
    """

    at: int = 0
    line: int = 1


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Whole records of a text.

    Attributes
    ----------
    content
        The records; of a line that is too long, its beginning.
    line
        The line on which the first begins.
    end
        Where the text goes on.
    too_long
        Whether this is one line that is longer than a record may be.
    """

    content: bytes
    line: int
    end: Place
    too_long: bool = False


def text_blocks(source: Source, quoted: bool, start: Place | None = None) -> Generator[TextBlock]:
    """Yield the text from a place on; memory does not depend on its length.

    Raises
    ------
    FileFormatError
        When the file is empty, begins like something that is no UTF-8 text, or cannot be read.
    """
    place = start or Place()
    with source.open() as stream:
        if place.at:
            source.skip(stream, place.at)
            pending = b""
        else:
            head = stream.read(BLOCK_BYTES)
            pending = without_mark(head, source.label)
            place = Place(len(head) - len(pending), 1)
        more = b"-"
        while more:
            more = stream.read(BLOCK_BYTES)
            content = pending + more
            cut = _cut(content, quoted) if more else len(content)
            if cut:
                end = Place(place.at + cut, place.line + content.count(b"\n", 0, cut))
                yield TextBlock(content[:cut], place.line, end)
                place = end
            pending = content[cut:]
            if len(pending) > LONGEST_RECORD + BLOCK_BYTES:
                dropped = len(pending)
                head, pending = pending[:200], b""
                while more and not pending:
                    more = stream.read(BLOCK_BYTES)
                    newline = more.find(b"\n")
                    dropped += newline + 1 if newline >= 0 else len(more)
                    if newline >= 0:
                        pending = more[newline + 1 :]
                        break
                end = Place(place.at + dropped, place.line + 1)
                yield TextBlock(head, place.line, end, too_long=True)
                place = end


def _cut(content: bytes, quoted: bool) -> int:
    """Return where the last whole record ends; where a quote was left open, the last line."""
    cut = end_of_records(content, quoted)
    if cut == 0 and len(content) > BLOCK_BYTES + LONGEST_RECORD:
        return content.rfind(b"\n") + 1
    return cut


def is_plain(content: bytes) -> bool:
    """Return whether a block is text in UTF-8 with ordinary ends of lines."""
    if b"\0" in content or content.count(b"\r") != content.count(b"\r\n"):
        return False
    try:
        return content.isascii() or bool(content.decode())
    except UnicodeDecodeError:
        return False


def records(block: TextBlock, separator: str | None) -> Iterator[tuple[int, list[str] | BadCell]]:
    """Yield the line and the fields of each record, or why it cannot be read; blank lines go.

    Bytes that are no UTF-8 become lone surrogates, which no value may hold.

    Parameters
    ----------
    block
        From :func:`text_blocks`.
    separator
        Between the fields; ``","`` with quoting, ``None`` for the line as a whole.
    """
    if block.too_long:
        yield block.line, BadCell("a line that is too long", f"at most {LONGEST_RECORD:,} bytes")
        return
    lines = block.content.decode("utf-8", "surrogateescape").split("\n")
    at = 0
    while at < len(lines):
        line, first = lines[at].removesuffix("\r"), block.line + at
        at += 1
        if not line.strip():
            continue
        if "\0" in line:
            yield first, BadCell("a NUL byte", "text in UTF-8")
        elif separator is None:
            yield first, [line]
        elif separator != ",":
            yield first, line.split(separator)
        elif line.count('"') % 2 == 0:
            yield first, _fields(line)
        else:
            end = _where_quotes_end(lines, at)
            fields = _fields("\n".join(lines[at - 1 : end])) if end else _open_quote()
            if isinstance(fields, list):  # else only its first line is given up
                at = end
            yield first, fields


def _where_quotes_end(lines: list[str], at: int) -> int:
    """Return the line behind the one that ends a quote that is open before ``at``; 0 for none."""
    for end in range(at, len(lines)):
        if lines[end].count('"') % 2:
            return end + 1
    return 0


def _fields(record: str) -> list[str] | BadCell:
    if "\r" in record and '"' not in record:
        return BadCell("a carriage return without a line feed", "lines end with LF or CR LF")
    try:
        return next(csv.reader(io.StringIO(record, newline=""), strict=True))
    except (csv.Error, StopIteration):
        return BadCell("quoting that cannot be read", _QUOTING)


def _open_quote() -> BadCell:
    return BadCell("a quote that is left open", _QUOTING)
