"""One training: a consistent snapshot, the recipe, the gate, a generation, and its publication."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.movie_attributes import attributes_of
from app.trainer.progress import TrainingProgress, stamp
from recommender import Ratings
from recommender.errors import DamagedGenerationError, GenerationError
from recommender.generations import (
    KEEP,
    current_number,
    generation_path,
    load_generation,
    publish,
    sweep,
    sweep_unfinished,
    write_generation,
)
from recommender.training import Progress, Thresholds, recipe_for, train

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from app.settings import Settings
    from app.store import Store
    from recommender.attributes import ItemAttributes
    from recommender.generations import Generation
    from recommender.training import Recipe, Trained

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Policy:
    """What a training is held to.

    Attributes
    ----------
    thresholds
        When the gate refuses it.
    keep
        How many generations stay afterwards; see :func:`recommender.generations.kept`.
    warm
        Whether it may begin from the model that serves.
    force
        Whether it is published whatever the gate says.
    """

    thresholds: Thresholds = field(default_factory=Thresholds)
    keep: int = KEEP
    warm: bool = True
    force: bool = False

    @classmethod
    def of(cls, settings: Settings, *, warm: bool = True, force: bool = False) -> Policy:
        """Return what the settings say."""
        thresholds = Thresholds(settings.gate_tolerance, settings.gate_kept_share)
        return cls(thresholds, settings.keep_generations, warm, force)


@dataclass(frozen=True)
class TrainingReport:
    """What one training made; ``reason`` says why it was not published, if it was not."""

    training: str
    generation: int
    ratings: int
    users: int
    movies: int
    watermark: int
    metrics: dict[str, float]
    published: bool
    reason: str | None


def run_training(
    store: Store,
    models_dir: Path,
    now: Callable[[], datetime],
    *,
    recipe: Callable[[Ratings], Recipe] = recipe_for,
    tuned: bool = False,
    evaluate: bool = True,
    progress: Progress | None = None,
    policy: Policy | None = None,
) -> TrainingReport:
    """Train on all that is stored now, and publish the result if the gate lets it pass.

    Parameters
    ----------
    store, models_dir, now
        Where ratings come from, where generations go to, and what time it is.
    recipe
        What to train, given the ratings.
    tuned
        Whether somebody chose that: then trainings that start by themselves take it too.
    evaluate, progress
        As in :func:`recommender.training.train`.
    policy
        What the result is held to.

    Raises
    ------
    TooFewRatingsError
        When there is nothing to learn from; the current model stays.
    TrainingRunningError
        When another process is at it.
    """
    with TrainingProgress.begin(models_dir, now, "command") as steps:
        steps.tell = progress
        return train_and_publish(
            steps, store, now, recipe=recipe, tuned=tuned, evaluate=evaluate, policy=policy
        )


def train_and_publish(
    steps: TrainingProgress,
    store: Store,
    now: Callable[[], datetime],
    *,
    recipe: Callable[[Ratings], Recipe] = recipe_for,
    tuned: bool = False,
    evaluate: bool = True,
    policy: Policy | None = None,
) -> TrainingReport:
    """Do the same by a lock that was taken already."""
    models_dir, held_to = steps.models_dir, policy or Policy()
    sweep_unfinished(models_dir)
    served = _served(models_dir)
    parent = _current(models_dir)
    steps("reading ratings", 0, 1)
    snapshot = store.snapshot()
    steps.note(watermark=snapshot.watermark)
    ratings = Ratings.from_frame(snapshot.ratings, timestamp="timestamp")
    chosen = recipe(ratings)
    described = _attributes(store, ratings)
    steps("reading ratings", 1, 1)
    trained = train(
        ratings,
        chosen,
        evaluate=evaluate,
        progress=steps,
        items=described,
        served=served,
        thresholds=held_to.thresholds,
        warm=held_to.warm,
    )
    reasons = list(trained.verdict.reasons)
    if _current(models_dir) != parent:
        reasons.append("another generation was activated while it was trained")
    reason = "; ".join(reasons) or None
    steps("writing", 0, 1)
    number = write_generation(
        models_dir,
        trained.ranking,
        trained.stars,
        watermark=snapshot.watermark,
        metrics=trained.metrics,
        options=chosen.options(),
        trained_at=stamp(now()),
        parent=parent,
        note=_note(trained, reason if held_to.force else None),
        reason=None if held_to.force else reason,
        tuned=tuned,
        attributes=trained.attributes,
        trend=trained.trend,
    )
    steps("writing", 1, 1)
    published = reason is None or held_to.force
    if published:
        steps("publishing", 0, 1)
        publish(models_dir, number)
        steps("publishing", 1, 1)
    known = {"generation": number, "metrics": trained.metrics}
    steps.end(
        "published" if published else "refused", reason=None if published else reason, **known
    )
    steps("sweeping", 0, 1)
    # A generation more than need be is no reason to call a training failed that is published.
    with contextlib.suppress(OSError, GenerationError):
        sweep(models_dir, held_to.keep)
    steps("sweeping", 1, 1)
    return TrainingReport(
        steps.record.id,
        number,
        ratings.n_ratings,
        ratings.n_users,
        ratings.n_items,
        snapshot.watermark,
        trained.metrics,
        published,
        reason,
    )


def _note(trained: Trained, overruled: str | None) -> str | None:
    """Say what the gate would have said, had it had a say."""
    told = [*trained.verdict.notes, *([] if overruled is None else [overruled])]
    return f"published although {'; '.join(told)}" if told else None


def _attributes(store: Store, ratings: Ratings) -> ItemAttributes:
    """Return what the catalogue says of the movies, in the order of the ratings' items.

    A movie that was deleted since the snapshot is one of which nothing is known.
    """
    movies = {movie.movie_id: movie for movie in store.all_movies()}
    return attributes_of([movies.get(str(movie_id)) for movie_id in ratings.items.ids])


def _current(models_dir: Path) -> int | None:
    """Return what serves now; a pointer that cannot be read is about to be mended."""
    try:
        return current_number(models_dir)
    except DamagedGenerationError:
        return None


def _served(models_dir: Path) -> Generation | None:
    """Open what serves now; one that cannot be opened is nothing to compare with."""
    number = _current(models_dir)
    if number is None:
        return None
    try:
        return load_generation(generation_path(models_dir, number))
    except (GenerationError, OSError) as error:
        logger.warning("the current generation cannot be compared with: %s", error)
        return None
