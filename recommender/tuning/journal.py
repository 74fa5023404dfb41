"""A study on disk: one line a finished trial, so that a search can be killed and go on.

The file begins with a line that says what is searched, on which data; every line after it is one
finished trial in JSON. A line is written in one piece and synced before the next trial begins. So
whenever the process is killed, what can be broken is the last line alone; it is dropped when the
study is opened again, and its trial is done anew. Since each trial draws its own random numbers
from the seed and its number, a study that was interrupted comes to the same end as one that was
not.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from recommender.errors import FileFormatError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"

_KIND = "projectionist study"
_FORMAT = 1
_START = json.dumps({"kind": _KIND})[:-1]
"""How every study begins, to the byte: a file that begins otherwise is somebody else's."""

_WORDS = {
    "data": "other ratings",
    "model": "another model",
    "space": "another range of options",
    "defaults": "other defaults",
    "protocol": "another protocol",
    "metric": "another metric",
    "hold_out": "another way to hold out",
    "seed": "another seed",
    "version": "another version of Projectionist",
}


@dataclass(frozen=True)
class Trial:
    """One set of options that was tried.

    Attributes
    ----------
    number
        From 0.
    place
        Where in the search, dimension by dimension.
    options
        Every option of the model.
    state
        ``"complete"``, ``"pruned"`` (given up because others were ahead) or ``"failed"``.
    score
        On the hold-out; ``None`` unless complete.
    watched
        The score after each epoch on a part of the hold-out, larger is better.
    seconds
        How long it took.
    reason
        Why it failed.
    """

    number: int
    place: dict[str, Any]
    options: dict[str, Any]
    state: str
    score: float | None = None
    watched: tuple[float, ...] = ()
    seconds: float = 0.0
    reason: str = ""


@dataclass(eq=False)
class Journal:
    """The trials so far, on disk where there is a file.

    Attributes
    ----------
    trials
        In order of their numbers.
    """

    trials: list[Trial] = field(default_factory=list)
    stream: IO[bytes] | None = None

    def add(self, trial: Trial) -> None:
        """Keep a finished trial; it is on disk when this returns."""
        if self.stream is not None:
            _append(self.stream, asdict(trial))
        self.trials.append(trial)


@contextmanager
def open_journal(path: Path | str | None, about: Mapping[str, Any]) -> Iterator[Journal]:
    """Open a study, or begin one.

    Parameters
    ----------
    path
        The file; ``None`` for a study that is not kept.
    about
        What is searched on which data: a study of anything else is refused.

    Raises
    ------
    InvalidInputError
        When the study is about something else, or another process is at it.
    FileFormatError
        When the file is no study, or damaged before its last line.
    """
    if path is None:
        yield Journal()
        return
    path = Path(path)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    with os.fdopen(descriptor, "r+b", buffering=0) as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidInputError(
                f"{path}: another process is at this study; wait, or take another --study"
            ) from None
        yield Journal(_trials(path, stream, about), stream)


def _trials(path: Path, stream: IO[bytes], about: Mapping[str, Any]) -> list[Trial]:
    content = stream.read()
    if not (content.startswith(_START.encode()) or _START.encode().startswith(content)):
        raise FileFormatError(path, "it is no study of `projectionist tune`; name another file")
    whole = content[: content.rfind(b"\n") + 1]
    os.ftruncate(stream.fileno(), len(whole))  # what was being written when it was killed
    if not whole:
        _append(stream, {"kind": _KIND, "format": _FORMAT, **about})
        _sync_folder(path.parent)
        return []
    head, *lines = whole.splitlines()
    _refuse_other(path, _decoded(path, head, 1), about)
    return [_trial(path, line, place) for place, line in enumerate(lines, start=2)]


def _refuse_other(path: Path, head: dict[str, Any], about: Mapping[str, Any]) -> None:
    if head.get("format") != _FORMAT:
        raise FileFormatError(
            path, f"a study of the format {head.get('format')!r}; this version reads {_FORMAT}", 1
        )
    for name, here in about.items():
        there = head.get(name)
        if there != here:
            what = _WORDS.get(name, f"another {name}")
            raise InvalidInputError(
                f"{path}: this study was begun with {what}: {_brief(there)} there, "
                f"{_brief(here)} here; go on as it was begun, or begin another one (--study)"
            )


def _trial(path: Path, line: bytes, place: int) -> Trial:
    entry = _decoded(path, line, place)
    try:
        trial = Trial(**entry | {"watched": tuple(entry["watched"])})
        sound = trial.number == place - 2 and trial.state in {COMPLETE, PRUNED, FAILED}
        sound = sound and (trial.state != COMPLETE or isinstance(trial.score, float))
    except (KeyError, TypeError):
        sound = False
    if not sound:
        raise FileFormatError(path, f"this is not trial {place - 2} of a study", place)
    return trial


def _decoded(path: Path, line: bytes, place: int) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict):
        raise FileFormatError(path, "this study is damaged here; begin another one", place)
    return entry


def _brief(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return str(value)


def _append(stream: IO[bytes], entry: Mapping[str, Any]) -> None:
    line = json.dumps(entry).encode() + b"\n"
    written = 0
    while written < len(line):
        written += stream.write(line[written:])
    os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
