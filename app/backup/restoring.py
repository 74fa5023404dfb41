"""Puts a backup into a store: checked first, then all of it in one transaction, or nothing."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from app.backup.manifest import BackupError, BackupManifest, File
from app.store.tables import metadata
from app.store.whole import schema_of
from recommender.errors import GenerationError
from recommender.generations import (
    current_number,
    generation_path,
    load_generation,
    publish,
    read_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.store import Store
    from app.store.whole import Part


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What a restore did.

    Attributes
    ----------
    made_at, version
        Of the backup.
    counts
        How many rows of each table it has.
    erased_again
        How many of its users were left out, as the database knew that they were erased since.
    generation
        The model that was put in place; ``None`` when there was none, or one of that number is
        there.
    """

    made_at: str
    version: int
    counts: dict[str, int]
    erased_again: int
    generation: int | None


def verify(folder: Path) -> BackupManifest:
    """Compare every file of a backup with its manifest.

    Raises
    ------
    BackupError
        Naming the file that is missing, altered, or not what its table holds.
    """
    manifest = BackupManifest.read(folder)
    counts: dict[str, int] = {}
    for file in manifest.files:
        if file.table is None:
            _check_hash(folder, file)
        else:
            counts[file.table] = counts.get(file.table, 0) + _frame(folder, file).height
    if counts != manifest.counts or counts.get("progress") != 1:
        raise BackupError(f"{folder} does not hold the rows that its manifest counts.")
    return manifest


def restore(
    store: Store,
    folder: Path,
    models: Path,
    *,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> RestoreReport:
    """Put a backup in place of all that a store holds.

    Parameters
    ----------
    store
        Opened for writing.
    folder
        The backup.
    models
        Where models are published; if the backup has one, it goes there.
    force
        Whether a store that is not empty loses what it has.
    progress
        Called with the number of files done, and how many there are.

    Raises
    ------
    BackupError
        If the backup is not whole; the store is as it was.
    StoreNotEmpty
        If it is not, and ``force`` is ``False``.
    """
    manifest = verify(folder)
    erased = store.restore(_parts(folder, manifest, progress), force=force).result()
    generation = _restore_model(folder, manifest, models)
    return RestoreReport(manifest.made_at, manifest.version, manifest.counts, erased, generation)


def _parts(
    folder: Path, manifest: BackupManifest, progress: Callable[[int, int], None] | None
) -> Iterator[Part]:
    tables = [file for file in manifest.files if file.table is not None]
    for done, file in enumerate(tables, start=1):
        yield file.table or "", _frame(folder, file)
        if progress is not None:
            progress(done, len(tables))


def _frame(folder: Path, file: File) -> pl.DataFrame:
    """Read a file; what is read is what was checked."""
    path = folder / file.name
    try:
        if path.stat().st_size != file.bytes:
            raise BackupError(
                f"{path} was cut or altered: it has not the size it was written with."
            )
        content = path.read_bytes()
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}.") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise BackupError(f"{path} was altered: its SHA-256 is not the manifest's.")
    table = metadata.tables.get(file.table or "")
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except pl.exceptions.PolarsError as error:
        raise BackupError(f"{path} is no Parquet file: {error}") from error
    known = {} if table is None else schema_of(table)
    if frame.height != file.rows or not frame.schema.items() <= pl.Schema(known).items():
        raise BackupError(f"{path} does not hold rows of the table {file.table}.")
    return frame


def _check_hash(folder: Path, file: File) -> None:
    path = folder / file.name
    try:
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}.") from error
    if digest != file.sha256:
        raise BackupError(f"{path} was altered: its SHA-256 is not the manifest's.")


def _restore_model(folder: Path, manifest: BackupManifest, models: Path) -> int | None:
    """Put the model of a backup in place, unless one of its number is there; make it current."""
    number = manifest.generation
    if number is None:
        return None
    target = generation_path(models, number)
    if target.exists() and not _same(folder / "model", target):
        return None
    models.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        scratch = models / f".writing-restored-{os.getpid()}"
        shutil.copytree(folder / "model", scratch)
        for path in scratch.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        scratch.rename(target)
    load_generation(target)  # it was checked as a file; this says that it is a model
    with contextlib.suppress(GenerationError):
        if current_number(models) == number:
            return number
    publish(models, number)
    return number


def _same(one: Path, other: Path) -> bool:
    try:
        return read_manifest(one) == read_manifest(other)
    except GenerationError:
        return False
