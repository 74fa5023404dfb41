import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender import ImplicitALS
from recommender.errors import InvalidOptionError
from recommender.models.alternation import Side
from recommender.models.implicit_als import implicit_loss
from recommender.solvers import reference
from tests.contracts.model_contract import ModelContract
from tests.recommender.worlds import checkerboard, random_ratings, seeds


class TestImplicitALSKeepsTheContract(ModelContract):
    def ratings(self):
        return checkerboard(14)

    def fit(self, ratings, callback=None, track_loss=True, **options):
        return ImplicitALS(**{"factors": 3, "threads": 2} | options).fit(
            ratings, callback, track_loss=track_loss
        )


alphas = st.sampled_from([0.0, 0.1, 1.0])
scalings = st.sampled_from([0.0, 0.5, 1.0])


@given(seeds)
@settings(max_examples=10)
def test_on_a_checkerboard_everyone_is_offered_the_own_colour(seed):
    model = ImplicitALS(factors=2, seed=seed).fit(checkerboard(20))
    for user in range(20):
        ids, _ = model.recommend(user, 1)
        assert ids[0] == user  # the one item of the own colour that is left


@given(seed=seeds, alpha=alphas, scaling=scalings, weighting=st.sampled_from(["stars", "uniform"]))
@settings(max_examples=20)
def test_after_the_last_half_step_the_gradient_by_the_users_is_zero(
    seed, alpha, scaling, weighting
):
    ratings = random_ratings(np.random.default_rng(seed))
    als = ImplicitALS(4, 0.05, alpha, scaling, epochs=3, seed=seed % 1000, weighting=weighting)
    model = als.fit(ratings)
    weights = model.objective.weights(ratings.values)
    ridge = reference.implicit_ridge(ratings.by_user, 0.05, alpha, scaling)
    gradient = reference.implicit_gradient(
        ratings.by_user, weights, model.user_factors, model.item_factors, alpha, ridge
    )
    scale = max(1.0, float(np.abs(model.item_factors).max()) ** 2)
    np.testing.assert_allclose(gradient / scale, 0, atol=2e-4)


@given(seed=seeds, alpha=alphas, scaling=scalings)
@settings(max_examples=20)
def test_the_loss_is_that_of_the_reference(seed, alpha, scaling):
    rng = np.random.default_rng(seed)
    ratings = random_ratings(rng)
    objective = ImplicitALS(4, 0.05, alpha, scaling).objective(ratings)
    users = Side.of(ratings.by_user, objective, 2)
    items = Side.of(ratings.by_item, objective, 2)
    W = rng.normal(size=(ratings.n_users, 4)).astype(np.float32)
    H = rng.normal(size=(ratings.n_items, 4)).astype(np.float32)
    expected = reference.implicit_loss(
        ratings.by_user,
        users.weights,
        W,
        H,
        alpha,
        reference.implicit_ridge(ratings.by_user, 0.05, alpha, scaling),
        reference.implicit_ridge(ratings.by_item, 0.05, alpha, scaling),
    )
    assert implicit_loss(users, items, W, H, objective) == pytest.approx(expected, rel=1e-4)


@given(seed=seeds)
@settings(max_examples=10)
def test_swapping_users_and_items_swaps_the_half_steps(seed):
    rng = np.random.default_rng(seed)
    ratings = random_ratings(rng)
    objective = ImplicitALS(3).objective(ratings)
    still = rng.normal(size=(ratings.n_items, 3)).astype(np.float32)
    no_biases = np.zeros(50, np.float32)
    turned, _ = ratings.by_item.order_by_column()
    solved = []
    for matrix in (ratings.by_user, turned):  # the transpose of the transpose
        out = np.empty((ratings.n_users, 3), np.float32)
        Side.of(matrix, objective, 1).solve(objective, still, no_biases, out)
        solved.append(out)
    np.testing.assert_array_equal(*solved)


def test_stars_count():
    """Two who saw the same films: the one who hated half of them is offered other films."""
    ratings = checkerboard(20)
    model = ImplicitALS(factors=2, weighting="stars").fit(ratings)
    evens, odds = [0, 2, 4], [1, 3, 5]
    lover = model.fold_in(evens + odds, [1.5, 1.5, 1.5, 0.1, 0.1, 0.1])
    other = model.fold_in(evens + odds, [0.1, 0.1, 0.1, 1.5, 1.5, 1.5])
    assert all(item % 2 == 0 for item in lover.recommend(5)[0])
    assert all(item % 2 == 1 for item in other.recommend(5)[0])
    blind = ImplicitALS(factors=2, weighting="uniform").fit(ratings)
    same = [blind.fold_in(evens + odds, [a] * 3 + [b] * 3).vector for a, b in ((5, 1), (1, 5))]
    np.testing.assert_array_equal(*same)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("factors", 0, "a whole number from 1 to 2048"),
        ("factors", 2.5, "a whole number"),
        ("factors", True, "a whole number"),
        ("factors", "64", "a whole number"),
        ("regularization", -1, "from 0"),
        ("regularization", float("nan"), "from 0"),
        ("unobserved_weight", float("inf"), "from 0"),
        ("frequency_scaling", 3, "from 0 to 2"),
        ("epochs", 0, "from 1"),
        ("init_scale", 0, "from 1e-09"),
        ("solver", "magic", '"auto" or "cholesky"'),
        ("seed", -1, "from 0"),
        ("threads", 0, "or None"),
        ("weighting", "loud", '"stars" or "uniform"'),
    ],
)
def test_an_option_out_of_range_says_what_is_allowed(option, value, said):
    with pytest.raises(InvalidOptionError, match=f"{option} must be .*{said}"):
        ImplicitALS(**{option: value})


def test_options_show_as_they_are_written():
    assert "factors=64, regularization=0.003, unobserved_weight=0.1" in repr(ImplicitALS())
