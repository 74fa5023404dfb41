"""What is on the disk of each generation, for whoever shows or changes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.serving.loader import check_servable, reason
from recommender.errors import GenerationError, GenerationNotFoundError
from recommender.generations import (
    generation_numbers,
    generation_path,
    load_generation,
    publish,
    read_manifest,
)

if TYPE_CHECKING:
    from pathlib import Path

    from recommender.generations import Manifest


@dataclass(frozen=True)
class Shown:
    """One generation.

    Attributes
    ----------
    number
        Counted from 1.
    manifest
        ``None`` when it cannot be read: then ``damage`` says why.
    damage
        In words that everybody may read.
    size
        Bytes of its files.
    """

    number: int
    manifest: Manifest | None
    damage: str | None
    size: int


def shown(models_dir: Path, number: int) -> Shown | None:
    """Return what is known of a generation; ``None`` when it is not there."""
    folder = generation_path(models_dir, number)
    try:
        manifest = read_manifest(folder)
    except GenerationNotFoundError:
        return None
    except GenerationError as error:
        return Shown(number, None, reason(error, models_dir), _size(folder))
    return Shown(number, manifest, None, _size(folder))


def read_shown(models_dir: Path) -> list[Shown]:
    """Return what is known of all generations, newest first."""
    found = (shown(models_dir, number) for number in reversed(generation_numbers(models_dir)))
    return [one for one in found if one is not None]  # one may go meanwhile


def refused_by_gate(models_dir: Path, number: int) -> str | None:
    """Return why the gate refused a generation; ``None`` when it did not.

    Raises
    ------
    GenerationError
        When it is not there, or its manifest cannot be read.
    """
    manifest = read_manifest(generation_path(models_dir, number))
    return (manifest.reason or "it was refused") if manifest.is_refused else None


def activate(models_dir: Path, number: int) -> None:
    """Check a generation whole, and publish it.

    Raises
    ------
    GenerationError
        When it is not there, damaged, or not of this service; then nothing is published.
    """
    check_servable(load_generation(generation_path(models_dir, number)))
    publish(models_dir, number)


def _size(folder: Path) -> int:
    try:
        return sum(entry.stat().st_size for entry in folder.iterdir())
    except OSError:  # it goes in this moment
        return 0
