"""One table of checks: the command, the documentation and the tests read the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from app.doctor import catalogue, database, machine, models, ratings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.doctor.findings import Finding
    from app.doctor.patient import Patient


class Check(NamedTuple):
    """One thing that is looked at.

    Attributes
    ----------
    name
        As reports name it.
    finds
        What it warns of.
    look
        Yields what it found; at least one finding, of level ``ok`` when all is well.
    """

    name: str
    finds: str
    look: Callable[[Patient], Iterator[Finding]]


CHECKS: tuple[Check, ...] = (
    Check("database", "no database, or one that cannot be read", database.readable),
    Check("integrity", "a damaged file (SQLite's quick check)", database.integrity),
    Check("log-size", "a write-ahead log that is not cut back", database.log_size),
    Check("writers", "several writers with a SQLite that loses rows then", database.sqlite_version),
    Check("permissions", "a database that others may read or change", database.permissions),
    Check("disk", "a disk that is full soon", machine.disk),
    Check("clock", "a clock that is behind what was written", machine.clock),
    Check("model", "no model, or a pointer that leads nowhere", models.current_model),
    Check("freshness", "a model that is old, or of another database", models.freshness),
    Check("generations", "damaged generations", models.damaged),
    Check("refused", "trainings that came to nothing since", models.refused),
    Check("models-directory", "a directory that no training can write to", models.models_directory),
    Check("availability", "an empty catalogue, or nothing available", catalogue.availability),
    Check("cold-catalogue", "movies that hardly anybody rated", catalogue.cold),
    Check("attributes", "movies without genres and year", catalogue.attributes),
    Check(
        "matching-ids",
        "one movie or user under several ids (`1` and `1.0`, `007` and `7`, case), and movies "
        "that no file names",
        catalogue.matching_ids,
    ),
    Check("amount", "too few ratings", ratings.amount),
    Check("variety", "ratings that are all the same", ratings.variety),
    Check("scale", "ratings outside of the scale, or likes taken for stars", ratings.scale),
    Check("shares", "a user or a movie with an absurd share of all ratings", ratings.shares),
    Check("everything-seen", "users with nothing left to recommend", ratings.everything_seen),
    Check("future-ratings", "ratings given after now, or in milliseconds", machine.future_ratings),
    Check("times", "ratings without times of their own", machine.times),
)
"""In the order in which they are told."""
