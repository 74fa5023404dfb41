"""The gate in a whole training: over a real store, into real generations."""

from __future__ import annotations

import pytest

from app.store import open_store
from app.trainer.records import read_records
from app.trainer.standing import standing_recipe
from app.trainer.training_run import Policy
from recommender import BayesianMF, ImplicitALS
from recommender.errors import TooFewRatingsError
from recommender.generations import (
    current_number,
    generation_path,
    list_generations,
    publish,
    read_manifest,
)
from recommender.training import Recipe, Thresholds
from tests.app.trainer.conftest import RECIPE, planted

WORSE = Recipe(ImplicitALS(factors=1, regularization=1e3, epochs=1, threads=1), RECIPE.stars)


def test_a_worse_recipe_is_refused_and_the_old_model_stays(train, models):
    assert train().published
    report = train(recipe=lambda _: WORSE)
    assert not report.published
    assert "served recipe" in report.reason
    assert current_number(models) == 1
    manifest = read_manifest(generation_path(models, 2))
    assert manifest.is_refused
    assert manifest.reason == report.reason
    assert (manifest.parent, manifest.metrics) == (1, report.metrics)
    record = read_records(models)[0]
    assert (record.outcome, record.generation) == ("refused", 2)
    assert record.reason == report.reason


def test_shuffled_ratings_are_refused(train, models, data_dir):
    """The same recipe on ratings that make no sense: only what was measured before sees it."""
    train()
    with open_store(None, data_dir) as store:
        for movie in range(40):
            store.delete_movie(f"m{movie:02}").result()
        store.import_dataset(planted(shuffled=True))
    report = train()
    assert not report.published
    assert "when it was trained" in report.reason
    assert current_number(models) == 1


def test_it_is_published_by_force_and_says_so(train, models):
    train()
    report = train(recipe=lambda _: WORSE, policy=Policy(force=True))
    assert report.published
    assert "served recipe" in report.reason
    assert current_number(models) == 2
    manifest = read_manifest(generation_path(models, 2))
    assert not manifest.is_refused
    assert "although" in manifest.note


def test_without_a_model_the_first_is_published_however_bad(train, models):
    report = train(recipe=lambda _: WORSE)
    assert report.published
    assert report.reason is None
    assert current_number(models) == 1


def test_with_every_tolerance_nothing_is_refused_for_its_figure(train, models):
    train()
    anything = Policy(Thresholds(tolerance=1.0, kept_share=0.0))
    reason = train(recipe=lambda _: WORSE, policy=anything).reason or ""
    assert "served" not in reason


def test_users_that_are_lost_are_told(train, models, data_dir):
    train()
    with open_store(None, data_dir) as store:
        for user in range(40):
            for record in store.ratings_of(f"u{user:02}", None, 100):
                store.delete_rating(record.user_id, record.movie_id).result()
    report = train()
    assert not report.published
    assert "20 of the 60 users" in report.reason


def test_a_roll_back_during_a_training_is_not_undone(train, models):
    train()
    train()

    def roll_back(phase, _done, _total):
        if phase == "training on all ratings":
            publish(models, 1)

    report = train(progress=roll_back)
    assert not report.published
    assert "activated while" in report.reason
    assert current_number(models) == 1


def test_a_current_generation_that_is_damaged_is_nothing_to_compare_with(train, models):
    train()
    victim = generation_path(models, 1) / "ranking.item_factors.npy"
    victim.write_bytes(victim.read_bytes()[:-4])
    assert train(recipe=lambda _: WORSE).published


def test_old_generations_are_swept(train, models):
    for _ in range(4):
        train(policy=Policy(keep=2))
    assert [m.generation for m in list_generations(models)] == [4, 3]


class TestWhatIsTrainedByItself:
    def test_options_by_size_are_chosen_anew(self, train, models):
        assert standing_recipe(models)[1] is False
        train()
        assert standing_recipe(models)[1] is False

    @pytest.mark.parametrize("stars", [RECIPE.stars, BayesianMF(factors=2, samples=2, threads=1)])
    def test_options_that_somebody_chose_are_taken_again(self, train, models, stars):
        chosen = Recipe(RECIPE.ranking, stars)
        train(recipe=lambda _: chosen, tuned=True)
        recipe, tuned = standing_recipe(models)
        assert tuned
        assert recipe(None) == chosen

    def test_after_a_roll_back_they_are_those_of_what_serves(self, train, models):
        train()
        train(tuned=True)
        publish(models, 1)
        assert standing_recipe(models)[1] is False


class TestPoisonedData:
    """A state that says what is wrong, and the old model stays."""

    def replaced(self, data_dir, rows):
        with open_store(None, data_dir) as store:
            for movie in range(40):
                store.delete_movie(f"m{movie:02}").result()
            if len(rows):
                store.import_dataset(rows)

    @pytest.mark.parametrize("users", [0, 1])
    def test_too_few_ratings(self, train, models, data_dir, users):
        train()
        self.replaced(data_dir, planted()[: 8 * users])
        with pytest.raises(TooFewRatingsError):
            train()
        record = read_records(models)[0]
        assert (record.state, record.outcome) == ("ended", "failed")
        assert "user" in record.reason
        assert current_number(models) == 1

    def test_all_ratings_equal(self, train, models, data_dir):
        train()
        self.replaced(data_dir, planted().with_columns(rating=4.0))
        assert train().published
        assert read_records(models)[0].metrics["rmse"] == pytest.approx(0, abs=1e-3)
