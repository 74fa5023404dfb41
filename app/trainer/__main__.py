"""The process that trains for a server: ``python -m app.trainer TRAINING DESCRIPTOR PARENT``.

It is started by :mod:`app.trainer.launcher`, which hands it the lock as an open file. Settings
come from the environment.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.settings import Settings
from app.store import StoreError, open_store
from app.telemetry import configure_logging
from app.trainer.manners import step_back, watch
from app.trainer.progress import TrainingProgress
from app.trainer.standing import standing_recipe
from app.trainer.training_run import Policy, train_and_publish
from recommender.errors import RecommenderError
from recommender.training import prepare

if TYPE_CHECKING:
    from types import FrameType

logger = logging.getLogger(__name__)


def main() -> None:
    """Train once; the record says what came of it."""
    training, descriptor, parent = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.set_inheritable(descriptor, False)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the server, which stops us
    settings = Settings.load()
    configure_logging(settings)
    step_back()
    steps = TrainingProgress.adopt(settings.models_path, _now, training, descriptor)
    fields = {"training": training}

    def too_much(mib: int) -> None:
        reason = (
            f"it took {mib:,} MiB of memory; TRAIN_MEMORY_MIB allows {settings.train_memory_mib:,}"
        )
        steps.end("failed", reason=reason)
        logger.error("training ended: %s", reason, extra={"fields": fields})

    try:
        with steps:
            watch(settings.train_memory_mib, too_much, parent)
            recipe, tuned = standing_recipe(settings.models_path)
            prepare()
            with open_store(settings.database, settings.data_dir, read_only=True) as store:
                report = train_and_publish(
                    steps, store, _now, recipe=recipe, tuned=tuned, policy=Policy.of(settings)
                )
    except (RecommenderError, StoreError, OSError) as error:
        logger.error("training failed: %s", error, extra={"fields": fields})  # noqa: TRY400
        sys.exit(1)
    fields |= {"generation": str(report.generation)}
    if report.published:
        logger.info("trained and published", extra={"fields": fields})
    else:
        logger.warning("training refused: %s", report.reason, extra={"fields": fields})


def _now() -> datetime:
    return datetime.now(UTC)


def _stop(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
