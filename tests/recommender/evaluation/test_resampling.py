"""Users drawn again and again: each as often as any other, and memory that does not grow."""

import numpy as np
import pytest

from recommender.evaluation import resampling
from recommender.evaluation.resampling import resampled_sums
from recommender.evaluation.significance import bootstrap_mean


@pytest.mark.parametrize("n", [1, 7, 5_000, 20_000])
def test_as_many_users_are_drawn_as_there_are(n):
    sums = resampled_sums([np.ones(n), np.arange(n, dtype=float)], 300, seed=0)
    np.testing.assert_array_equal(sums[0], n)
    mean, deviation = (n - 1) / 2, np.sqrt((n * n - 1) / 12 / n)
    means = sums[1] / n
    assert abs(means.mean() - mean) <= 4 * deviation / np.sqrt(300)
    assert means.std() == pytest.approx(deviation, rel=0.2)


def test_every_user_is_drawn_as_often_as_any_other():
    n = 9_000
    columns = [(np.arange(n) // 1_000 == group).astype(float) for group in range(9)]
    sums = resampled_sums(columns, 400, seed=1)
    np.testing.assert_allclose(sums.mean(axis=1), 1_000, rtol=0.02)
    np.testing.assert_allclose(sums.std(axis=1), np.sqrt(1_000 * 8 / 9), rtol=0.2)


def test_columns_see_the_same_draws_and_the_seed_decides_them():
    values = np.random.default_rng(0).random(500)
    one, other = resampled_sums([values, 3 * values], 50, seed=4)
    np.testing.assert_allclose(other, 3 * one)
    np.testing.assert_allclose(one, resampled_sums([values], 50, seed=4)[0])
    assert not np.allclose(one, resampled_sums([values], 50, seed=5)[0])


def test_two_users_by_hand():
    """Both are drawn with a chance of ½, either one twice with ¼."""
    sums = resampled_sums((np.array([0.0, 1.0]),), 20_000, seed=0)[0]
    found, counts = np.unique(sums, return_counts=True)
    assert found.tolist() == [0, 1, 2]
    assert counts / 20_000 == pytest.approx([0.25, 0.5, 0.25], abs=0.02)


@pytest.mark.parametrize("block", [50, 4096])
def test_each_user_is_drawn_as_often_as_any_other(monkeypatch, block):
    """One column a user counts how often he is drawn: a multinomial of n draws, block or not."""
    monkeypatch.setattr(resampling, "_USERS", block)
    monkeypatch.setattr(resampling, "_SAMPLES", 700)
    n, samples = 190, 3000
    drawn = resampled_sums(list(np.eye(n)), samples, seed=0)
    assert drawn.shape == (n, samples)
    assert (drawn.sum(axis=0) == n).all()
    assert drawn.mean(axis=1) == pytest.approx(np.ones(n), abs=5.5 / np.sqrt(samples))
    of_one = np.bincount(drawn.astype(int).ravel(), minlength=4)[:4] / drawn.size
    chance = [(1 - 1 / n) ** n]  # of 0, 1, 2, 3 draws: binomial
    for many in range(3):
        chance.append(chance[-1] * (n - many) / (many + 1) / (n - 1))
    assert of_one == pytest.approx(chance, abs=0.004)
    together = np.cov(drawn)
    assert together.trace() / n == pytest.approx(1 - 1 / n, abs=0.02)
    apart = together - np.diag(together.diagonal())
    assert np.abs(apart).max() < 0.12  # no two users are drawn by the same numbers
    near, far = together[0, 1:40].mean(), together[0, 60:].mean()  # in one block, and in others
    assert (near, far) == pytest.approx((-1 / n, -1 / n), abs=0.015)


def test_a_larger_block_is_drawn_from_more_often(monkeypatch):
    """Of three users the first is a block alone, and the others are one."""
    monkeypatch.setattr(resampling, "_USERS", 2)
    drawn = resampled_sums(list(np.eye(3)), 5_000, seed=0)
    assert drawn.mean(axis=1) == pytest.approx([1, 1, 1], abs=0.06)


def test_blocks_and_samples_at_a_time_do_not_change_the_interval(monkeypatch):
    """Other draws of the same kind: ends move by what chance moves them."""
    values = np.random.default_rng(4).random(6000)
    whole = bootstrap_mean(values, samples=4000)
    monkeypatch.setattr(resampling, "_USERS", 500)
    monkeypatch.setattr(resampling, "_SAMPLES", 333)
    cut = bootstrap_mean(values, samples=4000)
    width = whole.high - whole.low
    assert width == pytest.approx(2 * 1.96 * values.std() / np.sqrt(6000), rel=0.08)
    assert (cut.low, cut.high) == pytest.approx((whole.low, whole.high), abs=0.05 * width)


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_the_number_of_cores_does_not_matter(monkeypatch, threads):
    """To the last bit: a report of one machine is that of another."""
    columns = list(np.random.default_rng(0).random((3, 5_000)))
    monkeypatch.setattr(resampling, "available_threads", lambda: 1)
    one = resampled_sums(columns, 500, seed=0)
    monkeypatch.setattr(resampling, "available_threads", lambda: threads)
    np.testing.assert_array_equal(resampled_sums(columns, 500, seed=0), one)
