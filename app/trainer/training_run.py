"""One training: a consistent snapshot, the recipe, a generation, and its publication."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.movie_attributes import attributes_of
from recommender import Ratings
from recommender.errors import DamagedGenerationError
from recommender.generations import current_number, publish, sweep_unfinished, write_generation
from recommender.training import Progress, recipe_for, train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from app.store import Store
    from recommender.attributes import ItemAttributes
    from recommender.training import Recipe


class TrainingRunningError(Exception):
    """Another process trains into the same models directory at this moment."""


@dataclass(frozen=True)
class TrainingReport:
    """What one training made."""

    generation: int
    ratings: int
    users: int
    movies: int
    watermark: int
    metrics: dict[str, float]


def run_training(
    store: Store,
    models_dir: Path,
    now: Callable[[], datetime],
    *,
    recipe: Callable[[Ratings], Recipe] = recipe_for,
    evaluate: bool = True,
    progress: Progress | None = None,
) -> TrainingReport:
    """Train on all that is stored now, and publish the result.

    Parameters
    ----------
    store, models_dir, now
        Where ratings come from, where generations go to, and what time it is.
    recipe
        What to train, given the ratings.
    evaluate, progress
        As in :func:`recommender.training.train`.

    Raises
    ------
    TooFewRatingsError
        When there is nothing to learn from; the current model stays.
    TrainingRunningError
        When another process is at it.
    """
    with _only_one(models_dir):
        sweep_unfinished(models_dir)
        parent = _current(models_dir)
        snapshot = store.snapshot()
        ratings = Ratings.from_frame(snapshot.ratings, timestamp="timestamp")
        chosen = recipe(ratings)
        described = _attributes(store, ratings)
        trained = train(ratings, chosen, evaluate=evaluate, progress=progress, items=described)
        number = write_generation(
            models_dir,
            trained.ranking,
            trained.stars,
            watermark=snapshot.watermark,
            metrics=trained.metrics,
            options=chosen.options(),
            trained_at=now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            parent=parent,
            attributes=trained.attributes,
            trend=trained.trend,
        )
        publish(models_dir, number)
    return TrainingReport(
        number,
        ratings.n_ratings,
        ratings.n_users,
        ratings.n_items,
        snapshot.watermark,
        trained.metrics,
    )


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


@contextmanager
def _only_one(models_dir: Path) -> Iterator[None]:
    """Hold a lock that the kernel lets go of with the process, however it ends."""
    models_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(models_dir / ".training.lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TrainingRunningError(
                f"another process trains into {models_dir} now; wait until it is done"
            ) from None
        yield
    finally:
        os.close(descriptor)
