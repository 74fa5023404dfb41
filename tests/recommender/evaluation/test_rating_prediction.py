"""Rating prediction: by hand, equal to the metrics, clipped, with fallbacks counted."""

import math

import numpy as np
import pytest
from hypothesis import given, settings

from recommender import BiasedALS, Ratings
from recommender.errors import InvalidInputError, TooFewRatingsError
from recommender.evaluation import metrics
from recommender.evaluation import rating_prediction as module
from recommender.evaluation.protocols import rating_prediction as predict_ratings
from recommender.evaluation.significance import bootstrap_rmse
from tests.recommender.evaluation.experiments import pairs, random_experiment
from tests.recommender.worlds import low_rank_stars, seeds


class Guesses:
    """Predicts a number that depends on the pair, sometimes beyond the scale."""

    def predict(self, user_ids, item_ids):
        return ((user_ids * 7 + item_ids * 3) % 13 / 2).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_it_is_the_metrics_over_all_pairs(seed):
    train, test, _ = random_experiment(seed)
    known = pairs(train)
    rows = [
        (user, item, stars)
        for user, rated in pairs(test).items()
        for item, stars in rated.items()
        if item not in known.get(user, {})
    ]
    users, items, stars = map(np.array, zip(*rows, strict=True))
    low, high = train.values.min(), train.values.max()
    raw = Guesses().predict(users, items)
    clipped = np.clip(raw, low, high)
    outcome = predict_ratings(Guesses(), train, test)
    assert outcome.value("rmse") == pytest.approx(metrics.rmse(clipped, stars))
    assert outcome.value("mae") == pytest.approx(metrics.mae(clipped, stars))
    expected = metrics.calibration_error(clipped, stars, 10)
    assert outcome.value("calibration_error") == pytest.approx(expected)
    assert outcome.n_users == len(set(users.tolist()))
    assert outcome.counts == {
        "test_ratings": test.n_ratings,
        "test_users": len(pairs(test)),
        "already_known": test.n_ratings - len(rows),
        "ratings_of_unknown_users": sum(user not in known for user in users.tolist()),
        "ratings_of_unknown_items": sum(item not in train.items for item in items.tolist()),
        "clipped": int((raw != clipped).sum()),
    }


def test_by_hand():
    """The mean is 3; users 1 and 2 give one more and one less, items nothing."""
    train = Ratings.from_arrays([1, 1, 2, 2], [1, 2, 1, 2], [4, 4, 2, 2])

    class Means:
        def predict(self, user_ids, item_ids):
            return np.where(user_ids == 1, 4, np.where(user_ids == 2, 1.5, 3)).astype(np.float32)

    test = Ratings.from_arrays([1, 2, 8], [3, 3, 1], [4, 3, 1])
    outcome = predict_ratings(Means(), train, test)
    # 1.5 is below the scale of the training, and becomes 2.
    assert outcome.value("rmse") == pytest.approx(math.sqrt((0 + 1 + 4) / 3))
    assert outcome.value("mae") == pytest.approx((0 + 1 + 2) / 3)
    assert outcome.settings["clipped_to"] == [2, 4]
    assert outcome.counts["ratings_of_unknown_users"] == 1
    assert outcome.counts["ratings_of_unknown_items"] == 2


def test_the_scale_is_that_of_ratings_that_are_there():
    """After a selection some values and ids have no ratings any more."""
    ratings = Ratings.from_arrays([0, 0, 1, 1, 2], [0, 1, 0, 1, 0], [4, 4, 3, 3, 1])
    train, test = ratings.select(ratings.values > 1), ratings.select(ratings.values == 1)
    outcome = predict_ratings(BiasedALS(factors=1).fit(train), train, test)
    assert outcome.settings["clipped_to"] == [3, 4]
    assert outcome.counts["ratings_of_unknown_users"] == 1


def test_the_interval_draws_users_with_all_their_ratings():
    ratings = low_rank_stars(60, 40, noise=0.5)
    held = np.random.default_rng(0).random(ratings.n_ratings) < 0.3
    train, test = ratings.select(~held), ratings.select(held)
    outcome = predict_ratings(BiasedALS(factors=2).fit(train), train, test)
    interval = bootstrap_rmse(outcome.columns["squared_error"], outcome.columns["ratings"])
    assert outcome.value("rmse") == pytest.approx(interval.mean)
    low, high = np.quantile(outcome.resampled(4_000)["rmse"], (0.025, 0.975))
    assert low == pytest.approx(interval.low, abs=0.01)
    assert high == pytest.approx(interval.high, abs=0.01)


def test_blocks_do_not_matter(monkeypatch):
    train, test, _ = random_experiment(6)
    before, told = predict_ratings(Guesses(), train, test).values(), []
    monkeypatch.setattr(module, "_AT_ONCE", 7)
    after = predict_ratings(Guesses(), train, test, progress=lambda *step: told.append(step))
    assert after.values() == before
    assert told[0] == ("predicting", 0, told[-1][2])
    assert told[-1][1] == told[-1][2]


def test_what_cannot_be_judged_is_refused():
    train, test, _ = random_experiment(6)
    with pytest.raises(TooFewRatingsError, match="the training has them all"):
        predict_ratings(Guesses(), train, train)
    with pytest.raises(TooFewRatingsError, match="no scale to clip to"):
        predict_ratings(Guesses(), train.select(np.zeros(train.n_ratings, bool)), test)

    class Broken:
        def predict(self, user_ids, item_ids):
            return np.where(np.arange(len(user_ids)) == 5, np.nan, 3).astype(np.float32)

    with pytest.raises(InvalidInputError, match=r"user \d+ and item \d+ is not finite"):
        predict_ratings(Broken(), train, test)
