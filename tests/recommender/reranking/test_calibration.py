"""The divergence from a taste: its ends, and the growing list beside the formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recommender.errors import InvalidInputError
from recommender.reranking.calibration import SMOOTHING, RunningDivergence, divergence
from recommender.reranking.criteria import genre_distribution

PARTS = st.sampled_from([0, 0, 1, 2, 5])


@st.composite
def two_distributions(draw):
    n_genres = draw(st.integers(1, 5))
    two = [draw(hnp.arrays(np.float64, n_genres, elements=PARTS)) for _ in range(2)]
    return [one / (one.sum() or 1) for one in two]


@given(two_distributions())
def test_it_is_the_formula_and_keeps_to_its_range(case):
    p, q = case
    expected = sum(
        a * math.log2(a / (0.99 * b + 0.01 * a)) for a, b in zip(p, q, strict=True) if a > 0
    )
    assert divergence(p, q) == pytest.approx(expected, abs=1e-12)
    assert 0 <= divergence(p, q) <= math.log2(1 / SMOOTHING) + 1e-12
    assert divergence(p, p) == pytest.approx(0, abs=1e-12)


def test_its_ends():
    assert divergence([1.0, 0.0], [1.0, 0.0]) == 0
    assert divergence([1.0, 0.0], [0.0, 1.0]) == pytest.approx(math.log2(100))
    assert divergence([1.0, 0.0], [0.0, 0.0]) == pytest.approx(math.log2(100))
    assert divergence([0.0, 0.0], [0.0, 1.0]) == 0
    # One bit apart; the sum itself would be -1.6e-16.
    assert divergence([0.1, 0.2, 0.7], [0.1, 0.2, math.nextafter(0.7, 1)]) == 0


@given(st.data())
def test_a_growing_list_has_the_divergence_of_its_mean(data):
    m, n_genres = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 5))
    genres = genre_distribution(data.draw(hnp.arrays(np.bool_, (m, n_genres))))
    liked = data.draw(hnp.arrays(np.float64, n_genres, elements=PARTS))
    taste = liked / (liked.sum() or 1)
    running, chosen = RunningDivergence(genres, taste, m), []
    for place in data.draw(st.permutations(range(m))):
        expected = [divergence(taste, genres[[*chosen, other]].mean(axis=0)) for other in range(m)]
        assert running.with_each().tolist() == pytest.approx(expected, abs=1e-9)
        running.add(place)
        chosen.append(place)


@pytest.mark.parametrize(
    ("taste", "distribution", "message"),
    [
        ([0.5, 0.5], [1.0], r"distribution must have the shape \(2\); found \(1,\)"),
        ([2.0, 2.0], [0.5, 0.5], "taste must be shares that sum to at most 1; found the sum 4"),
        ([0.5, 0.5], [3.0, 1.0], "distribution must be shares that sum to at most 1"),
        ([0.5, math.nan], [0.5, 0.5], r"taste\[1\] is nan"),
    ],
)
def test_what_is_no_distribution_is_refused(taste, distribution, message):
    with pytest.raises(InvalidInputError, match=message):
        divergence(taste, distribution)
