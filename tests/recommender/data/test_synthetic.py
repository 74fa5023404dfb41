"""Planted worlds: exact counts, the skew of MovieLens, and a structure that can be found again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender import BiasedALS, ImplicitALS, Ratings
from recommender.data.splitting import Split
from recommender.data.synthetic import (
    SHAPES,
    PlantedWorld,
    Shape,
    named_shape,
    planted_ratings,
)
from recommender.data.synthetic_plan import activity_counts, popularity_curve
from recommender.errors import InvalidOptionError
from recommender.evaluation.metrics import rmse
from recommender.evaluation.protocols import full_ranking
from recommender.models.baselines import Popularity
from tests.recommender.worlds import seeds


@st.composite
def shapes(draw, largest=40):
    n_users, n_items = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    fewest = max(n_users, n_items)
    # The ends are where it is tight: one rating each, and every pair.
    n = draw(st.just(fewest) | st.just(n_users * n_items) | st.integers(fewest, n_users * n_items))
    return Shape(n_users, n_items, n)


def equal(one, two):
    return all(
        np.array_equal(getattr(one, name), getattr(two, name))
        for name in ("users", "items", "ratings", "timestamps")
    )


class TestEveryWorld:
    @given(shapes(), seeds)
    @settings(max_examples=150, deadline=None)
    def test_has_what_was_asked_for_and_no_pair_twice(self, shape, seed):
        ratings = planted_ratings(shape, seed, timestamps=True)
        assert len(ratings.users) == shape.n_ratings
        assert np.array_equal(np.unique(ratings.users), np.arange(shape.n_users))
        assert np.array_equal(np.unique(ratings.items), np.arange(shape.n_items))
        pairs = ratings.users.astype(np.int64) * shape.n_items + ratings.items
        assert (np.diff(pairs) > 0).all()  # by user and item, so none twice
        assert np.isin(ratings.ratings, np.arange(1, 11) / 2).all()
        kinds = [ratings.users.dtype, ratings.items.dtype, ratings.ratings.dtype]
        assert kinds == [np.int32, np.int32, np.float32]
        assert ratings.timestamps.dtype == np.int64

    @given(shapes(), seeds, st.integers(1, 300))
    @settings(max_examples=40, deadline=None)
    def test_is_the_same_whole_and_in_blocks(self, shape, seed, size):
        world = PlantedWorld.plant(shape, seed)
        blocks = list(world.blocks(size))
        whole = planted_ratings(shape, seed, timestamps=True)
        for name in ("users", "items", "ratings", "timestamps"):
            joined = np.concatenate([getattr(block, name) for block in blocks])
            assert np.array_equal(joined, getattr(whole, name)), name
        for block in blocks:
            assert len(block.users) <= size or len(np.unique(block.users)) == 1

    def test_is_the_same_for_a_seed_with_times_or_without(self):
        shape = Shape(80, 60, 900)
        first = planted_ratings(shape, 3, timestamps=True)
        assert equal(first, planted_ratings(shape, 3, timestamps=True))
        without = planted_ratings(shape, 3)
        assert without.timestamps is None
        assert np.array_equal(without.ratings, first.ratings)
        other = planted_ratings(shape, 4)
        assert not np.array_equal(other.items, first.items)
        busy, busy_too = np.bincount(first.users), np.bincount(other.users)
        assert sorted(busy) == sorted(busy_too)  # the same numbers, dealt to others
        assert not np.array_equal(busy, busy_too)
        assert not np.array_equal(busy, sorted(busy))

    @given(shapes())
    @settings(max_examples=150, deadline=None)
    def test_activity_adds_up_and_popularity_can_be(self, shape):
        counts = activity_counts(shape.n_users, shape.n_items, shape.n_ratings)
        assert counts.sum() == shape.n_ratings
        assert counts.min() >= 1
        assert counts.max() <= shape.n_items
        raters = popularity_curve(shape.n_users, shape.n_items, shape.n_ratings)
        assert raters.sum() == pytest.approx(shape.n_ratings)
        assert raters.min() >= 1 - 1e-9
        assert raters.max() <= shape.n_users + 1e-9

    def test_gives_ids_that_count_from_1(self):
        frame = planted_ratings(Shape(3, 2, 5), timestamps=True).to_frame()
        assert frame.columns == ["user", "item", "rating", "timestamp"]
        assert (frame["user"].min(), frame["user"].max(), frame["item"].max()) == (1, 3, 2)
        assert planted_ratings(Shape(3, 2, 5)).to_frame().columns == ["user", "item", "rating"]


class TestSkew:
    """Quartiles and extremes as they were published with the releases."""

    def test_activity_is_that_of_ml_20m(self):
        counts = activity_counts(138_493, 26_744, 20_000_263)
        assert counts.mean() == pytest.approx(144.41, abs=0.01)
        assert counts.min() == 20
        assert np.quantile(counts, [0.25, 0.5, 0.75]) == pytest.approx([35, 68, 155], rel=0.03)
        assert counts.max() == pytest.approx(9_254, rel=0.03)
        assert counts.std() == pytest.approx(230, rel=0.03)

    def test_popularity_is_that_of_ml_20m(self):
        raters = popularity_curve(138_493, 26_744, 20_000_263)
        assert raters.mean() == pytest.approx(747.84, abs=0.01)
        assert np.quantile(raters, [0.25, 0.5, 0.75]) == pytest.approx([3, 18, 205], rel=0.03)
        assert raters.max() == pytest.approx(67_310, rel=0.03)
        assert raters.std() == pytest.approx(3_085, rel=0.03)

    @pytest.mark.parametrize(
        ("name", "quartiles", "most"),
        [
            ("ml-latest-small", [1, 3, 9], 329),
            ("ml-1m", [33, 123.5, 350], 3_428),
            ("ml-10m", [34, 135, 626], 34_864),
        ],
    )
    def test_a_power_of_that_curve_is_near_the_other_releases(self, name, quartiles, most):
        shape = SHAPES[name]
        raters = popularity_curve(shape.n_users, shape.n_items, shape.n_ratings)
        off = np.log(np.quantile(raters, [0.25, 0.5, 0.75]) / quartiles)
        assert np.abs(off).max() < np.log(1.75)
        assert raters.max() == pytest.approx(most, rel=0.2)

    def test_what_is_drawn_has_the_skew_that_was_planned(self):
        shape = SHAPES["ml-latest-small"]
        ratings = planted_ratings(shape, seed=5)
        users = np.bincount(ratings.users)
        assert sorted(users) == list(activity_counts(shape.n_users, shape.n_items, shape.n_ratings))
        assert users.min() == 20
        items = np.bincount(ratings.items)
        assert np.quantile(items, [0.25, 0.5, 0.75]) == pytest.approx([1, 3, 9], abs=1)
        assert items.max() == pytest.approx(329, rel=0.15)
        assert 0.4 < (items <= 3).mean() < 0.7
        planned = popularity_curve(shape.n_users, shape.n_items, shape.n_ratings)
        head = np.sort(items)[::-1][:500].sum() / planned[:500].sum()
        assert head == pytest.approx(1, abs=0.05)

    def test_each_item_finds_about_the_raters_that_were_meant_for_it(self):
        """Heavy users exhaust the head, tastes attract: the weights must make up for both."""
        n_users, n_items, n_ratings = 3_000, 400, 120_000
        counts = np.bincount(planted_ratings(Shape(n_users, n_items, n_ratings), 2).items)
        meant = popularity_curve(n_users, n_items, n_ratings)
        meant = np.random.default_rng([2, 1]).permutation(meant)  # as the plan deals it out
        assert np.abs(np.log(counts / meant)).mean() < 0.08

    def test_few_ratings_a_user_lower_the_floor(self):
        assert activity_counts(100, 500, 2_000).min() == 20
        low = activity_counts(100, 500, 1_000)
        assert low.min() == 5
        assert low.max() > 20


@pytest.fixture(scope="module")
def world():
    return PlantedWorld.plant(Shape(1_500, 600, 150_000), seed=11)


@pytest.fixture(scope="module")
def split(world):
    (block,) = world.blocks()
    ratings = Ratings.from_arrays(block.users, block.items, block.ratings)
    chosen = np.random.default_rng(0).random(ratings.n_ratings) < 0.8
    return Split(ratings.select(chosen), ratings.select(~chosen))


def biases(train, rounds=10, shrink=3):
    """Mean, and what each user and item adds to it: (), (n_users,), (n_items,)."""
    mean = train.values.mean()
    of_user, of_item = np.zeros(train.n_users), np.zeros(train.n_items)
    users, items = train.user_rows, train.indices
    for _ in range(rounds):
        left = np.bincount(items, train.values - mean - of_user[users], train.n_items)
        of_item = left / (np.bincount(items, minlength=train.n_items) + shrink)
        left = np.bincount(users, train.values - mean - of_item[items], train.n_users)
        of_user = left / (np.bincount(users, minlength=train.n_users) + shrink)
    return mean, of_user, of_item


class TestWhatIsPlantedCanBeFound:
    def test_a_factorization_ranks_far_better_than_popularity(self, split):
        model = ImplicitALS(factors=12, epochs=8, threads=1).fit(split.train)
        ndcg = full_ranking(model, split)["ndcg"].mean()
        popularity = full_ranking(Popularity.fit(split.train), split)["ndcg"].mean()
        assert ndcg > 1.5 * popularity

    def test_stars_are_predicted_better_than_by_biases(self, world, split):
        test = split.test
        users, items = test.users.ids[test.user_rows], test.items.ids[test.indices]

        def off(predicted):
            return rmse(np.clip(predicted, 0.5, 5), test.values)

        mean, user_bias, item_bias = biases(split.train)
        by_biases = off(mean + user_bias[test.user_rows] + item_bias[test.indices])
        by_factors = off(
            BiasedALS(factors=12, epochs=12, threads=1).fit(split.train).predict(users, items)
        )
        by_truth = off(world.stars(users, items))
        assert 0.65 < by_truth < 0.75  # noise and rounding are left
        assert by_factors < by_biases - 0.03

    def test_the_spread_of_stars_is_that_of_movielens(self, split):
        stars = np.append(split.train.values, split.test.values)
        assert stars.mean() == pytest.approx(3.5, abs=0.1)
        assert stars.std() == pytest.approx(1.05, abs=0.1)
        assert len(np.unique(stars)) == 10

    def test_taste_draws_to_what_it_likes(self, world, split):
        train = split.train
        fits = np.einsum(
            "ij,ij->i", world.user_tastes[train.user_rows], world.item_tastes[train.indices]
        )
        assert fits.mean() > 0.5
        assert np.corrcoef(fits, train.values)[0, 1] > 0.3

    def test_the_only_rater_of_an_item_likes_its_kind(self):
        world = PlantedWorld.plant(Shape(500, 2_000, 20_000), seed=1)
        users = np.repeat(np.arange(500), np.diff(world.plan.first_indptr))
        fits = np.einsum(
            "ij,ij->i", world.user_tastes[users], world.item_tastes[world.plan.first_items]
        )
        assert fits.mean() > 0.5  # 0 for a deal that does not look at tastes

    def test_a_user_rates_during_their_stay(self, world):
        (block,) = world.blocks()
        late = block.timestamps - world.plan.begins[block.users]
        assert late.min() >= 0
        assert (late <= world.plan.spans[block.users]).all()
        assert block.timestamps.min() >= 1_104_537_600  # 2005
        assert block.timestamps.max() < 1_735_689_600  # 2025
        assert len(np.unique(block.timestamps)) > 0.5 * len(block.timestamps)


class TestBadInput:
    @pytest.mark.parametrize(
        ("counts", "said"),
        [
            ((0, 5, 5), "1 or more users; found 0"),
            ((5, -1, 5), "1 or more items; found -1"),
            ((5, 5, 0), "1 or more ratings; found 0"),
            ((5, 5, 26), "25 pairs, too few for 26 ratings"),
            ((6, 2, 5), "6 users with at least one rating each"),
            ((2, 6, 5), "6 items with at least one rating each"),
            ((2.5, 6, 9), "found 2.5"),
            ((True, 6, 9), "found True"),
            ((2**31, 6, 2**31), "at most 2,147,483,647 users"),
        ],
    )
    def test_an_impossible_shape_is_refused(self, counts, said):
        with pytest.raises(InvalidOptionError, match=said):
            Shape(*counts)

    def test_an_unknown_name_is_told_which_there_are(self):
        assert named_shape("ml-20m") == Shape(138_493, 26_744, 20_000_263)
        with pytest.raises(InvalidOptionError, match=r"'ml-2m'.*ml-1m.*ml-20m"):
            named_shape("ml-2m")

    @pytest.mark.parametrize("seed", [-1, 1.5, True, "0"])
    def test_a_seed_is_a_whole_number(self, seed):
        with pytest.raises(InvalidOptionError, match="seed"):
            PlantedWorld.plant(Shape(2, 2, 3), seed)
