"""Writes a backup: beside its final name, synced, and renamed, so that it is whole or not there."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
from datetime import UTC
from typing import TYPE_CHECKING

from app.backup.manifest import FILE_NAME, BackupError, BackupManifest, File
from app.store.schema import REVISIONS
from recommender.errors import GenerationError, GenerationNotFoundError
from recommender.generations import current_number, generation_path, read_manifest
from recommender.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    import polars as pl

    from app.store import Store

_ATTEMPTS = 3
"""A generation may be swept while it is copied; then another one is current."""
_BLOCK = 2**20


def write_backup(
    store: Store,
    out: Path,
    now: datetime,
    *,
    models: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> BackupManifest:
    """Write all that a store holds into a new folder, while others write to it.

    Parameters
    ----------
    store
        Opened for reading, or not.
    out
        The folder; it must not be there.
    now
        When it is.
    models
        Where models are published: the current one goes along. ``None`` leaves it out.
    progress
        Called with the number of rows so far.

    Raises
    ------
    BackupError
        If the folder is there already.
    """
    if out.exists() or out.is_symlink():
        raise BackupError(f"{out} is there already; name a folder that is not.")
    out.parent.mkdir(parents=True, exist_ok=True)
    _sweep(out)
    scratch = out.with_name(f".{out.name}.writing-{os.getpid()}")
    scratch.mkdir(mode=0o700)  # it holds who rated what
    try:
        manifest = _write(store, scratch, now, models, progress)
        scratch.rename(out)  # fails if somebody else has made one of this name
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    _sync_folder(out.parent)
    return manifest


def _write(
    store: Store,
    scratch: Path,
    now: datetime,
    models: Path | None,
    progress: Callable[[int], None] | None,
) -> BackupManifest:
    counts: dict[str, int] = {}
    files: list[File] = []
    version, rows = 0, 0
    generation = None
    if models is not None:  # first, so that it has seen nothing that the tables do not hold
        generation, files = _copy_model(models, scratch / "model")
    parts = store.dump()
    with contextlib.closing(parts):
        for table, frame in parts:
            number = sum(file.table == table for file in files) + 1
            files.append(_write_frame(scratch, f"{table}-{number:05}.parquet", table, frame))
            counts[table] = counts.get(table, 0) + frame.height
            rows += frame.height
            if progress is not None:
                progress(rows)
            if table == "progress":
                version = frame["version"][0]
    made_at = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    manifest = BackupManifest(
        made_at, __version__, REVISIONS[-1], version, counts, generation, tuple(files)
    )
    _write_file(scratch / FILE_NAME, manifest.document())
    _sync_folder(scratch)
    return manifest


def _write_frame(scratch: Path, name: str, table: str, frame: pl.DataFrame) -> File:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    content = buffer.getvalue()
    _write_file(scratch / name, content)
    return File(name, len(content), hashlib.sha256(content).hexdigest(), table, frame.height)


def _write_file(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _copy_model(models: Path, target: Path) -> tuple[int | None, list[File]]:
    """Copy the current generation; nothing when there is none."""
    for attempt in range(1, _ATTEMPTS + 1):
        number = current_number(models)
        if number is None:
            return None, []
        try:
            return number, _copy_generation(generation_path(models, number), target)
        except (OSError, GenerationError) as error:
            shutil.rmtree(target, ignore_errors=True)
            if attempt == _ATTEMPTS or not isinstance(
                error, FileNotFoundError | GenerationNotFoundError
            ):
                raise
    return None, []


def _copy_generation(source: Path, target: Path) -> list[File]:
    read_manifest(source)
    target.mkdir(mode=0o700)
    copied = []
    for path in sorted(source.iterdir()):
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as file, (target / path.name).open("xb") as copy:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
                copy.write(block)
            copy.flush()
            os.fsync(copy.fileno())
        copied.append(File(f"model/{path.name}", size, digest.hexdigest()))
    _sync_folder(target)
    return copied


def _sweep(out: Path) -> None:
    """Remove what a backup to this name left behind when it was killed."""
    for scratch in out.parent.glob(f".{out.name}.writing-*"):
        process = scratch.name.rpartition("-")[2]
        if process.isdecimal() and not _runs(int(process)):
            shutil.rmtree(scratch, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return process != os.getpid()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
