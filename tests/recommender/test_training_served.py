"""Training beside a generation that serves: where it begins, what it is compared with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender import BiasedALS, ImplicitALS, Ratings
from recommender.generations import generation_path, load_generation, write_generation
from recommender.training import Recipe, train
from recommender.training.recipe import is_same, served_ranking
from tests.recommender.test_training import with_times
from tests.recommender.worlds import checkerboard

RECIPE = Recipe(ImplicitALS(factors=4, epochs=6, threads=1), BiasedALS(factors=2, epochs=6))
RATINGS = with_times(checkerboard(20))


@pytest.fixture
def served(tmp_path):
    return serve(tmp_path, train(RATINGS, RECIPE), RECIPE)


def serve(folder, trained, recipe, **known):
    number = write_generation(
        folder, trained.ranking, trained.stars, watermark=1, metrics=trained.metrics,
        options=recipe.options(), trained_at="2026-11-24T00:00:00Z", **known,
    )  # fmt: skip
    return load_generation(generation_path(folder, number))


def phases(**options):
    told = []
    train(RATINGS, progress=lambda *step: told.append(step), **options)
    return {phase: total for phase, _, total in told}


def test_a_warm_training_takes_half_the_epochs_and_a_hold_out_begins_anew(served):
    cold, warm = phases(recipe=RECIPE), phases(recipe=RECIPE, served=served)
    assert cold["training on all ratings"] == 12
    assert warm["training on all ratings"] == 6
    assert warm["training on the past"] == cold["training on the past"] == 12
    assert phases(recipe=RECIPE, served=served, warm=False) == cold


def test_the_hold_out_knows_nothing_of_what_serves(served):
    """What serves has seen the ratings that are held out: not a digit may change."""
    alone, beside = train(RATINGS, RECIPE), train(RATINGS, RECIPE, served=served)
    assert alone.metrics == beside.metrics


def test_vectors_are_those_of_the_same_axes(served):
    other = Recipe(replace(RECIPE.ranking, seed=9), replace(RECIPE.stars, seed=9))
    cold = train(RATINGS, other, served=served, warm=False, evaluate=False)
    new, old = cold.ranking, served.ranking
    cross = new.item_factors.T.astype(float) @ old.item_factors.astype(float)
    cross += new.user_factors.T.astype(float) @ old.user_factors.astype(float)
    # Of all rotations the one that makes this symmetric and positive brings them nearest.
    rounding = 1e-3 * np.abs(cross).max()
    np.testing.assert_allclose(cross, cross.T, atol=rounding)
    assert np.linalg.eigvalsh((cross + cross.T) / 2).min() > -rounding


def test_another_number_of_factors_or_strangers_begin_anew(served):
    wider = Recipe(replace(RECIPE.ranking, factors=5), RECIPE.stars)
    assert phases(recipe=wider, served=served)["training on all ratings"] == 9
    elsewhere = with_times(checkerboard(40))
    told = []
    train(elsewhere, RECIPE, served=served, progress=lambda *step: told.append(step))
    assert next(total for phase, _, total in told if phase == "training on all ratings") == 12


def test_the_recipe_that_serves_is_tried_only_where_it_is_another(served):
    assert "training the served recipe on the past" not in phases(recipe=RECIPE, served=served)
    other = Recipe(replace(RECIPE.ranking, unobserved_weight=0.9), RECIPE.stars)
    trained = train(RATINGS, other, served=served)
    assert trained.metrics["served_ndcg_at_10"] == pytest.approx(
        train(RATINGS, RECIPE).metrics["ndcg_at_10"]
    )


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"seed": 5}, True),
        ({"threads": 2}, True),
        ({"regularization": 0.0031}, True),  # as the size of the data moves it
        ({"regularization": 0.006}, False),
        ({"factors": 65}, False),
        ({"momentum": False}, False),
    ],
)
def test_which_recipes_are_the_same(change, same):
    assert is_same(ImplicitALS(), replace(ImplicitALS(), **change)) is same


@pytest.mark.parametrize(
    "options", [{}, {"ranking": None}, {"ranking": {"factors": 0}}, {"ranking": {"loud": 1}}]
)
def test_options_that_cannot_be_read_are_compared_with_nothing(served, options):
    manifest = replace(served.manifest, options=options)
    assert served_ranking(replace(served, manifest=manifest)) is None
    train(RATINGS, RECIPE, served=replace(served, manifest=manifest))


def popular_movies_for_everybody():
    """Nobody has a taste: each user rates what many rate."""
    chance = np.random.default_rng(4)
    weights = 1 / np.arange(1, 81)
    picks = [chance.choice(80, 15, replace=False, p=weights / weights.sum()) for _ in range(300)]
    users = np.repeat(np.arange(300), 15)
    return Ratings.from_arrays(users, np.concatenate(picks), timestamps=np.arange(4500))


def test_who_finds_taste_where_there_is_none_is_refused_unless_nobody_serves(served):
    """The served one is of another world, and small: of it nothing is lost."""
    overfitted = Recipe(
        ImplicitALS(factors=40, regularization=1e-6, epochs=6, threads=1), RECIPE.stars
    )
    world = popular_movies_for_everybody()
    alone = train(world, overfitted)
    assert not alone.verdict.is_refusal
    assert any("popularity" in note for note in alone.verdict.notes)
    beside = train(world, overfitted, served=served)
    assert any("popularity" in reason for reason in beside.verdict.reasons)
