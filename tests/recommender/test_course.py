"""All that is said of the 4 by 5 example that started the project."""

import numpy as np
import pytest

from recommender import BiasedALS, ImplicitALS
from tests.recommender.worlds import COURSE, course_likes_and_dislikes, course_ticks

SEEDS = range(24)

HARRY_POTTER, TRIPLETS, SHREK, DARK_KNIGHT, MEMENTO = range(5)


def scores(model):
    return model.user_factors.astype(float) @ model.item_factors.astype(float).T


@pytest.mark.parametrize("seed", SEEDS)
def test_when_a_blank_means_dislike_two_factors_reproduce_the_matrix(seed):
    als = BiasedALS(factors=2, biases=False, regularization=1e-9, epochs=40, seed=seed)
    model = als.fit(course_likes_and_dislikes())
    np.testing.assert_allclose(scores(model), 2 * COURSE - 1, atol=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_harry_potter_and_shrek_fall_on_one_point_nearest_to_users_1_and_3_alike(seed):
    als = BiasedALS(factors=2, biases=False, regularization=1e-9, epochs=40, seed=seed)
    model = als.fit(course_likes_and_dislikes())
    films = model.item_factors
    np.testing.assert_allclose(films[HARRY_POTTER], films[SHREK], rtol=1e-3, atol=1e-4)
    # Any basis gives the same dot products; in the balanced one, distances can be read as well.
    left, sigma, right = np.linalg.svd(scores(model))
    users, films = left[:, :2] * np.sqrt(sigma[:2]), right[:2].T * np.sqrt(sigma[:2])
    distances = np.linalg.norm(users - films[SHREK], axis=1)
    nearest = np.argsort(distances)[:2]
    assert sorted(nearest) == [0, 2]
    assert distances[0] == pytest.approx(distances[2], abs=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_when_a_blank_is_unknown_three_factors_rank_every_tick_above_every_blank(seed):
    ranked = scores(ImplicitALS(factors=3, seed=seed).fit(course_ticks()))
    for user in range(4):
        ticks = COURSE[user] == 1
        assert ranked[user, ticks].min() > ranked[user, ~ticks].max() + 0.1


def test_with_two_factors_the_best_minimum_ties_a_tick_and_a_blank():
    """Rank 3 does not fit into a plane: of many starts, the best leaves some row undecided."""
    runs = []
    for seed in SEEDS:
        losses = []
        als = ImplicitALS(factors=2, epochs=300, seed=seed)
        model = als.fit(course_ticks(), lambda _epoch, _seconds, loss, to=losses: to.append(loss))
        runs.append((losses[-1], scores(model)))
    ranked = min(runs, key=lambda run: run[0])[1]
    gaps = [ranked[u, COURSE[u] == 1].min() - ranked[u, COURSE[u] == 0].max() for u in range(4)]
    assert min(gaps) == pytest.approx(0, abs=1e-3)
