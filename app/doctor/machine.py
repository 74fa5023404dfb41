"""Checks of the machine: its clock and its disk."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from app.doctor.findings import Finding, counted, percent
from app.doctor.patient import Unknown
from app.limits import LIMITS, MIB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.doctor.patient import Patient

FULL, NEARLY_FULL = 100 * MIB, 1024 * MIB
_MILLISECONDS = 10**11
"""Times beyond this are no seconds: the year 5138."""


def future_ratings(patient: Patient) -> Iterator[Finding]:
    """Count ratings that were given after now."""
    times = patient.ratings["timestamp"]
    latest = int(times.max())  # type: ignore[arg-type]
    late = int((times > patient.now + LIMITS.clock_skew_seconds).sum())
    figures = {"future": late, "latest": latest}
    if not late:
        yield Finding("ok", "No rating was given after now.", "", "", figures)
        return
    thousandfold = int((times > _MILLISECONDS).sum())
    told = (
        "they look like milliseconds"
        if thousandfold
        else f"the latest at {datetime.fromtimestamp(latest, UTC):%Y-%m-%d %H:%M}"
    )
    yield Finding(
        "warning",
        f"{late:,} of {counted(len(times), 'rating')} ({percent(late, len(times))}) were given "
        f"after now: {told}.",
        "What is popular of late is counted from the newest rating, and the hold-out of the "
        "training takes each user's last ratings: both go wrong.",
        "Import them again with times in seconds since 1970 UTC."
        if thousandfold
        else "Set the clocks of clients and servers (`timedatectl set-ntp true`), and import or "
        "send these ratings again.",
        figures,
    )


def clock(patient: Patient) -> Iterator[Finding]:
    """Compare the clock with the times of what was written before now."""
    marks: list[tuple[float, str]] = []
    if patient.database is not None and patient.database.exists():
        marks.append((patient.database.stat().st_mtime, "the database was last written"))
    for number, manifest in patient.manifests.items():
        try:
            trained = datetime.fromisoformat(manifest.trained_at)
        except ValueError:
            continue
        at = (trained if trained.tzinfo else trained.replace(tzinfo=UTC)).timestamp()
        marks.append((at, f"generation {number} was trained"))
    if patient.database is None and patient.trouble is None:
        marks.append((patient.database_time, "it is, by the clock of the database,"))
    if not marks:
        raise Unknown
    at, what = max(marks)
    ahead = at - patient.now
    if ahead <= LIMITS.clock_skew_seconds:
        yield Finding("ok", "It is later than everything that was written.")
        return
    yield Finding(
        "warning",
        f"By this machine's clock, {what} {ahead:,.0f} seconds from now.",
        "Ratings without a time get a wrong one, and right ones are refused as of the future.",
        "Set the clock: `timedatectl set-ntp true`.",
        {"seconds_ahead": round(ahead)},
    )


def disk(patient: Patient) -> Iterator[Finding]:
    """Look how much room is left where the database and the models are."""
    places = {"models": patient.models}
    if patient.database is not None:
        places["database"] = patient.database
    rooms = {name: _free(path) for name, path in places.items()}
    name, (free, where) = min(rooms.items(), key=lambda one: one[1][0])
    figures = {f"{name}_free_bytes": free for name, (free, _) in rooms.items()}
    if free >= NEARLY_FULL:
        yield Finding("ok", f"{free / MIB / 1024:,.1f} GiB free.", "", "", figures)
        return
    yield Finding(
        "error" if free < FULL else "warning",
        f"{free / MIB:,.0f} MiB are free where the {name} is kept ({where}).",
        "On a full disk no rating is stored and no training can publish.",
        "Remove old generations (`projectionist models sweep`), backups and exports, or use a "
        "larger disk.",
        figures,
    )


def _free(path: Path) -> tuple[int, Path]:
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free, path


def times(patient: Patient) -> Iterator[Finding]:
    """Look whether ratings have times that tell them apart."""
    spread = patient.ratings.select(pl.col("timestamp").n_unique()).item()
    if spread > 1 or len(patient.ratings) == 1:
        yield Finding("ok", f"{spread:,} different times.", figures={"times": spread})
        return
    yield Finding(
        "note",
        f"All {counted(len(patient.ratings), 'rating')} have one and the same time.",
        "The hold-out of the training takes each user's last ratings, which are now any; nothing "
        "is popular of late.",
        "Import a file with a column timestamp, in seconds since 1970 UTC.",
        {"times": spread},
    )
