"""Fidelity against slow counts, and at its ends: a perfect plane and one that says nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recommender.errors import InvalidInputError
from recommender.projection.biplot import biplot, raw_axes
from recommender.projection.fidelity import (
    average_ranks,
    measure_fidelity,
    rank_correlation,
    top_agreement,
)


def world(n: int, m: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    spread = 0.7 ** np.arange(k)
    return (
        (random.normal(size=(n, k)) * spread).astype(np.float32),
        (random.normal(size=(m, k)) * spread).astype(np.float32),
    )


def test_two_factors_are_shown_with_fidelity_one() -> None:
    users, items = world(30, 40, 2)
    fidelity = measure_fidelity(raw_axes(users, items), users, items)
    assert fidelity.share == 1.0
    assert fidelity.top_agreement == 1.0
    assert fidelity.top_interval == (1.0, 1.0)
    assert fidelity.rank_correlation == 1.0
    assert fidelity.sampled is False


def test_the_biplot_of_a_model_of_rank_two_has_fidelity_one() -> None:
    users, items = world(30, 40, 2)
    fidelity = measure_fidelity(biplot(users, items), users, items)
    assert fidelity.share == pytest.approx(1.0)
    assert fidelity.top_agreement == 1.0
    assert fidelity.rank_correlation == pytest.approx(1.0, abs=1e-9)


def test_biases_count() -> None:
    users, items = world(30, 40, 2)
    biases = np.random.default_rng(1).normal(size=40) * 5
    without = measure_fidelity(raw_axes(users, items, biases), users, items, biases)
    with_biases = measure_fidelity(biplot(users, items, biases), users, items, biases)
    assert without.top_agreement < 0.7 < with_biases.top_agreement


def test_the_biplot_beats_two_raw_factors_that_say_little() -> None:
    users, items = world(200, 300, 12)
    best = measure_fidelity(biplot(users, items), users, items)
    poor = measure_fidelity(raw_axes(users, items, axes=(9, 10)), users, items)
    assert best.top_agreement > poor.top_agreement + 0.1
    assert best.rank_correlation is not None
    assert poor.rank_correlation is not None
    assert best.rank_correlation > poor.rank_correlation + 0.2


def test_a_sample_tells_of_everyone_with_its_error() -> None:
    users, items = world(600, 80, 8)
    plane = biplot(users, items)
    all_of_them = measure_fidelity(plane, users, items)
    exact = all_of_them.top_agreement
    assert 0 < exact < 1
    assert all_of_them.top_interval == (exact, exact)  # nobody was left out
    inside = 0
    for seed in range(20):
        sample = measure_fidelity(plane, users, items, max_users=60, seed=seed)
        assert sample.sampled
        assert sample.n_users == 60
        low, high = sample.top_interval
        assert low < high
        inside += low <= all_of_them.top_agreement <= high
    assert inside >= 17
    again = measure_fidelity(plane, users, items, max_users=60, seed=19)
    assert again == sample


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 10))
def test_top_agreement_equals_the_slow_count(seed: int, items: int, n: int) -> None:
    random = np.random.default_rng(seed)
    shown, model = random.normal(size=(2, 4, items))
    n = min(n, items)
    expected = [
        len(set(np.argsort(-a)[:n]) & set(np.argsort(-b)[:n])) / n
        for a, b in zip(shown, model, strict=True)
    ]
    assert top_agreement(shown, model, n).tolist() == pytest.approx(expected)


def test_what_was_seen_takes_no_part() -> None:
    model = np.array([[9.0, 3.0, 2.0, 1.0], [9.0, 3.0, 2.0, 1.0], [9.0, 8.0, 2.0, 1.0]])
    shown = np.array([[9.0, 1.0, 2.0, 3.0], [1.0, 3.0, 2.0, 9.0], [9.0, 0.0, 2.0, 1.0]])
    allowed = np.array([[0, 1, 1, 1], [1, 1, 1, 0], [0, 0, 1, 1]], dtype=bool)
    assert top_agreement(shown, model, 2, allowed).tolist() == [0.5, 0.5, 1.0]
    users, items = world(40, 30, 6)
    plane = biplot(users, items)
    best = np.argsort(-(users @ items.T), axis=1)[:, :25].astype(np.int32)
    seen = (np.arange(0, 40 * 25 + 1, 25), best.ravel())
    expected = []
    for user in range(40):
        left = np.setdiff1d(np.arange(30), best[user])
        truth = left[np.argsort(-(items[left] @ users[user]))[:3]]
        found = left[np.argsort(-(plane.items[left] @ plane.users[user]))[:3]]
        expected.append(len(set(truth) & set(found)) / 3)
    measured = measure_fidelity(plane, users, items, seen=seen, n=3)
    assert measured.top_agreement == pytest.approx(np.mean(expected))
    assert measured != measure_fidelity(plane, users, items, n=3)


def test_a_tie_at_the_end_of_the_list_is_no_error_of_the_plane() -> None:
    model = np.array([[3.0, 2.0, 2.0, 0.0]])
    assert top_agreement(np.array([[3.0, 2.0, 1.9, 0.0]]), model, 2) == 1.0
    assert top_agreement(np.array([[3.0, 1.9, 2.0, 0.0]]), model, 2) == 1.0
    assert top_agreement(np.array([[3.0, 1.0, 1.0, 2.0]]), model, 2) == 0.5


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 15), st.booleans())
def test_rank_correlation_equals_scipy(seed: int, items: int, ties: bool) -> None:
    random = np.random.default_rng(seed)
    shown, model = random.normal(size=(2, 3, items))
    if ties:
        shown, model = shown.round(), model.round()
    for row, found in enumerate(rank_correlation(shown, model)):
        if np.ptp(shown[row]) == 0 or np.ptp(model[row]) == 0:
            assert np.isnan(found)
        else:
            assert found == pytest.approx(stats.spearmanr(shown[row], model[row]).statistic)
    assert np.array_equal(average_ranks(model), stats.rankdata(model, axis=1))


def test_degenerate_worlds() -> None:
    one = measure_fidelity(biplot([[1.0]], [[1.0]]), [[1.0]], [[1.0]])
    assert (one.top_n, one.top_agreement, one.rank_correlation) == (1, 1.0, None)
    equal = measure_fidelity(
        biplot(np.ones((3, 2)), np.ones((20, 2))), np.ones((3, 2)), np.ones((20, 2))
    )
    assert (equal.top_agreement, equal.rank_correlation) == (1.0, None)


def test_a_plane_of_another_model_is_refused() -> None:
    users, items = world(5, 6, 2)
    with pytest.raises(InvalidInputError, match="the plane shows 5 users and 6 items"):
        measure_fidelity(raw_axes(users, items), users[:4], items)
