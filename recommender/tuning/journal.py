"""A study on disk: one line a finished trial, so that a search can be killed and go on.

The file begins with a line that says what is searched, on which data; every line after it is one
finished trial in JSON. A line is written in one piece and synced before the next trial begins. So
whenever the process is killed, what can be broken is the last line alone; it is dropped when the
study is opened again, and its trial is done anew. Since each trial draws its own random numbers
from the seed and its number, a study that was interrupted comes to the same end as one that was
not.
"""

from __future__ import annotations

import errno
import fcntl
import json
import math
import os
import stat
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from recommender.errors import FileFormatError, InvalidInputError, InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"

_KIND = "projectionist study"
_FORMAT = 1
_START = json.dumps({"kind": _KIND})[:-1]
"""How every study begins, to the byte: a file that begins otherwise is somebody else's."""

_SHOWN = 60
"""Characters of something wrong that are shown."""

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
    stream, path
        The file, and its name; ``None`` for trials that are not kept.
    """

    trials: list[Trial] = field(default_factory=list)
    stream: IO[bytes] | None = None
    path: Path | None = None

    @property
    def seconds(self) -> float:
        """How long all trials took."""
        return math.fsum(trial.seconds for trial in self.trials)

    def add(self, trial: Trial) -> None:
        """Keep a finished trial; it is on disk when this returns.

        Raises
        ------
        OSError
            When the disk refuses; it names the study.
        """
        if self.stream is not None and self.path is not None:
            _append(self.path, self.stream, asdict(trial))
        self.trials.append(trial)


@contextmanager
def open_journal(
    path: Path | str | None,
    about: Mapping[str, Any],
    check: Callable[[Trial], None] | None = None,
) -> Iterator[Journal]:
    """Open a study, or begin one.

    Parameters
    ----------
    path
        The file; ``None`` for a study that is not kept.
    about
        What is searched on which data: a study of anything else is refused.
    check
        Raises :class:`~recommender.errors.InvalidOptionError` at a trial that this search cannot
        have made.

    Raises
    ------
    InvalidInputError
        When the study is about something else, or another process is at it.
    FileFormatError
        When the file is no study or no ordinary file, or damaged before its last line.
    OSError
        When the disk refuses; it names the file.
    """
    if path is None:
        yield Journal()
        return
    path = Path(path)
    with _opened(path) as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidInputError(
                f"{path}: another process is at this study; wait, or take another --study"
            ) from None
        yield Journal(_trials(path, stream, about, check), stream, path)


def _opened(path: Path) -> IO[bytes]:
    """Open a file, or make it; whatever has no end, or makes us wait, is refused unread."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise FileFormatError(path, "it is no ordinary file; name another one (--study)")
    try:
        # Not to wait, because a pipe may have taken its place by now.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, 0o644)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileFormatError(path, "it is no ordinary file; name another one (--study)")
    return os.fdopen(descriptor, "r+b", buffering=0)


def _trials(
    path: Path,
    stream: IO[bytes],
    about: Mapping[str, Any],
    check: Callable[[Trial], None] | None,
) -> list[Trial]:
    start = stream.read(len(_START))
    if not (start == _START.encode() or _START.encode().startswith(start)):
        raise FileFormatError(path, "it is no study of `projectionist tune`; name another file")
    content = start + stream.read()
    whole = content[: content.rfind(b"\n") + 1]
    os.ftruncate(stream.fileno(), len(whole))  # what was being written when it was killed
    if not whole:
        _append(path, stream, {"kind": _KIND, "format": _FORMAT, **about})
        _sync_folder(path.parent)
        return []
    head, *lines = whole.splitlines()
    _refuse_other(path, _decoded(path, head, 1), about)
    return [_trial(path, line, place, check) for place, line in enumerate(lines, start=2)]


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


def _trial(path: Path, line: bytes, place: int, check: Callable[[Trial], None] | None) -> Trial:
    entry = _decoded(path, line, place)
    try:
        trial = Trial(**entry | {"watched": tuple(entry["watched"])})
        _check_kinds(trial, place - 2)
        if check is not None:
            check(trial)
    except (KeyError, TypeError):
        why = "its entries are not those of a trial"
    except InvalidOptionError as error:
        why = str(error)
    else:
        return trial
    raise FileFormatError(
        path, f"this is not trial {place - 2} of a study: {why}; begin another one", place
    )


def _check_kinds(trial: Trial, number: int) -> None:
    """Check all that is the same of every search."""
    seconds = trial.seconds
    sound = {
        "number": type(trial.number) is int and trial.number == number,
        "place": isinstance(trial.place, dict),
        "options": isinstance(trial.options, dict),
        "state": trial.state in (COMPLETE, PRUNED, FAILED),
        "score": _is_number(trial.score) if trial.state == COMPLETE else trial.score is None,
        "watched": all(map(_is_number, trial.watched)),
        "seconds": (_is_number(seconds) or type(seconds) is int) and seconds >= 0,
        "reason": isinstance(trial.reason, str),
    }
    for name, holds in sound.items():
        if not holds:
            raise InvalidOptionError(f"{name} cannot be {str(getattr(trial, name))[:_SHOWN]!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _decoded(path: Path, line: bytes, place: int) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
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


def _append(path: Path, stream: IO[bytes], entry: Mapping[str, Any]) -> None:
    line = json.dumps(entry).encode() + b"\n"
    written = 0
    try:
        while written < len(line):
            written += stream.write(line[written:])
        os.fsync(stream.fileno())
    except OSError as error:
        reason = error.strerror or os.strerror(errno.EIO)
        raise OSError(error.errno, f"{reason}; this trial is not kept", str(path)) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
