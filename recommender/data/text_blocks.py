"""Long text files in pieces that end where a record ends, checked to be text.

A piece of some 32 MB is large enough for the fast parser and small enough for memory, and each
knows the line it starts on, so that an error far down in a file still names its line.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recommender.data.sources import KNOWN_TABLES, Source, other_format
from recommender.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

BLOCK_BYTES = 32 << 20
LONGEST_RECORD = 1 << 20

# Catalogues and user lists are read whole; far above any real one.
LARGEST_WHOLE_TEXT = 1 << 30

_UTF8_MARK = b"\xef\xbb\xbf"
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_WIDE_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records of a text file, and the line (from 1) of the first."""

    content: bytes
    first_line: int


def read_blocks(
    source: Source,
    *,
    quoted: bool,
    size: int = BLOCK_BYTES,
    longest_record: int = LONGEST_RECORD,
) -> Generator[Block]:
    """Yield the text of ``source`` in blocks that end with a record; closing it closes the file.

    Parameters
    ----------
    quoted
        Whether a line end between double quotes belongs to the record (CSV).
    size
        Bytes to read at a time.
    longest_record
        Bytes without a record's end after which a quote counts as left open.

    Raises
    ------
    FileFormatError
        When it is empty, not UTF-8 text, or has line ends that nobody can count.
    """
    with source.open() as stream:
        pending = without_mark(stream.read(size), source.label)
        line, more = 1, b"-"
        while more:
            more = stream.read(size)
            content = pending + more
            # No record is so long: a quote was left open, as the reader of the rows will say.
            cut = end_of_records(content, quoted) if more else len(content)
            if cut == 0 and len(content) > size + longest_record:
                cut = content.rfind(b"\n") + 1 or len(content)
            if cut:
                block = Block(content[:cut], line)
                check_text(block, source.label)
                yield block
                line += block.content.count(b"\n")
            pending = content[cut:]


def without_mark(head: bytes, label: str) -> bytes:
    """Return the first bytes of a file without a UTF-8 byte order mark.

    Raises
    ------
    FileFormatError
        When the file is empty, or begins like something that is not UTF-8 text.
    """
    if not head:
        raise FileFormatError(label, f"the file is empty; expected: {KNOWN_TABLES}")
    for mark, encoding in _WIDE_MARKS:
        if head.startswith(mark):
            raise FileFormatError(label, f"this is {encoding} text; save it as UTF-8", line=1)
    other = other_format(head)
    if other is not None:
        raise FileFormatError(label, f"this is {other}; known for tables: {KNOWN_TABLES}")
    text = head.removeprefix(_UTF8_MARK)
    if not text.strip():
        raise FileFormatError(label, f"the file holds no text; expected: {KNOWN_TABLES}")
    return text


def check_text(block: Block, label: str) -> None:
    """Raise :class:`FileFormatError` at the first byte that is no text in UTF-8."""
    content = block.content
    nul = content.find(b"\0")
    if nul >= 0:
        raise FileFormatError(
            label,
            "found a NUL byte, so this is no text, or text in UTF-16; save it as UTF-8",
            line=_line_at(block, nul),
        )
    if content.count(b"\r") != content.count(b"\r\n"):
        lone = next(
            at
            for at, byte in enumerate(content)
            if byte == 0x0D and content[at + 1 : at + 2] != b"\n"
        )
        raise FileFormatError(
            label,
            "found a carriage return without a line feed; lines must end with LF or CR LF",
            line=_line_at(block, lone),
        )
    if content.isascii():
        return
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(
            label,
            f"byte 0x{content[error.start]:02X} (byte {_column_at(block, error.start)} of the "
            "line) is not UTF-8; the file is perhaps in Latin-1 or Windows-1252: save it as UTF-8",
            line=_line_at(block, error.start),
        ) from None


def read_text(source: Source, *, latin1: bool = False) -> str:
    """Return the whole of a short text file.

    Parameters
    ----------
    latin1
        Read as Latin-1 what is not UTF-8 (MovieLens wrote titles so until 2003), instead of
        refusing it.
    """
    if source.size > LARGEST_WHOLE_TEXT:
        raise FileFormatError(
            source.label,
            f"{source.size:,} bytes are more than a list of movies or users may have "
            f"({LARGEST_WHOLE_TEXT:,})",
        )
    with source.open() as stream:
        content = without_mark(stream.read(LARGEST_WHOLE_TEXT + 1), source.label)
    try:
        check_text(Block(content, 1), source.label)
    except FileFormatError:
        if not latin1 or b"\0" in content:
            raise
        content = content.decode("latin-1").encode()
        check_text(Block(content, 1), source.label)
    return content.decode("utf-8")


def split_header(block: Block, label: str) -> tuple[list[str], Block]:
    """Return the names in a CSV file's first record, stripped, and the block after it."""
    content = block.content
    end = 0
    while True:
        found = content.find(b"\n", end)
        end = len(content) if found < 0 else found + 1
        if found < 0 or content.count(b'"', 0, end) % 2 == 0:
            break
    header = content[:end]
    _, names = next(csv_records(header.decode(), label, block.first_line), (1, [""]))
    rest = Block(content[end:], block.first_line + header.count(b"\n"))
    return [name.strip() for name in names], rest


def csv_records(text: str, label: str, first_line: int = 1) -> Iterator[tuple[int, list[str]]]:
    """Yield (line it starts on, fields) for each record of CSV text; blank lines are skipped.

    Raises
    ------
    FileFormatError
        Where the quoting cannot be read.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = first_line
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FileFormatError(
                label,
                f"the quoting of this record cannot be read ({error}); a quoted field ends with "
                'a double quote before the comma, and a quote inside it is written ""',
                line=line,
            ) from None
        if fields:
            yield line, fields
        line = first_line + reader.line_num


def end_of_records(content: bytes, quoted: bool) -> int:
    """Return where the last whole record ends, 0 when none does."""
    end = content.rfind(b"\n") + 1
    if not quoted:
        return end
    quotes = content.count(b'"', 0, end)
    # An odd number of quotes so far: this line end stands inside a quoted field.
    while end and quotes % 2:
        earlier = content.rfind(b"\n", 0, end - 1) + 1
        quotes -= content.count(b'"', earlier, end)
        end = earlier
    return end


def _line_at(block: Block, position: int) -> int:
    return block.first_line + block.content.count(b"\n", 0, position)


def _column_at(block: Block, position: int) -> int:
    return position - block.content.rfind(b"\n", 0, position)
