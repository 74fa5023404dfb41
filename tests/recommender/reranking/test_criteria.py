"""Information, genres and taste: against loops, and where nothing is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recommender.errors import InvalidInputError
from recommender.reranking import genre_distribution, self_information, taste_of


@given(st.integers(0, 1_000_000), st.data())
def test_information_is_the_logarithm_of_how_rare_a_rating_is(n_users, data):
    ratings = data.draw(hnp.arrays(np.int32, st.integers(0, 9), elements=st.integers(0, n_users)))
    bits = self_information(ratings, n_users)
    expected = [-math.log2((int(n) + 1) / (n_users + 1)) for n in ratings]
    assert bits.tolist() == pytest.approx(expected, abs=1e-12)
    assert (bits >= 0).all()
    assert not np.signbit(bits).any()


def test_half_as_many_ratings_are_one_bit_more():
    assert self_information([1023, 511, 255, 0], 1023).tolist() == [0, 1, 2, 10]


@pytest.mark.parametrize(
    ("ratings", "n_users", "message"),
    [
        ([1, 5], 4, r"n_ratings\[1\] is 5, of 4 users"),
        ([1, -1], 4, r"n_ratings\[1\] is -1.0; only finite numbers of at least 0"),
        ([1], -1, "n_users is -1.0; only finite numbers of at least 0"),
        ([[1]], 4, r"n_ratings must have the shape \(any\)"),
    ],
)
def test_counts_that_cannot_be_are_refused(ratings, n_users, message):
    with pytest.raises(InvalidInputError, match=message):
        self_information(ratings, n_users)


@given(hnp.arrays(np.bool_, st.tuples(st.integers(0, 6), st.integers(0, 5))))
def test_a_movie_is_divided_evenly_among_its_genres(genres):
    shares = genre_distribution(genres)
    assert shares.shape == genres.shape
    assert shares.dtype == np.float64
    for row, flags in zip(shares.tolist(), genres.tolist(), strict=True):
        assert row == [flag / sum(flags) if flag else 0.0 for flag in flags]


@pytest.mark.parametrize("genres", [[[1, 0]], [True, False], [["Drama"]]])
def test_genres_are_booleans(genres):
    with pytest.raises(InvalidInputError, match="genres must be a table of booleans"):
        genre_distribution(genres)


@given(
    hnp.arrays(np.bool_, st.tuples(st.integers(0, 6), st.integers(1, 5))).flatmap(
        lambda genres: st.tuples(
            st.just(genres),
            hnp.arrays(np.float64, len(genres), elements=st.sampled_from([0, 0.5, 4, 5])),
        )
    )
)
def test_taste_is_the_weighted_share_of_each_genre(case):
    genres, weights = case
    shares = genre_distribution(genres)
    liked = [
        sum(weight * share[g] for weight, share in zip(weights, shares, strict=True))
        for g in range(genres.shape[1])
    ]
    expected = [part / sum(liked) if sum(liked) else 0.0 for part in liked]
    assert taste_of(shares, weights).tolist() == pytest.approx(expected, abs=1e-12)


def test_a_taste_sums_to_one_or_is_nothing():
    assert taste_of([[0.5, 0.5], [0.0, 0.0]], [1.0, 9.0]).tolist() == [0.5, 0.5]
    assert taste_of([[0.0, 0.0]], [1.0]).tolist() == [0, 0]
    assert taste_of([[1.0, 0.0]], [0.0]).tolist() == [0, 0]
    assert taste_of(np.empty((0, 2)), []).tolist() == [0, 0]
    assert taste_of([[1.0, 0.0], [0.0, 1.0]], [1e308, 1e308]).tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("shares", "weights", "message"),
    [
        ([[1.0]], [1.0, 2.0], r"weights must have the shape \(1\)"),
        ([[1.0]], [-1.0], r"weights\[0\] is -1.0; only finite numbers of at least 0"),
        ([[2.0]], [1.0], "distributions must be shares that sum to at most 1"),
    ],
)
def test_a_taste_of_what_is_no_distribution_is_refused(shares, weights, message):
    with pytest.raises(InvalidInputError, match=message):
        taste_of(shares, weights)
