import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender import ImplicitALS, Ratings
from recommender.errors import InvalidOptionError
from recommender.solvers import reference
from tests.contracts.model_contract import ModelContract
from tests.recommender.models.trainings import SOLVERS
from tests.recommender.worlds import checkerboard, random_ratings, seeds


class TestImplicitALSKeepsTheContract(ModelContract):
    solver = "cholesky"

    def ratings(self):
        return checkerboard(14)

    def fit(self, ratings, callback=None, **options):
        defaults = {"factors": 3, "threads": 2, "solver": self.solver}
        return ImplicitALS(**defaults | options).fit(ratings, callback)


class TestByConjugateGradients(TestImplicitALSKeepsTheContract):
    solver = "conjugate_gradient"


class TestBySubspaces(TestImplicitALSKeepsTheContract):
    solver = "subspace"


class TestWithAFactorForEachLane(TestImplicitALSKeepsTheContract):
    """The table has no columns beyond the factors: what the model holds is the table itself."""

    def fit(self, ratings, callback=None, **options):
        return super().fit(ratings, callback, **{"factors": 16} | options)


@given(seeds)
@settings(max_examples=10)
def test_on_a_checkerboard_everyone_is_offered_the_own_colour(seed):
    model = ImplicitALS(factors=2, seed=seed).fit(checkerboard(20))
    for user in range(20):
        ids, _ = model.recommend(user, 1)
        assert ids[0] == user  # the one item of the own colour that is left


@given(
    seed=seeds,
    alpha=st.sampled_from([0.0, 0.1, 1.0]),
    scaling=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    weighting=st.sampled_from(["stars", "uniform"]),
    solver=st.sampled_from(SOLVERS),
)
@settings(max_examples=30)
def test_after_the_last_half_step_the_gradient_by_the_users_is_zero(
    seed, alpha, scaling, weighting, solver
):
    ratings = random_ratings(np.random.default_rng(seed))
    als = ImplicitALS(
        4, 0.05, alpha, scaling, 3, solver=solver, seed=seed % 1000, weighting=weighting
    )
    model = als.fit(ratings)
    weights = model.objective.weights(ratings.values)
    ridge = reference.implicit_ridge(ratings.by_user, 0.05, alpha, scaling)
    gradient = reference.implicit_gradient(
        ratings.by_user, weights, model.user_factors, model.item_factors, alpha, ridge
    )
    scale = max(1.0, float(np.abs(model.item_factors).max()) ** 2)
    np.testing.assert_allclose(gradient / scale, 0, atol=2e-4)


@given(seed=seeds, k=st.sampled_from([1, 4, 16, 17]), solver=st.sampled_from(SOLVERS))
@settings(max_examples=20)
def test_folding_in_a_row_of_the_training_gives_the_row(seed, k, solver):
    """Whatever solved the epochs: the last half-step is exact."""
    ratings = random_ratings(np.random.default_rng(seed), n_users=20, n_items=30, n=200)
    model = ImplicitALS(k, 0.05, epochs=2, solver=solver, seed=seed % 1000).fit(ratings)
    for row in range(ratings.n_users):
        items, values = ratings.of_user(row)
        folded = model.fold_in(model.item_ids[items], values)
        np.testing.assert_allclose(folded.vector, model.user_factors[row], rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("n", [255, 256, 257, 300])
def test_folding_in_gives_the_row_of_long_histories_too(n):
    """Up to 256 ratings each is a level of its own; more are sorted into levels."""
    rng = np.random.default_rng(n)
    users = np.concatenate((np.zeros(n, np.int64), rng.integers(1, 9, 400)))
    items = np.concatenate((rng.permutation(300)[:n], rng.integers(0, 300, 400)))
    ratings = Ratings.from_arrays(users, items, rng.uniform(0.5, 5, len(users)))
    model = ImplicitALS(9, 0.05, epochs=2).fit(ratings)
    rated, values = ratings.of_user(0)
    assert len(rated) == n
    shuffled = rng.permutation(n)
    folded = model.fold_in(model.item_ids[rated][shuffled], values[shuffled])
    np.testing.assert_allclose(folded.vector, model.user_factors[0], rtol=2e-3, atol=2e-4)


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
        ("unobserved_weight", -0.1, "from 0"),
        ("frequency_scaling", 3, "from 0 to 2"),
        ("epochs", 0, "from 1"),
        ("init_scale", 0, "from 1e-09"),
        ("solver", "magic", '"auto" or "cholesky" or "conjugate_gradient" or "subspace"'),
        ("seed", -1, "from 0"),
        ("threads", 0, "or None"),
        ("weighting", "loud", '"stars" or "uniform"'),
        ("momentum", 1, "True or False"),
    ],
)
def test_an_option_out_of_range_says_what_is_allowed(option, value, said):
    with pytest.raises(InvalidOptionError, match=f"{option} must be .*{said}"):
        ImplicitALS(**{option: value})


def test_options_show_as_they_are_written():
    assert "factors=64, regularization=0.003, unobserved_weight=0.1" in repr(ImplicitALS())
