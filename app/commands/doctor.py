"""``projectionist doctor``: what is wrong, why it matters and what to do."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import SCALE, STORAGE, with_settings
from app.commands.reporting import Reporter
from app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.doctor import Finding


@with_settings(*STORAGE, *SCALE)
def doctor(
    settings: Settings,
    all_: Annotated[bool, typer.Option("--all", help="Show what is well, too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Look for the usual causes of bad recommendations and say what to do; changes nothing.

    It may run beside a server. The exit status is 1 when there is an error.
    """
    # Here and not above: no other command needs to wait for it.
    from app.doctor import examine
    from app.doctor.findings import LEVELS

    findings = examine(settings, time.time())
    counts = {level: sum(one.level == level for one in findings) for level in LEVELS}
    document = {"findings": [asdict(one) for one in findings], "counts": counts}
    Reporter(json).result(document, in_words(findings, all_))
    if counts["error"]:
        raise typer.Exit(1)


def in_words(findings: Sequence[Finding], everything: bool) -> str:
    """Tell the findings, the worst last, where a terminal shows them."""
    from app.doctor.findings import LEVELS

    parts = []
    for level in LEVELS:
        for one in findings:
            if one.level != level or (level == "ok" and not everything):
                continue
            lines = [f"{level}: {one.check}: {one.found}"]
            lines += [f"    {line}" for line in (one.why, one.do) if line]
            parts.append("\n".join(lines))
    well = sum(one.level == "ok" for one in findings)
    told = ", ".join(
        f"{n} {level}{'' if n == 1 else 's'}"
        for level in ("error", "warning", "note")
        if (n := sum(one.level == level for one in findings))
    )
    parts.append(f"{well} of {len(findings)} findings are well{f'; {told}' if told else ''}.")
    return "\n".join(parts)
