"""Checks of the database: whether it can be read, is whole, and is kept well."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from app.doctor.findings import Finding, counted
from app.doctor.patient import Unknown
from app.limits import MIB
from app.store import DatabaseNotFound
from app.store.connections import WAL_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.doctor.patient import Patient

SAFE_SQLITE = (3, 51, 3)
"""From here on several connections may write to, and checkpoint, one write-ahead log."""
LARGE_LOG = 4 * WAL_LIMIT
_PROC = Path("/proc")


def readable(patient: Patient) -> Iterator[Finding]:
    """Look whether the database can be read."""
    trouble = patient.trouble
    if trouble is None:
        counts = patient.store.counts()
        told = (
            f"{counted(counts.users, 'user')}, {counted(counts.movies, 'movie')}, "
            f"{counted(counts.ratings, 'rating')} at version {patient.store.version():,}."
        )
        yield Finding("ok", told)
        return
    missing = isinstance(trouble, DatabaseNotFound)
    yield Finding(
        "error",
        str(trouble),
        "Without it there is nothing to learn from, and no rating can be stored.",
        "Import something: `projectionist import FOLDER`."
        if missing
        else "Look at PROJECTIONIST_DATABASE_URL and PROJECTIONIST_DATA_DIR; if the file is "
        "damaged, restore a backup: `projectionist restore BACKUP`.",
    )


def _file(patient: Patient) -> Path:
    if patient.database is None or not patient.database.exists():
        raise Unknown
    return patient.database


def integrity(patient: Patient) -> Iterator[Finding]:
    """Let SQLite look through its file."""
    path = _file(patient)
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        try:
            said = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
        finally:
            connection.close()
    except sqlite3.Error as error:
        said = [str(error)]
    if said == ["ok"]:
        yield Finding("ok", "SQLite finds its file whole.")
        return
    yield Finding(
        "error",
        f"SQLite finds its file damaged: {said[0]}",
        "Ratings are lost or wrong, and it will get worse with every write.",
        "Stop the server, keep a copy of the file, restore a backup: "
        "`projectionist restore BACKUP --force`.",
        {"messages": said},
    )


def log_size(patient: Patient) -> Iterator[Finding]:
    """Look whether the write-ahead log is cut back."""
    path = _file(patient)
    log = path.with_name(f"{path.name}-wal")
    size = log.stat().st_size if log.exists() else 0
    if size <= LARGE_LOG:
        yield Finding("ok", f"{size / MIB:.1f} MiB.", figures={"bytes": size})
        return
    yield Finding(
        "warning",
        f"{log.name} has {size / MIB:,.0f} MiB.",
        "A reader that never ends keeps it from being cut back: reads become slow, and the disk "
        "fills.",
        f"Look who reads the file for so long (`lsof {path}`), and end it.",
        {"bytes": size},
    )


def sqlite_version(patient: Patient) -> Iterator[Finding]:
    """Look for several writers where SQLite would lose rows with them."""
    path = _file(patient)
    version = sqlite3.sqlite_version
    writers = writing_processes(path)
    figures = {"version": version, "writers": writers}
    if sqlite3.sqlite_version_info >= SAFE_SQLITE or len(writers) < 2:
        yield Finding("ok", f"SQLite {version}, one writer at most.", "", "", figures)
        return
    yield Finding(
        "error",
        f"SQLite {version}, and {len(writers)} processes have the database open for writing: "
        f"{', '.join(map(str, writers))}.",
        "Before 3.51.3, SQLite can lose rows that were acknowledged when several processes write "
        "(sqlite.org/wal.html, the WAL-reset bug).",
        "End all but the server. Other programs may read: `sqlite3 'file:FILE?mode=ro'`.",
        figures,
    )


def writing_processes(path: Path) -> list[int]:
    """Return the ids of processes that have a file open for writing, as far as they can be seen."""
    found = []
    for process in _PROC.glob("[0-9]*"):
        try:
            handles = list((process / "fd").iterdir())
            if any(handle.readlink() == path and _writes(process, handle) for handle in handles):
                found.append(int(process.name))
        except OSError:  # it has ended, or is somebody else's
            continue
    return sorted(found)


def _writes(process: Path, handle: Path) -> bool:
    for line in (process / "fdinfo" / handle.name).read_text().splitlines():
        if line.startswith("flags:"):
            return int(line.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
    return False


def may(path: Path, what: int) -> bool:
    """Whether this user may do what ``os.access`` asks; by the effective ids, as opening would."""
    return os.access(path, what, effective_ids=os.access in os.supports_effective_ids)


def permissions(patient: Patient) -> Iterator[Finding]:
    """Look who may read and change the file."""
    path = _file(patient)
    mode = stat.S_IMODE(path.stat().st_mode)
    figures = {"mode": f"{mode:03o}"}
    if not may(path, os.R_OK | os.W_OK) or not may(path.parent, os.W_OK | os.X_OK):
        yield Finding(
            "error",
            f"{path} or its folder cannot be written to by this user.",
            "A server of this user can store no rating.",
            f"Run `chown -R USER {path.parent}` for the user that serves.",
            figures,
        )
    elif mode & stat.S_IWOTH:
        yield Finding(
            "error",
            f"Everybody on this machine may change {path} (mode {mode:03o}).",
            "Anybody may add, change and remove ratings past the server, and damage the file.",
            f"Run `chmod 600 {path}`.",
            figures,
        )
    elif mode & stat.S_IROTH and path.parent.stat().st_mode & stat.S_IXOTH:
        yield Finding(
            "note",
            f"Everybody on this machine may read {path} (mode {mode:03o}).",
            "It holds who rated what.",
            f"Run `chmod 700 {path.parent}` unless that is meant.",
            figures,
        )
    else:
        yield Finding("ok", f"Mode {mode:03o}.", "", "", figures)
