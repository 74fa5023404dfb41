"""What is known of each training: one small JSON file beside the models.

Whoever sees the models directory can follow a training: another process, another worker. A file
is replaced by a rename, so that a reader sees the old one or the new one.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal

from app.trainer.lock import holder

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "trainings"

KEPT = 50
"""So many of the newest stay."""

Outcome = Literal["published", "refused", "failed", "cancelled"]
OUTCOMES: tuple[Outcome, ...] = ("published", "refused", "failed", "cancelled")

_NAME = re.compile(r"(\d{6,12})\.json")
_GONE = "its process ended without a word: it was killed, or there was not enough memory"


@dataclass(frozen=True)
class TrainingRecord:
    """One training.

    Attributes
    ----------
    id
        Counted from 1, as text.
    state
        ``"running"``, or ``"ended"``: then ``outcome`` says how.
    trigger
        Who asked for it: ``"request"`` over HTTP, ``"command"`` line, the ``"schedule"``, or so
        many ``"changes"``.
    phase, progress
        What it does, and 0 … 1 how far it is.
    started_at, ended_at
        RFC 3339, UTC.
    seconds
        How long it took, by a clock that nobody sets.
    outcome, generation, reason, metrics
        What came of it.
    watermark
        The version of the newest rating that it saw.
    """

    id: str
    state: Literal["running", "ended"]
    trigger: str
    phase: str
    progress: float
    started_at: str
    ended_at: str | None = None
    seconds: float | None = None
    outcome: Outcome | None = None
    generation: int | None = None
    reason: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    watermark: int | None = None


def next_id(models_dir: Path) -> str:
    """Return an id that was not given out before; while nobody else asks."""
    return str(max(_numbers(models_dir), default=0) + 1)


def write_record(models_dir: Path, record: TrainingRecord) -> None:
    """Replace what is known of a training.

    Raises
    ------
    OSError
        When the disk refuses; what was known before stays.
    """
    path = _path(models_dir, int(record.id))
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        scratch.write_text(json.dumps(asdict(record), ensure_ascii=False), encoding="utf-8")
        scratch.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise


def read_record(models_dir: Path, training: str) -> TrainingRecord | None:
    """Return what is known of a training; ``None`` when nothing is.

    One that should be running, and has no process that does, has failed.
    """
    if not re.fullmatch(r"[0-9]{1,12}", training):
        return None
    record = _read(_path(models_dir, int(training)))
    if record is not None and record.state == "running" and holder(models_dir) != record.id:
        # It may have ended between the two looks.
        record = _read(_path(models_dir, int(training)))
        if record is not None and record.state == "running":
            return _failed(record)
    return record


def read_records(models_dir: Path, limit: int = KEPT) -> list[TrainingRecord]:
    """Return what is known of trainings, newest first."""
    found = (read_record(models_dir, str(n)) for n in sorted(_numbers(models_dir), reverse=True))
    return [record for record, _ in zip((r for r in found if r), range(limit), strict=False)]


def mend(models_dir: Path) -> None:
    """Write down what became of trainings that were killed, and forget old ones.

    Only who has the lock may do this.
    """
    numbers = sorted(_numbers(models_dir))
    for number in numbers[:-KEPT]:
        _path(models_dir, number).unlink(missing_ok=True)
    for number in numbers[-KEPT:]:
        record = _read(_path(models_dir, number))
        if record is not None and record.state == "running":
            write_record(models_dir, _failed(record))
    for scratch in (models_dir / FOLDER).glob(".*.json-*"):
        scratch.unlink(missing_ok=True)


def _failed(record: TrainingRecord) -> TrainingRecord:
    return replace(record, state="ended", outcome="failed", reason=_GONE)


def _path(models_dir: Path, number: int) -> Path:
    return models_dir / FOLDER / f"{number:06d}.json"


def _numbers(models_dir: Path) -> list[int]:
    try:
        names = [entry.name for entry in (models_dir / FOLDER).iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [int(match[1]) for name in names if (match := _NAME.fullmatch(name))]


def _read(path: Path) -> TrainingRecord | None:
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        known = {f.name: document[f.name] for f in fields(TrainingRecord) if f.name in document}
        record = TrainingRecord(**known)
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return None
    return record if record.state in ("running", "ended") else None
