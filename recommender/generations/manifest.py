"""``manifest.json``: what is known of a generation beside its arrays."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from recommender.errors import (
    DamagedGenerationError,
    GenerationNotFoundError,
    IncompatibleGenerationError,
)

FORMAT_VERSION = 2

FILE_NAME = "manifest.json"

ACCEPTED, REFUSED = "accepted", "refused"

_LATER = frozenset({"state", "reason", "tuned"})
"""Fields that manifests of earlier versions lack."""


@dataclass(frozen=True)
class Manifest:
    """What is known of a generation beside its arrays.

    Attributes
    ----------
    generation
        Its number, counted from 1.
    trained_at
        RFC 3339, UTC.
    watermark
        The version of the last rating that it has seen.
    metrics
        What the hold-out showed.
    options
        The hyper-parameters, one mapping a model.
    parent
        The generation that was current when it was trained.
    note
        What else is to be said of how it came about.
    state
        ``"accepted"``, or ``"refused"`` by the gate: then it is served by nobody unless somebody
        insists.
    reason
        Why it was refused.
    tuned
        Whether somebody chose its options; a training that starts by itself takes them again,
        while options chosen by the size of the data are chosen anew.
    """

    generation: int
    trained_at: str
    watermark: int
    metrics: dict[str, float] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    parent: int | None = None
    note: str | None = None
    state: str = ACCEPTED
    reason: str | None = None
    tuned: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether the gate refused it."""
        return self.state == REFUSED


def write_manifest(
    folder: Path, manifest: Manifest, models: dict[str, Any], arrays: dict[str, Any]
) -> None:
    """Write the manifest durably, with what the models and the arrays are."""
    document = {
        "format_version": FORMAT_VERSION,
        **asdict(manifest),
        "models": models,
        "arrays": arrays,
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    with (folder / FILE_NAME).open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_manifest(folder: Path | str) -> Manifest:
    """Read what is known of one generation, without its arrays.

    Raises
    ------
    GenerationNotFoundError
        When the folder is not there.
    DamagedGenerationError, IncompatibleGenerationError
        As :func:`recommender.generations.load_generation`.
    """
    return manifest_of(Path(folder), read_document(Path(folder)))


def read_document(folder: Path) -> dict[str, Any]:
    """Read the whole document of one generation, its format checked."""
    path = folder / FILE_NAME
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        version = document["format_version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        if not folder.is_dir():
            raise GenerationNotFoundError(f"there is no generation at {folder}") from None
        raise DamagedGenerationError(f"{path} cannot be read: {error}") from None
    if version != FORMAT_VERSION:
        raise IncompatibleGenerationError(
            f"{folder} is in format {version!r}; this version reads format {FORMAT_VERSION}. "
            "Train anew with `projectionist train`"
        )
    return dict(document)


def manifest_of(folder: Path, document: dict[str, Any]) -> Manifest:
    """Take the manifest out of the document."""
    try:
        there = [f.name for f in fields(Manifest) if f.name in document or f.name not in _LATER]
        manifest = Manifest(**{name: document[name] for name in there})
    except KeyError as error:
        raise DamagedGenerationError(f"{folder}: the manifest lacks {error}") from None
    kinds = {"generation": int, "trained_at": str, "watermark": int, "metrics": dict}
    for name, kind in kinds.items():
        if not isinstance(getattr(manifest, name), kind):
            raise DamagedGenerationError(f"{folder}: {name} in the manifest is no {kind.__name__}")
    if manifest.state not in (ACCEPTED, REFUSED):
        raise DamagedGenerationError(f"{folder}: no state is {manifest.state!r}")
    if not 0 <= manifest.watermark < 2**63:
        raise DamagedGenerationError(f"{folder}: no watermark is {manifest.watermark}")
    return manifest
