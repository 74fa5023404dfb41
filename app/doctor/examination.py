"""All checks, one after the other."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from app.doctor.findings import Finding
from app.doctor.patient import Patient, Unknown
from app.doctor.registry import CHECKS
from app.store import StoreError

if TYPE_CHECKING:
    from app.settings import Settings


def examine(settings: Settings, now: float) -> list[Finding]:
    """Look for everything that the registry names; nothing is changed.

    Parameters
    ----------
    settings
        Where everything is, and the scale of the ratings.
    now
        Seconds since 1970.

    Returns
    -------
    The findings in the order of the checks. A check that cannot tell, as there is nothing to look
    at, has none: another one says why.
    """
    findings: list[Finding] = []
    with closing(Patient(settings, now)) as patient:
        for check in CHECKS:
            try:
                found = list(check.look(patient))
            except Unknown:
                continue
            except (StoreError, OSError) as error:
                found = [
                    Finding(
                        "error",
                        f"This check could not be made: {error}",
                        "What it looks at cannot be read.",
                        "Run the doctor as the user that serves.",
                    )
                ]
            findings += [replace(finding, check=check.name) for finding in found]
    return findings
