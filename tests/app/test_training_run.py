from datetime import UTC, datetime

import polars as pl
import pytest

from app.store import open_store
from app.trainer.lock import TrainingLock, TrainingRunningError
from app.trainer.training_run import run_training
from recommender import load_generation
from recommender.generations import list_generations, publish


@pytest.fixture
def store(tmp_path):
    with open_store(None, tmp_path) as opened:
        rows = [(f"u{u}", f"m{m}", 4.0) for u in range(6) for m in range(6) if (u + m) % 2]
        opened.import_dataset(pl.DataFrame(rows, ["user", "item", "rating"], orient="row"))
        yield opened


def train(store, models):
    return run_training(store, models, lambda: datetime(2026, 11, 23, tzinfo=UTC), evaluate=False)


def test_the_generation_says_what_it_has_seen_and_what_came_before(store, tmp_path):
    models = tmp_path / "models"
    assert train(store, models).generation == 1
    store.put_rating("u0", "m1", 1.0, 5).result()
    report = train(store, models)
    assert (report.generation, report.ratings, report.watermark) == (2, 18, 19)
    manifest = load_generation(models).manifest
    assert (manifest.parent, manifest.watermark) == (1, 19)
    assert manifest.trained_at == "2026-11-23T00:00:00Z"


def test_a_pointer_that_cannot_be_read_is_mended_by_training(store, tmp_path):
    models = tmp_path / "models"
    train(store, models)
    (models / "CURRENT").write_text("x")
    assert train(store, models).generation == 2
    assert load_generation(models).number == 2


def test_what_a_killed_training_left_is_swept(store, tmp_path):
    models = tmp_path / "models"
    (models / ".writing-killed").mkdir(parents=True)
    (models / ".writing-killed" / "half.npy").write_bytes(b"x")
    (models / ".current-killed").write_text("3")
    train(store, models)
    assert sorted(path.name for path in models.iterdir()) == [
        ".training.lock", "CURRENT", "gen-000001", "trainings",
    ]  # fmt: skip


def test_two_at_once_is_refused_and_the_lock_goes_with_its_holder(store, tmp_path):
    models = tmp_path / "models"
    with TrainingLock.take(models), pytest.raises(TrainingRunningError, match="another process"):
        train(store, models)
    assert train(store, models).generation == 1


def test_an_earlier_generation_can_be_published_again(store, tmp_path):
    models = tmp_path / "models"
    train(store, models)
    train(store, models)
    publish(models, 1)
    assert load_generation(models).number == 1
    assert [manifest.generation for manifest in list_generations(models)] == [2, 1]
