"""``manifest.json`` of a backup: what is in it, and by which every file of it is checked."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from app.store import StoreError
from app.store.schema import REVISIONS

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
FILE_NAME = "manifest.json"
LARGEST_FILE = 2**30
"""No file of a backup is larger: each is read at once."""
_TABLE_FILE = re.compile(r"([a-z]+)-\d{5,}\.parquet")
_MODEL_FILE = re.compile(r"model/(manifest\.json|[a-z_]+\.[a-z_]+\.npy)")


class BackupError(StoreError):
    """A folder is no backup, is not whole, or cannot be written: which, and what to do."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a backup: its name, size, SHA-256, and how many rows of which table it holds."""

    name: str
    bytes: int
    sha256: str
    table: str | None = None
    rows: int = 0


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """What is in a backup.

    Attributes
    ----------
    made_at
        RFC 3339, UTC.
    program
        The version that wrote it.
    revision
        Of the tables.
    version
        Of the newest change in it.
    counts
        How many rows each table has.
    generation
        The number of the model that is in it, ``None`` without.
    files
        All of them but this one.
    """

    made_at: str
    program: str
    revision: str
    version: int
    counts: dict[str, int]
    generation: int | None
    files: tuple[File, ...]

    def document(self) -> bytes:
        """Return the file's content; it ends with a checksum of itself."""
        plain = {"format": FORMAT, **asdict(self)}
        return _encode({**plain, "checksum": _checksum(plain)})

    @classmethod
    def read(cls, folder: Path) -> BackupManifest:
        """Read it from a folder.

        Raises
        ------
        BackupError
            If there is none, it was altered, or a newer version wrote it.
        """
        path = folder / FILE_NAME
        try:
            document = json.loads(path.read_bytes())
            checksum = document.pop("checksum")
            altered = checksum != _checksum(document)
            written_in = document.pop("format")
        except OSError as error:
            raise BackupError(
                f"{folder} is no backup: {FILE_NAME} cannot be read ({error.strerror})."
            ) from error
        except (ValueError, KeyError, AttributeError, RecursionError) as error:
            raise BackupError(f"{path} is not the manifest of a backup.") from error
        if altered:
            raise BackupError(f"{path} was altered: it does not have its own checksum.")
        if written_in != FORMAT or document.get("revision") not in REVISIONS:
            raise BackupError(
                f"{folder} was made by Projectionist {document.get('program')}, which is newer "
                "than this one. Restore it with that version or a later one."
            )
        files = tuple(File(**file) for file in document.pop("files"))
        manifest = cls(**{f.name: document[f.name] for f in fields(cls) if f.name != "files"},
                       files=files)  # fmt: skip
        for file in files:
            _check_name(path, file)
        return manifest

    def of_model(self) -> list[File]:
        """Return the files of the model."""
        return [file for file in self.files if file.table is None]


def _check_name(path: Path, file: File) -> None:
    """Nothing outside of the folder is read, whoever wrote the manifest."""
    named = _TABLE_FILE.fullmatch(file.name)
    fits = named[1] == file.table if named else _MODEL_FILE.fullmatch(file.name) is not None
    if not fits or (named and not 0 <= file.bytes <= LARGEST_FILE):
        raise BackupError(f"{path} names a file that no backup has.")


def _encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def _checksum(document: dict[str, Any]) -> str:
    return hashlib.sha256(_encode(document)).hexdigest()
