"""Checks of the models: whether there is one, how old it is, and whether it is whole."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.doctor.database import may
from app.doctor.findings import Finding, counted, percent, share
from recommender.errors import GenerationError, RecommenderError
from recommender.generations import current_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.doctor.patient import Patient

OLD_DAYS = 7
NEW_SHARE = 0.2
"""With so many changes since the training, lists come from taste of before."""
_DAY = 86_400
_TRAIN = "Run `projectionist train`; a running server takes the model up by itself."


def current_model(patient: Patient) -> Iterator[Finding]:
    """Look whether there is a model that lists come from."""
    try:
        number = current_number(patient.models)
    except RecommenderError as error:
        yield Finding("error", f"{error}.", "No new model can be taken up.", _TRAIN)
        return
    if number is None:
        yield Finding(
            "error",
            f"There is no model in {patient.models}.",
            "Without a model, lists are answered with 503.",
            _TRAIN,
        )
    elif number not in patient.numbers:
        yield Finding(
            "error",
            f"CURRENT names generation {number}, which is not there.",
            "A server that starts takes an older generation, or none.",
            _TRAIN,
        )
    else:
        yield Finding("ok", f"Generation {number} is current.", figures={"generation": number})


def freshness(patient: Patient) -> Iterator[Finding]:
    """Look how old the model is, and how much was rated since."""
    manifest = patient.generation.manifest
    version = patient.store.version()
    days = (patient.now - _seconds(manifest.trained_at)) / _DAY
    newer = max(version - manifest.watermark, 0)
    figures = {"age_days": round(days, 2), "newer_changes": newer}
    if manifest.watermark > version:
        yield Finding(
            "warning",
            f"The model has seen version {manifest.watermark}, the database stands at {version}.",
            "An older database was put back, or the model is of another one: what it learned is "
            "not what is stored.",
            _TRAIN,
            figures,
        )
        return
    told = f"The model is {days:.1f} days old, and {counted(newer, 'change')} came in since"
    total = len(patient.snapshot.ratings)
    if share(newer, total) > NEW_SHARE or (days > OLD_DAYS and newer):
        yield Finding(
            "warning",
            f"{told}: {percent(newer, total)} of {counted(total, 'rating')}.",
            "New ratings move a user's own list at once, but what movies are like is learnt in "
            "trainings alone.",
            f"{_TRAIN} Train by a timer at least every {OLD_DAYS} days.",
            figures,
        )
    else:
        yield Finding("ok", f"{told}.", figures=figures)


def _seconds(trained_at: str) -> float:
    try:
        at = datetime.fromisoformat(trained_at)
    except ValueError:
        return 0.0
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def damaged(patient: Patient) -> Iterator[Finding]:
    """Open every generation and compare it with its SHA-256."""
    whole = 0
    for number, found in patient.loaded.items():
        if not isinstance(found, GenerationError):
            whole += 1
            continue
        serving = number == patient.current
        yield Finding(
            "error" if serving else "warning",
            f"Generation {number} cannot be used: {found}.",
            "It is the current one: a server that starts falls back to an older one."
            if serving
            else "One cannot go back to it.",
            _TRAIN if serving else f"Remove {patient.models / f'gen-{number:06d}'}.",
            {"generation": number},
        )
    if whole == len(patient.loaded):
        yield Finding("ok", f"{counted(whole, 'generation')} on disk, each whole.")


def refused(patient: Patient) -> Iterator[Finding]:
    """Look whether the last trainings were refused by the gate."""
    since = patient.current or 0
    newer = [m for number, m in sorted(patient.manifests.items()) if number > since]
    candidates = [manifest for manifest in newer if manifest.is_refused]
    if candidates:
        last = candidates[-1]
        reason = last.reason or "no reason was kept"
        yield Finding(
            "warning",
            f"{counted(len(candidates), 'training')} since generation {since} came to nothing; "
            f"the last, generation {last.generation}, because: {reason}",
            "The model that serves grows old.",
            f"Look at it: `projectionist models show {last.generation}`. If the data has changed "
            f"for good, activate it; if it has gone bad, mend the data and train again.",
            {"refused": [m.generation for m in candidates]},
        )
    else:
        yield Finding("ok", "No training since the current model was refused.")


def models_directory(patient: Patient) -> Iterator[Finding]:
    """Look whether a training could publish."""
    place = patient.models
    while not place.exists() and place != place.parent:
        place = place.parent
    if may(place, os.W_OK | os.X_OK):
        yield Finding("ok", f"{patient.models} can be written to.")
        return
    yield Finding(
        "error",
        f"{place} cannot be written to by this user.",
        "No training can publish a model.",
        f"Run `chown -R USER {place}` for the user that trains, or set PROJECTIONIST_MODELS_DIR.",
    )
