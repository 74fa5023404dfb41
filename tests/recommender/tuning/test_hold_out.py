"""What is held out of a search: all of it or none, the last or any, and never a training rating."""

import numpy as np
import pytest

from recommender import Ratings
from recommender.errors import InvalidInputError, TooFewRatingsError
from recommender.tuning.hold_out import digest, hold_out
from tests.recommender.worlds import random_ratings


def world(with_times=True, seed=0):
    rng = np.random.default_rng(seed)
    plain = random_ratings(rng, 20, 30, 300)
    times = rng.permutation(plain.n_ratings) if with_times else None
    return Ratings(plain.users, plain.items, plain.by_user, times)


def pairs(ratings):
    return set(zip(ratings.user_rows.tolist(), ratings.indices.tolist(), strict=True))


@pytest.mark.parametrize("how", ["time", "random"])
@pytest.mark.parametrize("protocol", ["full-ranking", "leave-one-out", "rating"])
def test_it_takes_the_ratings_apart(protocol, how):
    ratings = world()
    split = hold_out(ratings, protocol, how, seed=3)
    assert pairs(split.train) | pairs(split.test) == pairs(ratings)
    assert not pairs(split.train) & pairs(split.test)
    counts = np.diff(ratings.indptr)
    held = np.diff(split.test.indptr)
    expected = counts > 1 if protocol == "leave-one-out" else np.floor(counts * 0.2 + 1e-9)
    np.testing.assert_array_equal(held, expected)
    if how == "time":
        for user in np.flatnonzero(held):
            of_train = split.train.timestamps[split.train.user_rows == user]
            of_test = split.test.timestamps[split.test.user_rows == user]
            assert of_train.max() < of_test.min()


@pytest.mark.parametrize("protocol", ["full-ranking", "leave-one-out"])
def test_a_draw_follows_its_seed_and_needs_no_times(protocol):
    ratings = world(with_times=False)
    first, again, other = (hold_out(ratings, protocol, "random", seed) for seed in (1, 1, 2))
    assert pairs(first.test) == pairs(again.test) != pairs(other.test)


@pytest.mark.parametrize("how", ["time", "random"])
def test_an_only_rating_is_kept(how):
    ratings = Ratings.from_arrays([0, 1, 1, 2, 2], [0, 0, 1, 1, 2], timestamps=[1, 2, 3, 4, 5])
    split = hold_out(ratings, "leave-one-out", how, 0)
    assert np.diff(split.test.indptr).tolist() == [0, 1, 1]


def test_without_times_there_is_no_last():
    with pytest.raises(InvalidInputError, match="--hold-out random"):
        hold_out(world(with_times=False), "full-ranking", "time", 0)


@pytest.mark.parametrize(("protocol", "least"), [("full-ranking", 5), ("leave-one-out", 2)])
def test_users_with_too_few_ratings(protocol, least):
    n = least - 1
    users, items = np.divmod(np.arange(3 * n), n)
    few = Ratings.from_arrays(users, items, timestamps=np.arange(3 * n))
    for how in ("time", "random"):
        with pytest.raises(TooFewRatingsError, match=f"none of the 3 users has {least} ratings"):
            hold_out(few, protocol, how, 0)


class TestDigest:
    def test_it_is_that_of_the_ratings_not_of_their_order(self):
        rng = np.random.default_rng(0)
        users, items, stars = rng.integers(0, 9, 40), np.arange(40), rng.integers(1, 6, 40)
        order = rng.permutation(40)
        first = Ratings.from_arrays(users, items, stars, stars)
        again = Ratings.from_arrays(users[order], items[order], stars[order], stars[order])
        assert digest(first) == digest(again)
        assert len(digest(first)) == 16

    @pytest.mark.parametrize("changed", ["user", "item", "star", "time", "no times", "text"])
    def test_it_changes_with_everything(self, changed):
        users, items, stars, times = [1, 1, 2], [1, 2, 2], [5.0, 3.0, 1.0], [7, 8, 9]
        before = digest(Ratings.from_arrays(users, items, stars, times))
        if changed == "user":
            users = [1, 1, 3]
        elif changed == "item":
            items = [1, 3, 3]
        elif changed == "star":
            stars = [5.0, 3.0, 2.0]
        elif changed == "time":
            times = [7, 8, 10]
        elif changed == "no times":
            times = None
        else:
            users = list(map(str, users))
        assert digest(Ratings.from_arrays(users, items, stars, times)) != before
