"""Scores that trainings stop by: one NDCG and one RMSE, by hand."""

import numpy as np
import pytest

from recommender import BiasedALS, ImplicitALS, Ratings
from recommender.data.splitting import Split
from recommender.errors import InvalidInputError, TooFewRatingsError
from recommender.evaluation.protocols import full_ranking
from recommender.evaluation.validation import ranking_score, star_score
from tests.recommender.worlds import checkerboard, low_rank_stars


@pytest.fixture(scope="module")
def board():
    ratings = checkerboard(20)
    held = np.arange(ratings.n_ratings) % 6 == 0
    return Split(ratings.select(~held), ratings.select(held))


@pytest.fixture(scope="module")
def stars():
    ratings = low_rank_stars(60, 40, noise=0.5)
    held = np.random.default_rng(0).random(ratings.n_ratings) < 0.3
    return Split(ratings.select(~held), ratings.select(held))


def six_lines(model, split, n):
    """NDCG of each user with something held out."""
    gains = []
    for user in range(split.test.n_users):
        relevant = split.test.of_user(user)[0]
        scores = model.item_factors.astype(float) @ model.user_factors[user].astype(float)
        scores[split.train.of_user(user)[0]] = -np.inf
        hits = np.isin(np.argsort(-scores)[:n], relevant) / np.log2(np.arange(2, n + 2))
        if len(relevant):
            gains.append(hits.sum() / (1 / np.log2(np.arange(2, min(n, len(relevant)) + 2))).sum())
    return np.mean(gains)


@pytest.mark.parametrize("n", [1, 3, 10])
def test_ranking_is_scored_by_the_mean_ndcg(stars, n):
    """Of stars, so that lists are neither all right nor all wrong."""
    model = ImplicitALS(factors=3, weighting="uniform").fit(stars.train)
    score = ranking_score(stars.test, n)(model)
    assert 0 < score < 1
    assert score == pytest.approx(six_lines(model, stars, n))


def test_some_users_stand_for_all(stars):
    model = ImplicitALS(factors=3).fit(stars.train)
    each = full_ranking(model, stars)["ndcg"]
    of_all = ranking_score(stars.test, max_users=None)(model)
    assert of_all == pytest.approx(each.mean())
    assert ranking_score(stars.test, max_users=60)(model) == of_all
    few = ranking_score(stars.test, max_users=5, seed=1)
    assert few(model) == few(model) == ranking_score(stars.test, max_users=5, seed=1)(model)
    assert few(model) != of_all
    seeds = {ranking_score(stars.test, max_users=5, seed=seed)(model) for seed in range(5)}
    assert len(seeds) > 1
    one = {ranking_score(stars.test, max_users=1, seed=seed)(model) for seed in range(30)}
    assert one <= {float(gain) for gain in each}


def test_stars_are_scored_by_the_error_within_the_scale(stars):
    model = BiasedALS(factors=10, regularization=0.001).fit(stars.train)
    test = stars.test
    predicted = model.predict(test.users.ids[test.user_rows], test.items.ids[test.indices])
    low, high = stars.train.values.min(), stars.train.values.max()
    clipped = np.clip(predicted, low, high)
    assert (clipped != predicted).any()
    expected = -np.sqrt(np.mean((clipped.astype(float) - test.values) ** 2))
    assert star_score(test)(model) == pytest.approx(expected)


def test_the_scale_is_that_of_the_ratings_that_are_left(stars):
    """After a selection some values have no rating any more."""
    ratings = Ratings.from_arrays([0, 0, 1, 1, 2], [0, 1, 0, 1, 0], [4, 4, 3, 3, 1])
    train = ratings.select(ratings.values > 1)
    held_out = ratings.select(ratings.values == 1)
    score = star_score(held_out)(BiasedALS(factors=1).fit(train))
    assert score <= -2  # nothing below 3 can be predicted


def test_a_training_stops_by_them(board, stars):
    told, seen = [], []
    judge = ranking_score(board.test)

    def validate(model):
        seen.append(judge(model))
        return seen[-1]

    ImplicitALS(factors=2, epochs=50).fit(
        board.train, lambda epoch, *_: told.append(epoch), validate=validate, patience=2
    )
    assert len(told) == len(seen) < 50
    assert max(seen) == max(seen[:-2]) > 0.4  # by chance it is half of that
    # Hardly regularized, stars are soon learned by heart.
    tight = BiasedALS(factors=10, regularization=0.001, epochs=30)
    watched = tight.fit(stars.train, validate=star_score(stars.test), patience=2)
    score = star_score(stars.test)
    assert score(watched) > score(tight.fit(stars.train)) + 0.01


def test_unknown_users_and_items_fall_back_to_what_is_known(stars):
    model = BiasedALS(factors=2).fit(stars.train)
    strangers = Ratings.from_arrays([10_000], [20_000], [model.global_bias])
    assert star_score(strangers)(model) == pytest.approx(0, abs=1e-6)


def test_a_ranking_of_other_users_or_items_is_refused(board, stars):
    model = ImplicitALS(factors=2).fit(board.train)
    with pytest.raises(InvalidInputError, match="other users than the training: 60 and 20"):
        ranking_score(stars.test)(model)
    users, items = np.divmod(np.arange(100), 5)
    with pytest.raises(InvalidInputError, match="other items than the training: 5 and 20"):
        ranking_score(Ratings.from_arrays(users, items))(model)


@pytest.mark.parametrize("score", [ranking_score, star_score])
def test_nothing_held_out_is_refused(board, score):
    nothing = board.test.select(np.zeros(board.test.n_ratings, bool))
    with pytest.raises(TooFewRatingsError, match="no ratings are held out"):
        score(nothing)


@pytest.mark.parametrize("wrong", [{"n": 0}, {"max_users": 0}, {"max_users": 2.5}])
def test_senseless_numbers_are_refused(board, wrong):
    with pytest.raises(InvalidInputError, match="at least 1"):
        ranking_score(board.test, **wrong)
