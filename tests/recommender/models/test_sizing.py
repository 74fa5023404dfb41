"""Defaults by the size of the data: in range, steady, and better than one for all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender import BiasedALS, ImplicitALS, Ratings
from recommender.data.splitting import last_of_each_user
from recommender.data.synthetic import Shape, planted_ratings
from recommender.errors import TooFewRatingsError
from recommender.evaluation.protocols import full_ranking, rating_prediction
from recommender.models.sizing import RANGES, regularization_for
from recommender.training import Recipe, recipe_for

counts = st.integers(1, 10**9)


@given(counts, counts, counts)
def test_whatever_the_size_it_is_in_the_range_of_the_model(n_users, n_items, n_ratings):
    found = regularization_for(n_users, n_items, n_ratings)
    assert found.keys() == RANGES.keys()
    for name, value in found.items():
        assert RANGES[name][0] <= value <= RANGES[name][1]


@given(counts, counts, counts, st.integers(1, 10**6))
def test_more_of_everything_is_held_less(n_users, n_items, n_ratings, more):
    before = regularization_for(n_users, n_items, n_ratings)
    users = regularization_for(n_users + more, n_items, n_ratings)
    ratings = regularization_for(n_users, n_items, n_ratings + more)
    assert users["implicit-als"] <= before["implicit-als"]
    assert ratings["biased-als"] <= before["biased-als"]
    assert regularization_for(n_items, n_users, n_ratings) == before


@pytest.mark.parametrize("shape", [Shape(300, 400, 9_000), Shape(2_000, 519, 80_000)], ids=repr)
def test_on_planted_worlds_it_beats_one_for_all(shape):
    frame = planted_ratings(shape, 3, timestamps=True).to_frame()
    split = last_of_each_user(Ratings.from_frame(frame, timestamp="timestamp"))
    fixed, sized = Recipe(), recipe_for(split.train)
    gains = [full_ranking(r.ranking.fit(split.train), split)["ndcg"].mean() for r in (fixed, sized)]
    assert gains[1] > 1.15 * gains[0]
    errors = [
        rating_prediction(r.stars.fit(split.train), split.train, split.test).value("rmse")
        for r in (fixed, sized)
    ]
    assert errors[1] < errors[0]


def test_the_recipe_is_the_default_but_for_regularization():
    frame = planted_ratings(Shape(60, 50, 900), 0).to_frame()
    recipe, base = recipe_for(Ratings.from_frame(frame)), Recipe()
    assert recipe.ranking == ImplicitALS(**base.ranking.options() | {"regularization": 0.03})
    assert recipe.stars.regularization == 0.16
    assert BiasedALS(**recipe.stars.options() | {"regularization": 0.1}) == base.stars


def test_nothing_to_learn_from_is_said():
    with pytest.raises(TooFewRatingsError, match="no ratings"):
        recipe_for(Ratings.from_arrays([], []))
