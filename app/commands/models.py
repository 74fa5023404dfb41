"""``projectionist models``: what was trained, what serves, and going back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from app.commands.options import with_settings
from app.commands.reporting import Reporter
from app.serving.generations import Shown, activate, read_shown, refused_by_gate, shown
from app.settings import Settings
from app.trainer.lock import TrainingLock
from recommender.errors import (
    DamagedGenerationError,
    GenerationError,
    GenerationNotFoundError,
    InvalidInputError,
)
from recommender.generations import current_number, sweep, sweep_unfinished


@with_settings("data_dir", "models_dir", "keep_generations")
def models(
    settings: Settings,
    action: Annotated[
        Literal["list", "show", "activate", "sweep"],
        typer.Argument(
            help="list all; show one; activate one, so that it is served; sweep old ones away."
        ),
    ] = "list",
    generation: Annotated[
        int | None, typer.Argument(help="Which one to show or to activate.", min=1)
    ] = None,
    force: Annotated[
        bool, typer.Option(help="Activate it although the gate has refused it.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the trained models, show one, serve an earlier one, or delete old ones."""
    if (action in ("show", "activate")) is not (generation is not None):
        wanted = "needs the number of a generation" if generation is None else "takes no number"
        raise InvalidInputError(f"`projectionist models {action}` {wanted}")
    reporter = Reporter(json)
    if action == "sweep":
        _sweep(settings, reporter)
    elif action == "list":
        _list(settings, reporter)
    elif generation is not None:
        if action == "activate":
            _activate(settings, generation, force)
        _show(settings, generation, reporter)


def _list(settings: Settings, reporter: Reporter) -> None:
    found = read_shown(settings.models_path)
    current = _current(settings)
    rows = [_row(one, current) for one in found]
    lines = [
        f"{row['generation']:>6}  {row['state']:<8} {row['trained_at'] or '':<20} "
        f"{row['size_bytes'] / 1e6:>8.1f} MB  {_figure(row)}"
        for row in rows
    ]
    text = "\n".join(lines) or f"There are no models in {settings.models_path}."
    reporter.result({"current": current, "models": rows}, text)


def _show(settings: Settings, number: int, reporter: Reporter) -> None:
    one = shown(settings.models_path, number)
    if one is None:
        raise GenerationNotFoundError(f"there is no generation {number} in {settings.models_path}")
    row = _row(one, _current(settings))
    lines = [f"{name:<12}{value}" for name, value in row.items() if value not in (None, {})]
    reporter.result(row, "\n".join(lines))


def _activate(settings: Settings, number: int, force: bool) -> None:
    refusal = refused_by_gate(settings.models_path, number)
    if refusal is not None and not force:
        raise GenerationError(
            f"generation {number} was refused: {refusal}. With --force it is served all the same"
        )
    activate(settings.models_path, number)


def _sweep(settings: Settings, reporter: Reporter) -> None:
    with TrainingLock.take(settings.models_path):
        sweep_unfinished(settings.models_path)
        removed = sweep(settings.models_path, settings.keep_generations)
    text = f"Deleted {len(removed)} of the models: {', '.join(map(str, removed)) or 'none'}."
    reporter.result({"removed": removed}, text)


def _current(settings: Settings) -> int | None:
    try:
        return current_number(settings.models_path)
    except DamagedGenerationError:
        return None


def _row(one: Shown, current: int | None) -> dict[str, Any]:
    manifest = one.manifest
    if manifest is None:
        state, reason = "damaged", one.damage
    elif one.number == current:
        state, reason = "current", None
    elif manifest.is_refused:
        state, reason = "refused", manifest.reason
    else:
        state, reason = "kept", None
    return {
        "generation": one.number,
        "state": state,
        "reason": reason,
        "trained_at": manifest.trained_at if manifest else None,
        "watermark": manifest.watermark if manifest else None,
        "metrics": manifest.metrics if manifest else {},
        "parent": manifest.parent if manifest else None,
        "note": manifest.note if manifest else None,
        "size_bytes": one.size,
    }


def _figure(row: dict[str, Any]) -> str:
    ndcg = row["metrics"].get("ndcg_at_10")
    figure = "" if ndcg is None else f"NDCG@10 {ndcg:.3f}"
    why = (row["reason"] or "").split(";")[0]  # the first of several; `show` has them all
    return "  ".join(part for part in (figure, why) if part)
