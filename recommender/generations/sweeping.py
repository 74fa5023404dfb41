"""Which generations stay, and letting go of the others."""

from __future__ import annotations

import shutil
from pathlib import Path

from recommender.arrays import as_count
from recommender.errors import GenerationError
from recommender.generations.manifest import Manifest, read_manifest
from recommender.generations.published import (
    current_number,
    directory_name,
    generation_numbers,
    generation_path,
    sync_folder,
)

KEEP = 5
"""So many of the newest generations stay unless something else is said."""


def kept(models_dir: Path | str, keep: int = KEEP) -> set[int]:
    """Return the numbers of the generations that a sweep leaves.

    Parameters
    ----------
    models_dir
        Where generations lie.
    keep
        How many of the newest that may serve stay, at least 1. The current one, its parent and
        the newest that the gate refused stay in any case, and so does the newest of all: its
        number must not be given out twice.

    Raises
    ------
    InvalidInputError
        When ``keep`` is no whole number of at least 1.
    DamagedGenerationError
        When ``CURRENT`` cannot be read: then nobody knows what serves.
    """
    many = as_count(keep, "keep")
    folder = Path(models_dir)
    manifests = {number: _read(folder, number) for number in generation_numbers(folder)}
    serves = [n for n, manifest in manifests.items() if manifest and not manifest.is_refused]
    refused = [n for n, manifest in manifests.items() if manifest and manifest.is_refused]
    stay = {*serves[-many:], *refused[-1:], *list(manifests)[-1:]}
    current = current_number(folder)
    if current is not None:
        stay.add(current)
        manifest = manifests.get(current)
        if manifest is not None and manifest.parent is not None:
            stay.add(manifest.parent)
    return stay & manifests.keys()


def sweep(models_dir: Path | str, keep: int = KEEP) -> list[int]:
    """Remove all generations but those that :func:`kept` names; while nobody else writes.

    Each disappears at once, by a rename, and is deleted then: who is killed between the two
    leaves no half of a generation. A process that has one of them mapped keeps its pages until
    it lets go of them, as Linux and macOS do it; one that is just about to open it finds it gone.

    Parameters
    ----------
    models_dir, keep
        As for :func:`kept`.

    Returns
    -------
    The numbers that were removed, oldest first.

    Raises
    ------
    InvalidInputError, DamagedGenerationError
        As :func:`kept`; then nothing is removed.
    OSError
        When the disk refuses.
    """
    folder = Path(models_dir)
    stay = kept(folder, keep)
    removed = [number for number in generation_numbers(folder) if number not in stay]
    for number in removed:
        scratch = folder / f".sweeping-{directory_name(number)}"
        shutil.rmtree(scratch, ignore_errors=True)
        generation_path(folder, number).rename(scratch)
        sync_folder(folder)
        shutil.rmtree(scratch, ignore_errors=True)
    return removed


def _read(folder: Path, number: int) -> Manifest | None:
    """Return what is known of one; ``None`` when it cannot be read, so that it counts for none."""
    try:
        manifest = read_manifest(generation_path(folder, number))
    except GenerationError:
        return None
    if manifest.generation != number:
        return None
    return manifest
