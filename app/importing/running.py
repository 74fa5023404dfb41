"""One import from its first row to its report; the command line and the service both call it.

- ``atomic``: everything is read and checked first; only if all is good does one transaction store
  it. Killed, nothing is stored.
- ``skip``: bad rows are left out. Each chunk is a transaction, and with it the position behind the
  chunk is stored, so that a killed import goes on there and stores nothing twice.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from app.importing.report import Report
from app.importing.sources import open_contents
from app.store import StoreError
from app.store.records import Chunk
from recommender.errors import FileFormatError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from app.importing.rows import Kind
    from app.importing.sources import Contents, Format
    from app.store import Store
    from recommender.data.rating_scale import RatingScale

Mode: TypeAlias = Literal["atomic", "skip"]
MODES: tuple[Mode, ...] = ("atomic", "skip")
State: TypeAlias = Literal["queued", "running", "done", "failed"]

_HEAD = 1 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a file is to be imported.

    Attributes
    ----------
    mode
        ``"atomic"``: all or nothing; ``"skip"``: bad rows are left out.
    kind
        What the rows of a single file are.
    format
        What the file is; found out unless given.
    dry_run
        Read and check, store nothing.
    """

    mode: Mode = "atomic"
    kind: Kind = "ratings"
    format: Format | None = None
    dry_run: bool = False


class ImportStoppedError(Exception):
    """Whoever runs the import asked it to end; it can go on later."""


@dataclass
class Import:
    """One import.

    Parameters
    ----------
    store
        Where the rows go; ``None`` is enough for a dry run.
    path
        The file or folder.
    name
        What it is called.
    wanted
        How it is to be imported.
    scale
        The ratings that are allowed.
    job_id
        Under which the store keeps how far it is.
    told
        Called with the phase, and the rows so far.
    stopping
        Asked before each chunk whether to end.
    more
        What else the document is to say.
    """

    store: Store | None
    path: Path
    name: str
    wanted: Wanted
    scale: RatingScale
    job_id: str
    told: Callable[[str, int], None] = lambda _phase, _rows: None
    stopping: Callable[[], bool] = lambda: False
    more: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._report = Report()
        self._started = int(time.time())
        self._base: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Return the document that says what came out; it is stored too, unless it is a dry run.

        Raises
        ------
        ImportStoppedError
            When it was asked to end. What ``skip`` has stored stays, and it can go on.
        StoreError
            When the database cannot do it now.
        """
        before = self.store.job(self.job_id) if self.store is not None else None
        self._base = {
            **self.more,
            "import_id": self.job_id,
            "source": self.name,
            "kind": self.wanted.kind,
            "mode": self.wanted.mode,
            "dry_run": self.wanted.dry_run,
            "created_at": (before or {}).get("created_at", self._started),
            "started_at": self._started,
        }
        try:
            with open_contents(
                self.path, self.scale, self.wanted.format, self.wanted.kind
            ) as contents:
                if self.wanted.dry_run or self.wanted.mode == "atomic":
                    return self._whole(contents)
                return self._skipping(contents, before)
        except (FileFormatError, InvalidInputError) as error:
            return self._ended("failed", self._said(error))

    def _whole(self, contents: Contents) -> dict[str, Any]:
        for _ in self._chunks(contents, "checking"):
            pass
        if not self._report.rows:
            return self._ended("failed", f"the file holds no {self.wanted.kind}")
        if self._report.bad and self.wanted.mode == "atomic":
            return self._ended("failed", f"{self._report.bad:,} bad rows; nothing was stored")
        if self.wanted.dry_run:
            return self._ended("done")
        checked, self._report = self._report, Report()
        store = self._open_store()
        store.put_job(self.job_id, self._document("running")).result()
        store.import_chunks(self._good_chunks(contents), atomic=True, job=self.job_id)
        self._report = checked
        return self._finish(contents)

    def _skipping(self, contents: Contents, before: Mapping[str, Any] | None) -> dict[str, Any]:
        store = self._open_store()
        place = None
        if before is not None and before.get("state") == "running" and before.get("position"):
            self._report = Report.from_json(before["report"])
            place = before["position"]
        else:
            store.put_job(self.job_id, self._document("running")).result()
        store.import_chunks(
            self._chunks(contents, "importing", place), atomic=False, job=self.job_id
        )
        return self._finish(contents)

    def _finish(self, contents: Contents) -> dict[str, Any]:
        if not self._report.rows:
            return self._ended("failed", f"the file holds no {self.wanted.kind}")
        if contents.notice is not None:
            self._open_store().set_fact("notice", contents.notice).result()
        return self._ended("done")

    def _good_chunks(self, contents: Contents) -> Iterator[Chunk]:
        """Yield the chunks of a file that was found good; it may have changed since."""
        for chunk in self._chunks(contents, "importing"):
            if self._report.bad:
                raise FileFormatError(self.name, "the file was changed while it was imported")
            yield chunk

    def _chunks(
        self, contents: Contents, phase: str, place: Mapping[str, Any] | None = None
    ) -> Iterator[Chunk]:
        """Yield what is good of all files, from a place on, and take note of what is bad."""
        first = 0 if place is None else int(place["file"])
        for number, file in enumerate(contents.files[first:], start=first):
            position = place["position"] if place is not None and number == first else None
            for piece in file.pieces(position):
                if self.stopping():
                    raise ImportStoppedError
                self._report.add(self._label(file.name), piece.kind, piece.frame.height, piece.bad)
                self.told(phase, self._report.rows)
                share = (number + min(piece.done, 1.0)) / len(contents.files)
                document = self._document(
                    "running",
                    phase=phase,
                    progress=round(share, 4),
                    position={"file": number, "position": piece.position},
                )
                yield Chunk(document, **{piece.kind: piece.frame})

    def _document(self, state: State, **more: Any) -> dict[str, Any]:
        return {**self._base, "state": state, "report": self._report.to_json(), **more}

    def _ended(self, state: State, reason: str | None = None) -> dict[str, Any]:
        document = self._document(
            state,
            reason=reason,
            progress=1.0 if state == "done" else None,
            finished_at=int(time.time()),
        )
        if self.store is not None and not self.wanted.dry_run:
            stored = (self.store.job(self.job_id) or {}).get("stored")
            document["stored"] = stored
        if self.store is not None:
            self.store.put_job(self.job_id, document).result()
        return document

    def _open_store(self) -> Store:
        if self.store is None:
            raise StoreError("There is no store to import into.")
        return self.store

    def _label(self, name: str) -> str:
        """Return a file's name as the one who sent it knows it, not where it lies here."""
        return name.replace(str(self.path), self.name, 1)

    def _said(self, error: Exception) -> str:
        return self._label(str(error))


def job_id_of(path: Path, name: str, wanted: Wanted, scale: RatingScale) -> str:
    """Return the id of the import of a file: the same file again goes on where it was.

    It is made of the name, the size, the first MiB and the options.
    """
    digest = hashlib.sha256(repr((name, wanted, scale)).encode())
    inside = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in inside:
        if file.is_file():
            digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
            with file.open("rb") as stream:
                digest.update(stream.read(_HEAD))
    return f"file-{digest.hexdigest()[:24]}"
