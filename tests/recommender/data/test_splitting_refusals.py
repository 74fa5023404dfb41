"""What splits refuse and what they say of it; and what they make of nothing."""

import numpy as np
import pytest

from recommender import Ratings
from recommender.data.splitting import (
    before_and_after,
    k_fold,
    last_n_of_each_user,
    last_of_each_user,
    random_share,
)
from recommender.errors import InvalidInputError, TooFewRatingsError


@pytest.mark.parametrize("split", [last_of_each_user, last_n_of_each_user, before_and_after])
def test_without_time_there_is_no_last(split):
    with pytest.raises(InvalidInputError, match="needs timestamps, and these ratings have none"):
        split(Ratings.from_arrays([1], [1]))


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, np.nan, "0.2", None, True])
def test_a_fraction_is_between_0_and_1(fraction):
    ratings = Ratings.from_arrays([1, 1], [1, 2], timestamps=[1, 2])
    for split in (last_of_each_user, random_share, before_and_after):
        with pytest.raises(InvalidInputError, match="must lie between 0 and 1; found"):
            split(ratings, fraction)


@pytest.mark.parametrize("moment", [0, 10, 31, 10**12])
def test_a_moment_has_ratings_on_both_sides(moment):
    ratings = Ratings.from_arrays([1, 1, 2], [1, 2, 1], timestamps=[10, 20, 30])
    words = f"the moment {moment} leaves a part empty: the ratings are of 10 to 30"
    with pytest.raises(InvalidInputError, match=words):
        before_and_after(ratings, moment)
    assert before_and_after(ratings, 11).train.timestamps.tolist() == [10]
    assert before_and_after(ratings, np.int64(30)).test.timestamps.tolist() == [30]


def test_a_second_is_not_cut():
    ratings = Ratings.from_arrays([1, 1, 2, 2], [1, 2, 1, 2], timestamps=[10, 20, 20, 20])
    with pytest.raises(TooFewRatingsError, match="the last second, 20, has 3 of 4 ratings"):
        before_and_after(ratings, 0.5)
    assert len(before_and_after(ratings, 0.75).test) == 3


@pytest.mark.parametrize("k", [0, 1, 4, 2.5, True, None])
def test_folds_are_from_two_to_the_number_of_ratings(k):
    ratings = Ratings.from_arrays([1, 1, 2], [1, 2, 1])
    with pytest.raises(InvalidInputError, match="k must be"):
        k_fold(ratings, k)  # at once, though no fold is asked for


@pytest.mark.parametrize("n", [0, -1, 1.5])
def test_the_last_n_are_at_least_one(n):
    with pytest.raises(InvalidInputError, match="n must be a whole number of at least 1"):
        last_n_of_each_user(Ratings.from_arrays([1], [1], timestamps=[1]), n)


@pytest.mark.parametrize("seed", [-1, 0.5, None, True])
def test_a_seed_is_a_whole_number(seed):
    ratings = Ratings.from_arrays([1, 1, 2], [1, 2, 1])
    for split in (lambda: random_share(ratings, 0.5, seed), lambda: k_fold(ratings, 2, seed)):
        with pytest.raises(InvalidInputError, match="seed must be a whole number of at least 0"):
            split()


def test_users_without_ratings_and_no_ratings_at_all():
    some = Ratings.from_arrays([1, 1, 2, 3], [1, 2, 1, 1], timestamps=[1, 2, 3, 4])
    some = some.select(some.user_rows != 1)
    assert np.diff(last_n_of_each_user(some).test.indptr).tolist() == [1, 0, 0]
    nothing = some.select(np.zeros(3, bool))
    assert len(last_of_each_user(nothing).test) == 0
    assert len(random_share(nothing, per_user=True).train) == 0
    with pytest.raises(TooFewRatingsError, match=r"of 0 ratings a share of 0\.2 is less"):
        random_share(nothing)
    with pytest.raises(TooFewRatingsError, match="of 0 ratings"):
        before_and_after(nothing)
    with pytest.raises(InvalidInputError, match="the ratings are none"):
        before_and_after(nothing, 5)
