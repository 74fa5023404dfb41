"""Imports over HTTP: files that were sent, one after the other, in a thread of their own.

A file lies on disk until its import has ended, so that a server that was stopped goes on with it
when it starts again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import queue
import secrets
import socket
import threading
import time
from typing import IO, TYPE_CHECKING, Any, cast

from app.importing.running import Import, ImportStoppedError, Wanted
from app.problems import ProblemError
from app.store import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.store import Store
    from recommender.data.rating_scale import RatingScale

logger = logging.getLogger(__name__)

WAITING = 16
"""So many imports may wait; each has a file on disk."""
REMEMBERED = 1_000
_PATIENCE = 2.0  # seconds between tries while the database does not answer
_TRIES = 30


class Imports:
    """The imports of one server.

    Parameters
    ----------
    store
        Where the rows go.
    folder
        Where files lie until they are imported.
    scale
        The ratings that are allowed.
    on_done
        Called, in the thread of the imports, when one has changed the store.
    """

    def __init__(
        self, store: Store, folder: Path, scale: RatingScale, on_done: Callable[[], None]
    ) -> None:
        self._store = store
        self._folder = folder
        self._scale = scale
        self._on_done = on_done
        self._waiting: queue.Queue[str | None] = queue.Queue()
        self._taken = 0  # by files that are sent just now, or wait
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._live: dict[str, tuple[str, int]] = {}
        self._thread = threading.Thread(target=self._work, name="imports", daemon=True)
        here = f"{socket.gethostname()}\0{folder.resolve()}"
        self._here = hashlib.sha256(here.encode()).hexdigest()[:16]

    def start(self) -> None:
        """Begin; what an earlier server has left is taken up first."""
        self._thread.start()

    def close(self) -> None:
        """Stop before the next chunk; what is not finished goes on when the server starts again."""
        self._stop.set()
        self._waiting.put(None)
        if self._thread.ident is not None:
            self._thread.join()

    @contextlib.contextmanager
    def place(self) -> Any:
        """Hold a place in the queue while a file is received.

        Raises
        ------
        ProblemError
            ``too-many-imports`` when there is none.
        """
        with self._lock:
            if self._taken >= WAITING:
                raise ProblemError("too-many-imports")
            self._taken += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken -= 1

    def receive(self) -> tuple[str, IO[bytes]]:
        """Return the id of a new import, and the file that its content goes to."""
        self._folder.mkdir(parents=True, exist_ok=True)
        import_id = f"{time.strftime('%Y%m%d', time.gmtime())}-{secrets.token_hex(8)}"
        return import_id, self._part(import_id).open("wb")

    def give_up(self, import_id: str, stream: IO[bytes]) -> None:
        """Forget a file that did not arrive whole."""
        stream.close()
        self._part(import_id).unlink(missing_ok=True)

    def submit(self, import_id: str, stream: IO[bytes], wanted: Wanted) -> dict[str, Any]:
        """Queue a file that is whole; on return it survives a power cut, and is not lost.

        Returns
        -------
        Its document.
        """
        stream.flush()
        os.fsync(stream.fileno())
        size = stream.tell()
        stream.close()
        self._part(import_id).replace(self._file(import_id))
        document = {
            "import_id": import_id,
            "state": "queued",
            "source": "upload",
            "kind": wanted.kind,
            "format": wanted.format,
            "mode": wanted.mode,
            "dry_run": wanted.dry_run,
            "bytes": size,
            "created_at": int(time.time()),
            "where": self._here,
        }
        try:
            self._store.put_job(import_id, document).result()
        except StoreError:
            self._file(import_id).unlink(missing_ok=True)
            raise
        self._waiting.put(import_id)
        return document

    def document(self, import_id: str) -> dict[str, Any] | None:
        """Return how far an import is, ``None`` when there is none of this id."""
        document = self._store.job(import_id)
        return None if document is None else self._with_live(document)

    def documents(self, limit: int) -> list[dict[str, Any]]:
        """Return the newest imports, newest first."""
        return [self._with_live(document) for document in self._store.jobs(limit)]

    def _with_live(self, document: dict[str, Any]) -> dict[str, Any]:
        live = self._live.get(document["import_id"])
        if live is None or document["state"] in {"done", "failed"}:
            return document
        return {**document, "state": "running", "phase": live[0], "rows_now": live[1]}

    def _part(self, import_id: str) -> Path:
        return self._folder / f"{import_id}.part"

    def _file(self, import_id: str) -> Path:
        return self._folder / f"{import_id}.upload"

    # In the thread:

    def _work(self) -> None:
        try:
            self._take_up()
        except (StoreError, OSError):
            logger.exception("imports of an earlier server could not be taken up")
        while not self._stop.is_set():
            import_id = self._waiting.get()
            if import_id is None:
                return
            try:
                self._run(import_id)
            except Exception as error:  # the thread must outlive whatever a file does
                logger.exception("an import failed", extra={"fields": {"import_id": import_id}})
                self._fail(import_id, f"it could not be done here ({type(error).__name__})")
            finally:
                self._live.pop(import_id, None)

    def _take_up(self) -> None:
        """Queue what an earlier server on this folder has left; what lost its file has failed."""
        for document in reversed(self._store.jobs(REMEMBERED)):
            unfinished = document.get("state") in {"queued", "running"}
            if not unfinished or document.get("where") != self._here:
                continue
            import_id = document["import_id"]
            if self._file(import_id).exists():
                self._waiting.put(import_id)
            else:
                self._fail(import_id, "the server was stopped, and the file is not there any more")

    def _run(self, import_id: str) -> None:
        document = self._store.job(import_id)
        path = self._file(import_id)
        if document is None or not path.exists():
            return
        with path.open("rb") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # another worker has it
                return
            if self._import(import_id, path, document):
                path.unlink(missing_ok=True)

    def _import(self, import_id: str, path: Path, document: dict[str, Any]) -> bool:
        """Return whether it has come to an end."""
        wanted = Wanted(
            document["mode"], document["kind"], document.get("format"), document["dry_run"]
        )
        for attempt in range(_TRIES):
            work = Import(
                self._store,
                path,
                "upload",
                wanted,
                self._scale,
                import_id,
                told=lambda phase, rows: self._live.update({import_id: (phase, rows)}),
                stopping=self._stop.is_set,
                more={"where": self._here, "format": document.get("format")},
            )
            try:
                work.run()
            except ImportStoppedError:
                return False
            except StoreUnavailable as error:
                logger.warning("an import waits for the database: %s", error)
                if self._stop.wait(_PATIENCE) or attempt == _TRIES - 1:
                    return False
            else:
                if not wanted.dry_run:
                    self._on_done()
                return True
        return False

    def _fail(self, import_id: str, reason: str) -> None:
        with contextlib.suppress(StoreError):
            before = self._store.job(import_id) or {"import_id": import_id}
            document = {**before, "state": "failed", "reason": reason}
            document["finished_at"] = int(time.time())
            self._store.put_job(import_id, cast("Any", document)).result()
        self._file(import_id).unlink(missing_ok=True)
