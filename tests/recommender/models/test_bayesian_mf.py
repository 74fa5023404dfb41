import numpy as np
import pytest

from recommender import BayesianMF, BiasedALS, Ratings
from recommender.errors import InvalidInputError, InvalidOptionError
from tests.contracts.model_contract import FactorModelContract
from tests.recommender.worlds import low_rank_stars, random_ratings


def off(model, test, timestamps=None):
    """The root of the mean squared error on ratings that training did not see."""
    users, items = test.users.ids[test.user_rows], test.items.ids[test.indices]
    return float(np.sqrt(np.mean((model.predict(users, items, timestamps) - test.values) ** 2)))


def parted(ratings, share=0.8, seed=0):
    chosen = np.random.default_rng(seed).random(ratings.n_ratings) < share
    return ratings.select(chosen), ratings.select(~chosen)


class TestBayesianMFKeepsTheContract(FactorModelContract):
    def ratings(self):
        return low_rank_stars(30, 20, density=0.4)

    def fit(self, ratings, **options):
        return BayesianMF(**{"factors": 3, "samples": 8, "threads": 2} | options).fit(ratings)


class TestWithoutImplicitKeepsTheContract(TestBayesianMFKeepsTheContract):
    def fit(self, ratings, **options):
        return super().fit(ratings, **{"implicit": False} | options)


@pytest.mark.parametrize("seed", range(3))
def test_planted_stars_are_found_without_choosing_a_regularization(seed):
    """Rank 2 with noise .3, a third of the cells: nearly as good as the noise allows."""
    train, test = parted(low_rank_stars(200, 120, rank=2, noise=0.3, density=0.3, seed=seed))
    model = BayesianMF(factors=6, samples=60, seed=seed).fit(train)
    assert off(model, test) < 0.36
    assert off(model, test) < off(BiasedALS(factors=6).fit(train), test)
    assert model.uncertainty.noise_variance == pytest.approx(0.09, rel=0.25)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_intervals_hold_what_they_promise(coverage):
    world = low_rank_stars(300, 200, rank=3, noise=0.4, density=0.15, seed=1)
    train, test = parted(world)
    model = BayesianMF(factors=8, samples=80).fit(train)
    users, items = test.users.ids[test.user_rows], test.items.ids[test.indices]
    low, high = model.predict_interval(users, items, coverage)
    inside = float(np.mean((test.values >= low) & (test.values <= high)))
    assert inside == pytest.approx(coverage, abs=0.03)


def test_intervals_are_wider_where_less_is_known():
    rng = np.random.default_rng(0)
    world = low_rank_stars(200, 100, rank=3, noise=0.3, density=0.5, seed=1)
    rare = np.isin(world.user_rows, np.arange(100)) & (rng.random(world.n_ratings) < 0.9)
    model = BayesianMF(factors=5, samples=40).fit(world.select(~rare))
    items = np.repeat(world.items.ids[:1], 200)
    low, high = model.predict_interval(world.users.ids, items)
    assert (high - low)[:100].mean() > 1.05 * (high - low)[100:].mean()
    stranger = model.predict_interval([10**9], world.items.ids[:1])
    assert (stranger[1] - stranger[0])[0] >= (high - low).max()


def test_who_rated_what_speaks_where_stars_are_few():
    """Two camps that rate different films, and differ in what they like of the common ones."""
    rng = np.random.default_rng(0)
    n, m = 300, 120
    camp = np.arange(n) % 2
    own = (np.arange(m) < 50) & (np.arange(m) % 2 == camp[:, None])
    common = np.arange(m) >= 50
    seen = np.where(own, rng.random((n, m)) < 0.6, common & (rng.random((n, m)) < 0.04))
    liking = np.where(np.arange(m) % 2 == camp[:, None], 1.0, -1.0) * common
    users, items = np.nonzero(seen)
    stars = 3 + liking[users, items] + 0.3 * rng.normal(size=len(users))
    train, test = parted(Ratings.from_arrays(users, items, stars), 0.7)
    common_test = test.select(test.indices >= 50)
    with_it, without = (
        off(BayesianMF(factors=4, samples=40, implicit=implicit).fit(train), common_test)
        for implicit in (True, False)
    )
    assert with_it < 0.9 * without


@pytest.mark.parametrize("seed", range(3))
def test_of_whom_nothing_is_known_the_mean_of_all_is_predicted(seed):
    """Tastes that lean to one side: what they have in common is the items', not a stranger's 0."""
    rng = np.random.default_rng(seed)
    tastes, films = rng.normal((2, -1), 0.5, size=(120, 2)), rng.normal(size=(80, 2))
    stars = 3 + tastes @ films.T + 0.2 * rng.normal(size=(120, 80))
    users, items = np.nonzero(rng.random(stars.shape) < 0.4)
    model = BayesianMF(factors=4, samples=20, seed=seed).fit(
        Ratings.from_arrays(users, items, stars[users, items])
    )
    everyone = model.score_users(np.arange(120)).mean(axis=0)
    stranger = model.predict(np.full(80, 10**9), model.item_ids)
    np.testing.assert_allclose(everyone, stranger, atol=0.05)


def test_moments_are_learned_and_asked_for():
    rng = np.random.default_rng(0)
    world = low_rank_stars(100, 60, rank=2, noise=0.1, density=0.5)
    times = rng.integers(0, 2000, world.n_ratings) * 86_400
    drift = np.where(times < 1000 * 86_400, -0.6, 0.6)
    ratings = Ratings.from_arrays(
        world.user_rows, world.indices, world.values + drift, timestamps=times
    )
    train, test = parted(ratings)
    model = BayesianMF(factors=4, samples=40).fit(train)
    assert off(model, test, test.timestamps) < 0.5 * off(model, test)
    plain = BayesianMF(factors=4, samples=5).fit(Ratings(*parts_without_times(train)))
    users, items = test.users.ids[test.user_rows], test.items.ids[test.indices]
    np.testing.assert_array_equal(
        plain.predict(users, items), plain.predict(users, items, test.timestamps)
    )
    with pytest.raises(InvalidInputError, match="timestamps must be"):
        model.predict(users, items, test.timestamps[:-1])


def parts_without_times(ratings):
    return ratings.users, ratings.items, ratings.by_user


def test_the_same_seed_gives_the_same_model_at_any_number_of_threads():
    many = random_ratings(np.random.default_rng(0), n_users=200, n_items=150, n=20_000)
    one = BayesianMF(factors=5, samples=4, seed=3, threads=1).fit(many)
    for threads in (2, 3):
        other = BayesianMF(factors=5, samples=4, seed=3, threads=threads).fit(many)
        np.testing.assert_array_equal(one.user_factors, other.user_factors)
        np.testing.assert_array_equal(one.item_factors, other.item_factors)
    other = BayesianMF(factors=5, samples=4, seed=4).fit(many)
    assert not np.array_equal(one.user_factors, other.user_factors)


def test_the_unit_of_the_stars_does_not_matter():
    world = low_rank_stars(60, 40, density=0.4)
    larger = Ratings.from_arrays(world.user_rows, world.indices, 128 * world.values)
    one, other = (BayesianMF(factors=3, samples=10).fit(r) for r in (world, larger))
    predicted = one.predict(one.user_ids[:20], one.item_ids[:20])
    np.testing.assert_allclose(
        other.predict(other.user_ids[:20], other.item_ids[:20]), 128 * predicted, rtol=1e-5
    )


def test_stars_that_are_all_one_are_predicted():
    users, items = np.divmod(np.arange(200), 20)
    keep = (users * 7 + items) % 3 > 0
    model = BayesianMF(factors=3, samples=10).fit(
        Ratings.from_arrays(users[keep], items[keep], np.full(keep.sum(), 4.0))
    )
    np.testing.assert_allclose(model.predict(users, items), 4, atol=0.05)


def test_two_users_and_two_items_are_enough():
    model = BayesianMF(samples=3).fit(Ratings.from_arrays([0, 0, 1], [0, 1, 1], [1, 5, 3]))
    assert np.isfinite(model.user_factors).all()
    assert np.isfinite(model.predict([0, 1, 7], [0, 0, 7])).all()


def test_users_and_items_without_ratings_are_finite():
    world = low_rank_stars(30, 20, density=0.4)
    chosen = (world.user_rows != 3) & (world.indices != 5)
    model = BayesianMF(factors=3, samples=5).fit(world.select(chosen))
    assert not model.user_factors[3].any()
    assert np.isfinite(model.item_factors).all()


def test_the_callback_sees_each_draw():
    seen = []
    BayesianMF(factors=2, samples=4).fit(low_rank_stars(20, 15), lambda *told: seen.append(told))
    assert [number for number, _, _ in seen] == list(range(1, 21))
    assert all(seconds >= 0 and loss > 0 for _, seconds, loss in seen)
    assert seen[-1][2] < seen[0][2]


@pytest.mark.parametrize(
    ("option", "value"), [("factors", 0), ("samples", 0), ("samples", 1.5), ("implicit", 1)]
)
def test_senseless_options_are_refused(option, value):
    with pytest.raises(InvalidOptionError, match=option):
        BayesianMF(**{option: value})


def test_a_model_that_does_not_know_how_sure_it_is_says_so():
    model = BiasedALS(factors=2).fit(low_rank_stars(20, 15))
    with pytest.raises(InvalidInputError, match="BayesianMF"):
        model.predict_interval(model.user_ids[:1], model.item_ids[:1])


@pytest.mark.parametrize("coverage", [0, 1, -0.1, np.nan])
def test_a_senseless_coverage_is_refused(coverage):
    model = BayesianMF(factors=2, samples=3).fit(low_rank_stars(20, 15))
    with pytest.raises(InvalidInputError, match="coverage"):
        model.predict_interval(model.user_ids[:1], model.item_ids[:1], coverage)
