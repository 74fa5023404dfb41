"""``projectionist train``: learn from what is stored, and publish a generation."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from time import perf_counter
from typing import Annotated, Any

import typer

from app.commands.options import STORAGE, with_settings
from app.commands.reporting import Reporter
from app.settings import Settings
from app.store import open_store
from app.trainer.training_run import TrainingReport, run_training
from recommender import BiasedALS, ImplicitALS
from recommender.models.options import IMPLICIT_ALS
from recommender.training import Recipe, prepare

_MEANING = {
    option.name: f"{option.meaning} {option.allowed[0].upper()}{option.allowed[1:]}."
    for option in IMPLICIT_ALS
}


@with_settings(*STORAGE)
def train(
    settings: Settings,
    factors: Annotated[int | None, typer.Option(help=_MEANING["factors"])] = None,
    regularization: Annotated[float | None, typer.Option(help=_MEANING["regularization"])] = None,
    unobserved_weight: Annotated[
        float | None, typer.Option(help=_MEANING["unobserved_weight"])
    ] = None,
    epochs: Annotated[int | None, typer.Option(help=_MEANING["epochs"])] = None,
    seed: Annotated[int | None, typer.Option(help=_MEANING["seed"])] = None,
    threads: Annotated[int | None, typer.Option(help=_MEANING["threads"])] = None,
    evaluate: Annotated[
        bool, typer.Option(help="Hold out each user's last fifth first, and measure.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Train on everything stored and publish the model; a running server takes it up by itself."""
    started = perf_counter()
    reporter = Reporter(json)
    given = {
        name: value
        for name, value in {
            "factors": factors,
            "regularization": regularization,
            "unobserved_weight": unobserved_weight,
            "epochs": epochs,
            "seed": seed,
            "threads": threads,
        }.items()
        if value is not None
    }
    base = Recipe()
    shared: dict[str, Any] = {name: given[name] for name in ("seed", "threads") if name in given}
    recipe = Recipe(
        ImplicitALS(**base.ranking.options() | given), BiasedALS(**base.stars.options() | shared)
    )
    reporter.say("Preparing the solver (compiled the first time, then kept) …")
    prepare(recipe)
    with (
        open_store(settings.database, settings.data_dir, read_only=True) as store,
        reporter.progress() as step,
    ):
        report = run_training(
            store,
            settings.models_path,
            lambda: datetime.now(UTC),
            recipe=recipe,
            evaluate=evaluate,
            progress=step,
        )
    seconds = perf_counter() - started
    reporter.result({**asdict(report), "seconds": round(seconds, 3)}, _in_words(report, seconds))


def _in_words(report: TrainingReport, seconds: float) -> str:
    size = f"{report.ratings:,} ratings, {report.users:,} users, {report.movies:,} movies"
    lines = [f"Generation {report.generation}, in {seconds:.1f} s: {size}."]
    m = report.metrics
    if m:
        lines.append(
            f"On each user's last fifth: NDCG@10 {m['ndcg_at_10']:.3f} "
            f"({m['ndcg_at_10_low']:.3f} to {m['ndcg_at_10_high']:.3f}), "
            f"popularity {m['popularity_ndcg_at_10']:.3f}; stars off by {m['rmse']:.3f} (RMSE)."
        )
    return "\n".join(lines)
