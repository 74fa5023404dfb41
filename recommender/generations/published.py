"""Which generations there are, and which one is current."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from recommender.errors import (
    DamagedGenerationError,
    GenerationNotFoundError,
    IncompatibleGenerationError,
)
from recommender.generations.manifest import Manifest, read_manifest

DIRECTORY_NAME = re.compile(r"gen-(\d{6,})")


def publish(models_dir: Path | str, number: int) -> None:
    """Make a generation the current one; readers see the old number or the new, never between.

    Raises
    ------
    GenerationNotFoundError
        When there is no generation of that number.
    """
    folder = Path(models_dir)
    if not generation_path(folder, number).is_dir():
        raise GenerationNotFoundError(f"there is no generation {number} in {folder}")
    descriptor, scratch = tempfile.mkstemp(prefix=".current-", dir=folder)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{number}\n")
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).chmod(0o644)
        Path(scratch).replace(folder / "CURRENT")
    except BaseException:
        with contextlib.suppress(OSError):
            Path(scratch).unlink()
        raise
    sync_folder(folder)


def current_number(models_dir: Path | str) -> int | None:
    """Return the number of the current generation; ``None`` when there is none.

    Raises
    ------
    DamagedGenerationError
        When ``CURRENT`` cannot be read, or holds something else than a number.
    """
    try:
        text = (Path(models_dir) / "CURRENT").read_bytes()[:64]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DamagedGenerationError(
            f"{Path(models_dir) / 'CURRENT'} cannot be read: {error.strerror}"
        ) from None
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number < 10**9:
        raise DamagedGenerationError(
            f"{Path(models_dir) / 'CURRENT'} must hold the number of a generation; found {text!r}"
        )
    return number


def generation_path(models_dir: Path | str, number: int) -> Path:
    """Return the folder of a generation, there or not."""
    return Path(models_dir) / directory_name(number)


def generation_numbers(models_dir: Path | str) -> list[int]:
    """List the numbers of all generations on disk, oldest first."""
    try:
        names = [entry.name for entry in Path(models_dir).iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(match[1]) for name in names if (match := DIRECTORY_NAME.fullmatch(name)))


def list_generations(models_dir: Path | str) -> list[Manifest]:
    """Read the manifests of all generations that can be read, newest first."""
    manifests = []
    for number in reversed(generation_numbers(models_dir)):
        with contextlib.suppress(DamagedGenerationError, IncompatibleGenerationError):
            manifests.append(read_manifest(generation_path(models_dir, number)))
    return manifests


def sweep_unfinished(models_dir: Path | str) -> None:
    """Remove what writers and sweepers that were killed left behind; while nobody else writes."""
    for pattern in (".writing-*", ".sweeping-*"):
        for folder in Path(models_dir).glob(pattern):
            shutil.rmtree(folder, ignore_errors=True)
    for file in Path(models_dir).glob(".current-*"):
        file.unlink(missing_ok=True)


def directory_name(number: int) -> str:
    """Return the name of a generation's folder."""
    return f"gen-{number:06d}"


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
