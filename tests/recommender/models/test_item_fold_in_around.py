"""Folding an item in around what something else says of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender import BayesianMF, BiasedALS, ImplicitALS
from recommender.errors import InvalidInputError
from recommender.models.item_vector import ItemVector
from tests.recommender.worlds import low_rank_stars, random_ratings, seeds

MODELS = [
    ImplicitALS(3, epochs=3),
    BiasedALS(2, epochs=3),
    BiasedALS(2, epochs=3, biases=False),
    BayesianMF(2, 4),
]


@pytest.fixture(scope="module", params=MODELS, ids=["implicit", "biased", "no biases", "bayesian"])
def model(request):
    return request.param.fit(low_rank_stars(30, 20))


def test_until_it_is_rated_it_is_that(model):
    around = ItemVector(np.linspace(-1, 1, model.n_factors, dtype=np.float32), 0.25)
    folded = model.fold_in_item([], [], around)
    np.testing.assert_allclose(folded.vector, around.vector, atol=1e-5)
    expected = 0.25 if model.item_biases is not None else 0
    assert folded.bias == pytest.approx(expected, abs=1e-5)


def test_the_more_ratings_the_less_it_counts(model):
    rng = np.random.default_rng(0)
    k = model.n_factors
    around = ItemVector(np.full(k, 3, np.float32), 0.0)
    away = []
    for n in (1, 5, 30):
        users = np.arange(n)
        values = rng.uniform(1, 5, n).astype(np.float32)
        with_, without = (
            model.fold_in_item_rows(users, values, centre) for centre in (around, None)
        )
        away.append(np.linalg.norm(with_.vector - without.vector))
    assert away[0] > away[1] > away[2]


@given(seed=seeds, n=st.integers(1, 12), alpha=st.sampled_from([0.0, 0.3]))
@settings(max_examples=20)
def test_it_is_the_least_of_what_it_says(seed, n, alpha):
    """In float64: unrated pairs should score what the vector says, rated ones 1."""
    rng = np.random.default_rng(seed)
    model = ImplicitALS(3, 0.05, alpha, epochs=2, seed=seed % 1000).fit(
        random_ratings(rng, n_users=12, n_items=15, n=90)
    )
    W = model.user_factors.astype(float)
    n = min(n, len(W))
    users = np.sort(rng.permutation(len(W))[:n]).astype(np.int64)
    stars = rng.integers(1, 11, n).astype(np.float32) / 2
    a = rng.normal(size=3).astype(np.float32)
    folded = model.fold_in_item_rows(users, stars, ItemVector(a, 0.0))
    y, a = folded.vector.astype(float), a.astype(float)
    gradient = 0.05 * (n + 20 + alpha * len(W)) * (y - a)
    for w in W:
        gradient += alpha * (w @ (y - a)) * w
    for user, c in zip(users, model.objective.weights(stars), strict=True):
        gradient += float(c) * (W[user] @ y - 1) * W[user]
    scale = 1 + np.abs(W).max() ** 2 * n * float(model.objective.weights(stars).max())
    np.testing.assert_allclose(gradient / scale, 0, atol=2e-4)


def test_with_stars_the_biases_stay_out_of_it():
    model = BiasedALS(2, epochs=3).fit(low_rank_stars(30, 20))
    users, stars = np.arange(4), np.array([5, 4, 1, 2], np.float32)
    a = np.array([0.5, -0.3, 0.2])
    folded = model.fold_in_item_rows(users, stars, ItemVector(a[:2].astype("f4"), 0.2))
    y = np.append(folded.vector, np.float32(folded.bias)).astype(float)
    gradient = 0.1 * (4 + 20) * (y - a)
    for user, r in zip(users, stars, strict=True):
        x = np.append(model.user_factors[user], 1).astype(float)
        base = model.global_bias + float(model.user_biases[user])
        gradient += (x @ y + base - r) * x
    np.testing.assert_allclose(gradient, 0, atol=2e-4)


def test_the_model_is_not_touched(model):
    before = model.fold_in_item([0, 1], [5, 1]).vector
    around = ItemVector(np.ones(model.n_factors, np.float32), 1.0)
    model.fold_in_item([0, 1], [5, 1], around)
    np.testing.assert_array_equal(model.fold_in_item([0, 1], [5, 1]).vector, before)


@pytest.mark.parametrize("bias", [0.0, np.nan])
def test_what_is_no_item_of_the_model_is_refused(model, bias):
    k = model.n_factors + (bias == 0)
    with pytest.raises(InvalidInputError, match=r"around a vector of \d finite numbers"):
        model.fold_in_item([0], [5], ItemVector(np.zeros(k, np.float32), bias))
