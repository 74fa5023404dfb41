import numpy as np
import polars as pl
import pytest

from recommender import ImplicitALS, Ratings
from recommender.data.dataset import read_dataset
from recommender.data.splitting import last_of_each_user
from recommender.errors import TooFewRatingsError
from recommender.evaluation.protocols import full_ranking
from recommender.models.baselines import Popularity
from recommender.training import Recipe, train
from tests.recommender.worlds import checkerboard


def with_times(ratings):
    return Ratings.from_arrays(
        ratings.users.ids[ratings.user_rows],
        ratings.items.ids[ratings.indices],
        ratings.values,
        np.random.default_rng(0).permutation(ratings.n_ratings),
    )


class TestFullRanking:
    """The experiment, against a loop over everything."""

    def test_it_is_the_loop(self):
        split = last_of_each_user(with_times(checkerboard(12)), 0.3)
        model = ImplicitALS(factors=2).fit(split.train)
        result = full_ranking(model, split, k=3)
        slow = []
        for user in range(12):
            train_items = set(split.train.of_user(user)[0].tolist())
            relevant = set(split.test.of_user(user)[0].tolist())
            if not relevant:
                continue
            scores = model.item_factors @ model.user_factors[user]
            left = [i for i in range(12) if i not in train_items]
            best = sorted(left, key=lambda item, s=scores: (-s[item], item))[:3]
            slow.append(len(relevant & set(best)) / min(3, len(relevant)))
        np.testing.assert_allclose(result["capped_recall"], slow)

    def test_popularity_ranks_by_count(self):
        ratings = Ratings.from_arrays([0, 1, 2, 0, 1, 0], [5, 5, 5, 6, 6, 7])
        assert Popularity.fit(ratings).score_user(0).tolist() == [3, 2, 1]


class TestTraining:
    def test_the_served_models_are_fitted_on_all_ratings(self):
        ratings = with_times(checkerboard(14))
        trained = train(ratings, Recipe(ImplicitALS(factors=2)))
        assert trained.ranking.ratings.n_ratings == ratings.n_ratings
        direct = ImplicitALS(factors=2).fit(ratings)
        np.testing.assert_array_equal(trained.ranking.user_factors, direct.user_factors)

    def test_the_hold_out_is_measured(self):
        metrics = train(with_times(checkerboard(20)), Recipe(ImplicitALS(factors=2))).metrics
        assert metrics["ndcg_at_10_low"] <= metrics["ndcg_at_10"] <= metrics["ndcg_at_10_high"]
        assert metrics["ndcg_at_10"] > 0.6 > 2 * metrics["popularity_ndcg_at_10"]
        assert metrics["evaluated_users"] == 20

    def test_without_times_or_enough_ratings_nothing_is_measured_and_all_is_trained(self):
        assert train(checkerboard(8), Recipe(ImplicitALS(factors=2))).metrics == {}
        few = Ratings.from_arrays([0, 0, 1, 1], [0, 1, 1, 2], timestamps=[1, 2, 3, 4])
        assert train(few, Recipe(ImplicitALS(factors=2))).metrics == {}

    def test_progress_is_told_phase_by_phase(self):
        told = []
        train(with_times(checkerboard(20)), progress=lambda *step: told.append(step))
        phases = list(dict.fromkeys(phase for phase, _, _ in told))
        assert len(phases) == 3
        for phase in phases:
            steps = [step for step in told if step[0] == phase]
            assert steps[0][1] == 0
            assert steps[-1][1] == steps[-1][2]

    def test_nothing_to_learn_from_is_said(self):
        with pytest.raises(TooFewRatingsError):
            train(Ratings.from_arrays([], []))


def test_on_real_ratings_the_factorization_beats_popularity_by_a_third(movielens_small):
    """Each user's last fifth by time, the full catalogue without the training's movies."""
    frame = read_dataset(movielens_small).ratings
    assert len(frame) == 100_836
    split = last_of_each_user(Ratings.from_frame(frame, timestamp="timestamp"))
    assert split.test.n_ratings == pl.Series(np.diff(Ratings.from_frame(frame).indptr) // 5).sum()
    popular = full_ranking(Popularity.fit(split.train), split)["ndcg"].mean()
    assert popular == pytest.approx(0.087, abs=0.002)
    ours = full_ranking(Recipe().ranking.fit(split.train), split)["ndcg"].mean()
    assert ours >= 1.3 * popular
