"""How planted users pick: as likely as the enumeration of all orders says."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.data.synthetic_picks import Plan, alias_table, draw_ratings
from recommender.data.synthetic_plan import plan_world


def lottery(weights, tastes, n_picks, n_users, limit):
    """How often each item is picked by users of one taste: (n_users, n_picks) items."""
    n_items = len(weights)
    plan = plan_world(1, n_items, n_items, 0)
    thresholds, aliases = alias_table(weights)
    user_tastes = np.zeros((n_users, 8), np.float32)
    user_tastes[:, 0] = 1
    item_tastes = np.zeros((n_items, 8), np.float32)
    item_tastes[:, 0] = tastes
    plan = plan._replace(
        indptr=np.arange(n_users + 1, dtype=np.int64) * n_picks,
        first_indptr=np.zeros(n_users + 1, np.int64),
        first_items=np.empty(0, np.int32),
        user_tastes=user_tastes,
        item_tastes=item_tastes,
        log_weights=np.log(weights).astype(np.float32),
        thresholds=thresholds,
        aliases=aliases,
        limit=np.float32(limit),
        user_stars=np.zeros(n_users, np.float32),
    )
    assert isinstance(plan, Plan)
    items = np.empty(n_users * n_picks, np.int32)
    stars = np.empty(n_users * n_picks, np.float32)
    draw_ratings(plan, 0, n_users, items, stars, np.empty(0, np.int64))
    pulled = weights * np.exp(float(plan.strength) * np.minimum(tastes, limit))
    return items.reshape(n_users, n_picks), pulled / pulled.sum()


class TestPicks:
    @given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=50))
    @settings(max_examples=200, deadline=None)
    def test_the_alias_table_is_the_weights(self, weights):
        weights = np.array(weights)
        thresholds, aliases = alias_table(weights)
        kept = thresholds / 2**32
        chance = kept + np.bincount(aliases, 1 - kept, len(weights))
        assert chance / len(weights) == pytest.approx(weights / weights.sum(), abs=1e-8)

    def test_sets_are_as_likely_as_by_enumeration(self):
        """Five items, three picks: proposals soon run out, so races settle much of it."""
        weights = np.array([10.0, 3.0, 1.0, 0.5, 0.1])
        tastes = np.array([-1.0, 0.3, 0.0, 1.5, 0.9])
        n = 100_000
        picks, chance = lottery(weights, tastes, 3, n, limit=1.0)
        expected = {}
        for order in permutations(range(5), 3):
            left, likely = 1.0, 1.0
            for item in order:
                likely *= chance[item] / left
                left -= chance[item]
            key = tuple(sorted(order))
            expected[key] = expected.get(key, 0) + likely
        found, counts = np.unique(picks, axis=0, return_counts=True)
        drawn = dict(zip(map(tuple, found.tolist()), counts, strict=True))
        for key, likely in expected.items():
            spread = np.sqrt(n * likely * (1 - likely))
            assert abs(drawn.get(key, 0) - n * likely) < 5 * spread + 1, key

    def test_of_many_items_each_is_as_likely_as_it_should_be(self):
        """Two of eighty: hardly ever more than proposals are needed."""
        rng = np.random.default_rng(0)
        weights, tastes = rng.lognormal(size=80), rng.normal(size=80)
        n = 100_000
        picks, chance = lottery(weights, tastes, 2, n, limit=1.2)
        other = chance / (1 - chance)
        likely = chance * (1 + other.sum() - other)
        spread = np.sqrt(n * likely * (1 - likely))
        assert (
            np.abs(np.bincount(picks.ravel(), minlength=80) - n * likely).max() < (5 * spread).max()
        )
        assert np.abs((np.bincount(picks.ravel(), minlength=80) - n * likely) / spread).max() < 5
