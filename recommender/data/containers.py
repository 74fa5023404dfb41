"""Folders and zip archives, seen alike: the files in them, one level deep.

Nothing is ever unpacked to disk. An archive is still refused when it shows signs of an attack: a
member that points outside, or one that would unfold to an absurd size.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from recommender.data.sources import Source
from recommender.errors import FileFormatError

# The largest MovieLens release unfolds to 1.2 GB in 30 members, at a ratio below 10.
MOST_MEMBERS = 10_000
LARGEST_MEMBER = 8 << 30
LARGEST_TOTAL = 16 << 30
LARGEST_RATIO = 200
# Small members may be as regular as they like.
RATIO_MATTERS_FROM = 16 << 20

Folders = Mapping[str, Mapping[str, Source]]


@contextmanager
def open_container(path: Path) -> Iterator[Folders]:
    """Open a folder or a zip archive.

    Yields
    ------
    Mapping[str, Mapping[str, Source]]
        For the container itself (``""``) and each folder directly inside: its files by name.

    Raises
    ------
    FileFormatError
        When it cannot be read, is no zip archive, or is one that should not be trusted.
    """
    if path.is_dir():
        yield _folder(path)
        return
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        size = path.stat().st_size
        raise FileFormatError(
            path,
            f"this is no complete zip archive ({error}; {size:,} bytes): truncated, or something "
            "else; fetch it again",
        ) from None
    except OSError as error:
        raise FileFormatError(path, f"cannot be opened: {error.strerror or error}") from error
    with archive:
        yield _members(archive, path)


def _folder(path: Path) -> Folders:
    folders: dict[str, dict[str, Source]] = {"": {}}
    try:
        entries = sorted(path.iterdir())
        for entry in entries:
            if entry.name.startswith((".", "__")):
                continue
            if entry.is_dir():
                folders[entry.name] = {
                    inner.name: _file(inner) for inner in sorted(entry.iterdir()) if inner.is_file()
                }
            elif entry.is_file():
                folders[""][entry.name] = _file(entry)
    except OSError as error:
        raise FileFormatError(path, f"cannot be read: {error.strerror or error}") from error
    return folders


def _file(path: Path) -> Source:
    return Source(label=str(path), size=path.stat().st_size, opener=lambda: path.open("rb"))


def _members(archive: zipfile.ZipFile, path: Path) -> Folders:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise FileFormatError(
            path, f"{len(members):,} members are more than an archive may have ({MOST_MEMBERS:,})"
        )
    folders: dict[str, dict[str, Source]] = {"": {}}
    total = 0
    for member in members:
        _check_member(member, path)
        total += member.file_size
        parts = PurePosixPath(member.filename).parts
        if member.is_dir() or len(parts) not in {1, 2} or parts[0].startswith((".", "__")):
            continue
        folder = parts[0] if len(parts) == 2 else ""
        folders.setdefault(folder, {})[parts[-1]] = _member(archive, member, path)
    if total > LARGEST_TOTAL:
        raise FileFormatError(
            path,
            f"would unfold to {total:,} bytes, more than an archive may ({LARGEST_TOTAL:,}); "
            "refused as a zip bomb",
        )
    return folders


def _check_member(member: zipfile.ZipInfo, path: Path) -> None:
    name = member.filename
    # ZipFile cuts a name at a NUL; what was written in the archive is in orig_filename.
    written = member.orig_filename
    label = f"{path}/{name}"
    steps = written.replace("\\", "/").split("/")
    if not name or written.startswith(("/", "\\")) or ":" in steps[0] or ".." in steps:
        raise FileFormatError(
            path, f"the member {ascii(written)[:60]} points outside the archive; refused"
        )
    if "\0" in written:
        raise FileFormatError(path, "a member has a NUL character in its name; refused")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise FileFormatError(label, "is a symbolic link; refused: put the file itself in")
    if member.flag_bits & 0x1:
        raise FileFormatError(label, "is encrypted; unpack the archive with its password first")
    ratio = member.file_size / max(member.compress_size, 1)
    if member.file_size > LARGEST_MEMBER or (
        member.file_size > RATIO_MATTERS_FROM and ratio > LARGEST_RATIO
    ):
        raise FileFormatError(
            label,
            f"would unfold from {member.compress_size:,} to {member.file_size:,} bytes; allowed: "
            f"{LARGEST_MEMBER:,} bytes and {LARGEST_RATIO} times its packed size; refused as a "
            "zip bomb",
        )


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> Source:
    return Source(
        label=f"{path}/{member.filename}",
        size=member.file_size,
        opener=lambda: archive.open(member),
    )
