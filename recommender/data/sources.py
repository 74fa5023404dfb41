"""Files to read, on disk or inside an archive, with every failure named after its file."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from recommender.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_SKIPPED_AT_ONCE = 1 << 20
KNOWN_TABLES = "CSV with a header line, in UTF-8"

# How files begin that people hand in as tables and that are none (yet).
_SIGNATURES = (
    (b"PK\x03\x04", "a zip archive (or an Excel workbook)"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"PAR1", "a Parquet file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
)


class CheckedStream:
    """A stream of bytes whose failures become :class:`FileFormatError`."""

    def __init__(self, stream: IO[bytes], label: str) -> None:
        self._stream = stream
        self._label = label

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes; fewer only at the end."""
        try:
            return self._stream.read(size)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
            raise FileFormatError(
                self._label, f"the archive is damaged here ({error}); fetch it again"
            ) from error
        except OSError as error:
            raise FileFormatError(
                self._label, f"cannot be read: {error.strerror or error}"
            ) from error


@dataclass(frozen=True)
class Source:
    """A file that can be opened, and the name that errors give it.

    Attributes
    ----------
    label
        The path, or ``archive.zip/folder/member``.
    size
        Bytes, uncompressed.
    """

    label: str
    size: int
    opener: Callable[[], IO[bytes]]

    def open(self) -> CheckedStream:
        """Open it for reading from the start."""
        try:
            return CheckedStream(self.opener(), self.label)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise FileFormatError(
                self.label, f"this member of the archive cannot be read: {error}"
            ) from error
        except OSError as error:
            raise FileFormatError(
                self.label, f"cannot be opened: {error.strerror or error}"
            ) from error

    def skip(self, stream: CheckedStream, size: int) -> None:
        """Read on behind the next ``size`` bytes of a stream of this file."""
        while size > 0:
            passed = len(stream.read(min(size, _SKIPPED_AT_ONCE)))
            if not passed:
                raise FileFormatError(self.label, "the file has become shorter meanwhile")
            size -= passed

    def head(self, size: int = 1 << 16) -> bytes:
        """Return the first ``size`` bytes, or all when there are fewer."""
        with self.open() as stream:
            return stream.read(size)


def file_source(path: Path | str) -> Source:
    """Return the file at ``path``.

    Raises
    ------
    FileFormatError
        When there is nothing, or something that is no ordinary file.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise FileFormatError(
                path, "is a folder where a file is expected; read_dataset() reads folders"
            )
        if not path.exists():
            raise FileFormatError(path, "no such file; check the name and the folder it lies in")
        if not path.is_file():
            raise FileFormatError(path, "is no ordinary file; copy its content into one")
        size = path.stat().st_size
    except OSError as error:
        raise FileFormatError(path, f"cannot be opened: {error.strerror or error}") from error
    return Source(label=str(path), size=size, opener=lambda: path.open("rb"))


def other_format(head: bytes) -> str | None:
    """Return what a file that begins with ``head`` is, when it is known and no text."""
    return next((name for start, name in _SIGNATURES if head.startswith(start)), None)
