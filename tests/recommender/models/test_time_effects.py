import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recommender.models.time_effects import DrawnTimes, visit_keys
from tests.recommender.worlds import seeds

DAY = 86_400


def drawn(users, times, left, n=200, noise_precision=25.0, seed=0):
    """Draw effects of ratings whose residuals are nothing but effects and noise."""
    random = np.random.default_rng(seed)
    effects = DrawnTimes(users, times)
    for number in range(n):
        now = left - effects.offsets()
        effects.draw(now, noise_precision, random)
        np.testing.assert_allclose(now, left - effects.offsets(), atol=1e-5)
        if number >= n // 4:
            effects.keep()
    return effects.mean(1.0)


def test_a_drift_and_moods_are_found():
    rng = np.random.default_rng(0)
    n = 20_000
    users = rng.integers(0, 50, n).astype(np.int32)
    times = rng.integers(0, 3000, n) * DAY + rng.integers(0, DAY, n)
    drift = np.sin(times / (1000 * DAY))
    found = drawn(users, times, drift + 0.2 * rng.normal(size=n))
    assert np.abs(found.at(np.full(n, -1), times) - drift).mean() < 0.1
    mood = np.where(users % 2 == 0, 0.5, -0.5) * (times // DAY % 2)
    few_days = times // DAY % 20 * DAY
    found = drawn(users, few_days, mood * 1.0 + 0.2 * rng.normal(size=n))
    told = found.at(users.astype(np.int64), few_days)
    assert np.corrcoef(told, mood)[0, 1] > 0.5


def test_a_stranger_and_an_unknown_day_have_no_mood():
    rng = np.random.default_rng(0)
    users, times = np.repeat(np.arange(4), 50).astype(np.int32), np.full(200, 10 * DAY)
    left = np.where(users == 0, 1.0, 0.0) + 0.1 * rng.normal(size=200)
    found = drawn(users, times, left)
    asked = np.array([0, 1, -1, 0, 77])
    told = found.at(asked, np.array([10, 10, 10, 11, 10]) * DAY + 5)
    assert told[0] - told[1] > 0.5
    assert told[2] == told[3] == told[4]


def test_before_the_first_and_after_the_last_moment_the_ends_hold_on():
    rng = np.random.default_rng(0)
    times = np.sort(rng.integers(1000, 2000, 500)) * DAY
    found = drawn(np.zeros(500, np.int32), times, np.linspace(-1, 1, 500))
    early, first, last, late = found.at(
        np.full(4, -1), np.array([-(2**40), times[0], times[-1], 2**50])
    )
    assert early == first < last == late


def test_a_period_begins_with_the_moment_that_it_is_named_by():
    """Six moments, as many periods: each has its own effect when it is asked for again."""
    moments = np.arange(6) * DAY
    times = np.repeat(moments, 200)
    effects = np.array([0.0, 3.0, -2.0, 1.0, -3.0, 2.0])
    found = drawn(np.arange(1200, dtype=np.int32), times, np.repeat(effects, 200))
    np.testing.assert_allclose(found.at(np.full(6, -1), moments), effects, atol=0.3)


def test_one_moment_for_all_is_one_period():
    found = drawn(np.zeros(5, np.int32), np.full(5, 7), np.ones(5))
    assert len(found.of_period) <= 2
    assert np.isfinite(found.at(np.array([0]), np.array([7]))).all()


@given(seeds, st.integers(1, 30))
def test_visits_differ_when_user_or_day_differs(seed, n):
    rng = np.random.default_rng(seed)
    users, days = rng.integers(0, 3, n), rng.integers(0, 4, n)
    keys = visit_keys(users, days * DAY + rng.integers(0, DAY, n), 0)
    pairs = list(zip(users.tolist(), days.tolist(), strict=True))
    assert len(set(keys.tolist())) == len(set(pairs))
