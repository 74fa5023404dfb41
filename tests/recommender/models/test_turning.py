"""Turned towards an earlier model, a model scores as before and lies near it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender import BayesianMF, BiasedALS, ImplicitALS, Ratings
from recommender.models.factor_model import FactorModel
from recommender.models.turning import turn_towards
from tests.recommender.worlds import random_ratings


def world(seed=0, n=400):
    return random_ratings(np.random.default_rng(seed), 40, 30, n)


def rotated(model, seed):
    """The same model in other axes, some of them reflected."""
    k = model.n_factors
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((k, k)))[0]
    sides = ((side @ turn).astype(np.float32) for side in (model.user_factors, model.item_factors))
    return FactorModel(*sides, model.ratings, model.objective)


@given(st.integers(0, 10_000), st.integers(1, 8))
@settings(max_examples=20, deadline=None)
def test_it_finds_the_way_back_from_every_rotation(seed, factors):
    before = ImplicitALS(factors, epochs=3, threads=1).fit(world(seed % 7))
    back = turn_towards(rotated(before, seed), before)
    scale = np.abs(before.item_factors).max()
    np.testing.assert_allclose(back.item_factors, before.item_factors, atol=2e-5 * scale)
    np.testing.assert_allclose(back.user_factors, before.user_factors, atol=2e-4)


@pytest.mark.parametrize("kind", [ImplicitALS, BiasedALS])
def test_scores_and_folding_in_stay(kind):
    before = kind(4, seed=1).fit(world())
    model = kind(4, seed=2).fit(world())
    turned = turn_towards(model, before)
    np.testing.assert_allclose(
        turned.user_factors @ turned.item_factors.T,
        model.user_factors @ model.item_factors.T,
        atol=1e-5,
    )
    ids = model.item_ids[:5]
    stars = np.array([5, 4, 3, 2, 1])
    one, other = model.fold_in(ids, stars), turned.fold_in(ids, stars)
    np.testing.assert_allclose(other.recommend(10)[1], one.recommend(10)[1], atol=1e-4)
    pairs = model.user_ids[:9], model.item_ids[:9]
    np.testing.assert_allclose(turned.predict(*pairs), model.predict(*pairs), atol=1e-5)


def test_vectors_move_less_with_more_ratings_of_the_same_world():
    ratings = world()
    keep = np.random.default_rng(0).random(ratings.n_ratings) < 0.95
    before = ImplicitALS(8, seed=1).fit(ratings.select(keep))
    model = ImplicitALS(8, seed=2).fit(ratings)

    def moved(one):
        return np.median(np.linalg.norm(one.item_factors - before.item_factors, axis=1))

    assert moved(turn_towards(model, before)) < 0.5 * moved(model)


def test_users_and_items_are_matched_by_id():
    """The new model has strangers among the old ids, so that nobody is in the row of before."""
    ratings = world()
    before = ImplicitALS(4).fit(ratings)
    more = Ratings.from_arrays(
        np.append(ratings.user_rows, [-1, -2]),
        np.append(ratings.indices, [-3, 0]),
        np.append(ratings.values, [4, 4]),
    )
    strangers = np.random.default_rng(1)
    sides = []
    for ids, known, vectors in (
        (more.users, before.users, before.user_factors),
        (more.items, before.items, before.item_factors),
    ):
        rows = known.rows(ids.ids)
        side = strangers.standard_normal((len(ids), 4)).astype(np.float32)
        side[rows >= 0] = vectors[rows[rows >= 0]]
        sides.append(side)
    model = FactorModel(*sides, more, before.objective)
    turned = turn_towards(rotated(model, 5), before)
    rows = turned.items.rows(before.item_ids)
    np.testing.assert_allclose(turned.item_factors[rows], before.item_factors, atol=1e-5)


def test_what_cannot_be_turned_stays():
    ratings = world()
    model = ImplicitALS(4).fit(ratings)
    assert turn_towards(model, ImplicitALS(5).fit(ratings)) is model
    strangers = Ratings.from_arrays(
        ratings.user_rows + 1000, ratings.indices + 1000, ratings.values
    )
    assert turn_towards(model, ImplicitALS(4).fit(strangers)) is model


def test_a_bayesian_model_keeps_its_predictions():
    ratings = world()
    before = BayesianMF(3, samples=4, seed=1, threads=1).fit(ratings)
    model = BayesianMF(3, samples=4, seed=2, threads=1).fit(ratings)
    turned = turn_towards(model, before)
    asked = model.user_ids[:9], model.item_ids[:9]
    np.testing.assert_allclose(turned.predict(*asked), model.predict(*asked), atol=1e-4)
    for one, other in zip(
        turned.predict_interval(*asked), model.predict_interval(*asked), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-4)
