"""The scan that stops early gives the answer of a full sort, whatever the vectors are."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.top_k import NormOrder
from recommender.top_k.scan import best_of, score_rows

seeds = st.integers(0, 2**32 - 1)


def scores_by_hand(items, baselines, vector):
    exact = items.astype(np.float64) @ vector.astype(np.float64)
    return (exact if baselines is None else exact + baselines).astype(np.float32)


def full_sort(scores, n, allowed, seen):
    rows = [
        row for row in range(len(scores))
        if (allowed is None or allowed[row]) and (seen is None or row not in seen)
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-scores[row], row))[:n]


def world(rng, kind, n_items, k):
    """Vectors of many lengths, few distinct ones, or nothing but zeros."""
    if kind == "coarse":  # ties are the rule, zero vectors too
        return rng.integers(-1, 2, (n_items, k)).astype(np.float32) / 2
    if kind == "skewed":
        lengths = 10.0 ** rng.uniform(-12, 6, (n_items, 1))
        return (rng.normal(size=(n_items, k)) * lengths).astype(np.float32)
    if kind == "nearly equal":  # differences in the last bits alone
        return np.float32(1) + rng.integers(0, 3, (n_items, k)).astype(np.float32) * np.float32(
            6e-8
        )
    if kind == "zero":
        return np.zeros((n_items, k), np.float32)
    return rng.normal(size=(n_items, k)).astype(np.float32)


KINDS = ["coarse", "skewed", "nearly equal", "zero", "plain"]


@given(
    seed=seeds,
    kind=st.sampled_from(KINDS),
    n_items=st.integers(1, 90),
    k=st.sampled_from([1, 2, 15, 16, 17, 40]),
    n=st.integers(0, 100),
    biased=st.booleans(),
    masked=st.booleans(),
    with_seen=st.booleans(),
)
@settings(max_examples=400)
def test_it_is_the_head_of_a_full_sort(seed, kind, n_items, k, n, biased, masked, with_seen):
    rng = np.random.default_rng(seed)
    items = world(rng, kind, n_items, k)
    baselines = world(rng, kind, n_items, 1)[:, 0] if biased else None
    vector = world(rng, "plain" if rng.random() < 0.8 else kind, 1, k)[0]
    allowed = rng.random(n_items) < rng.choice([0.1, 0.9]) if masked else None
    seen = np.flatnonzero(rng.random(n_items) < 0.3) if with_seen else None
    order = NormOrder.of(items, baselines)
    rows, scores = order.best(vector, n, allowed, seen)
    by_hand = scores_by_hand(items, baselines, vector)
    assert rows.tolist() == full_sort(by_hand, n, allowed, seen)
    np.testing.assert_array_equal(scores, by_hand[rows])
    np.testing.assert_array_equal(order.score(vector), by_hand)
    np.testing.assert_array_equal(order.score(vector, rows), scores)


@given(seed=seeds, kind=st.sampled_from(KINDS), threads=st.sampled_from([1, 2]))
@settings(max_examples=60)
def test_everyone_at_once_is_each_alone(seed, kind, threads):
    rng = np.random.default_rng(seed)
    n_items, n_users, k = int(rng.integers(1, 70)), int(rng.integers(1, 250)), 5
    order = NormOrder.of(world(rng, kind, n_items, k))
    vectors = rng.normal(size=(n_users, k)).astype(np.float32)
    vectors[rng.random(n_users) < 0.1] = 0
    have = rng.random((n_users, n_items)) < 0.4
    indptr = np.concatenate(([0], np.cumsum(have.sum(axis=1)))).astype(np.int64)
    indices = np.nonzero(have)[1].astype(rng.choice([np.uint16, np.int32]))
    allowed = rng.random(n_items) < 0.8
    best, scores = order.best_of_each(vectors, 10, (indptr, indices), allowed, threads)
    assert best.shape == (n_users, min(10, n_items))
    for user in range(n_users):
        rows, alone = order.best(vectors[user], 10, allowed, np.flatnonzero(have[user]))
        missing = best.shape[1] - len(rows)
        assert best[user].tolist() == rows.tolist() + [-1] * missing
        np.testing.assert_array_equal(scores[user], np.append(alone, np.zeros(missing)))


def check(items, vector, n):
    rows, scores = NormOrder.of(items).best(vector, n)
    by_hand = scores_by_hand(items, None, vector)
    assert rows.tolist() == full_sort(by_hand, n, None, None)
    np.testing.assert_array_equal(scores, by_hand[rows])


@pytest.mark.parametrize("seed", range(20))
def test_scores_that_are_nothing_beside_what_cancels(seed):
    """What is left is less than what sums in float32 are off by."""
    rng = np.random.default_rng(seed)
    one = rng.uniform(1, 2, 2_000).astype(np.float32)
    other = one + rng.uniform(0, 1, 2_000).astype(np.float32)
    other[::10] = one[::10] * (1 - rng.integers(-3, 4, 200).astype(np.float32) * np.float32(1e-7))
    check(np.column_stack((one, other)), np.array([1, -1], np.float32), 5)


@pytest.mark.parametrize("seed", range(5))
def test_the_best_may_differ_in_nothing_but_what_is_looked_at_last(seed):
    rng = np.random.default_rng(seed)
    spread = np.where(np.arange(40) < 30, 100, 0.1).astype(np.float32)
    items = (rng.normal(size=(2_000, 40)) * spread).astype(np.float32)
    vector = np.where(np.arange(40) < 30, 0, rng.normal(size=40)).astype(np.float32)
    items[7, 30:] = 4.9 * vector[30:]  # long, and nearly as good as
    items[1_500] = 5 * vector  # the shortest, which is parallel
    check(items, vector, 1)


@pytest.mark.parametrize("n", [513, 700])
def test_long_lists_are_sorted_too(n):
    rng = np.random.default_rng(0)
    items = rng.normal(size=(800, 6)).astype(np.float32)
    vectors = rng.normal(size=(3, 6)).astype(np.float32)
    order = NormOrder.of(items)
    best, scores = order.best_of_each(vectors, n)
    for vector, rows, found in zip(vectors, best, scores, strict=True):
        by_hand = scores_by_hand(items, None, vector)
        assert rows.tolist() == full_sort(by_hand, n, None, None)
        np.testing.assert_array_equal(found, by_hand[rows])


def test_where_lengths_differ_most_items_are_not_looked_at():
    """It is about speed, and can be told without a clock: items out of reach may hold nonsense."""
    rng = np.random.default_rng(0)
    items = rng.normal(size=(4000, 8)).astype(np.float32)
    items[100:] *= 1e-3
    order = NormOrder.of(items)
    spoilt = order.items.copy()
    spoilt[100:] = np.nan
    vector = rng.normal(size=8).astype(np.float32)
    rows, _ = order.best(vector, 5)
    spoilt_order = replace(order, items=spoilt, tails=np.full_like(order.tails, np.nan))
    assert spoilt_order.best(vector, 5)[0].tolist() == rows.tolist()


def test_no_kind_of_array_is_compiled_for_anew():
    """A compiler that runs in a request keeps it waiting for seconds."""
    rng = np.random.default_rng(0)
    order = NormOrder.of(rng.normal(size=(50, 6)).astype(np.float32))
    vectors = rng.normal(size=(4, 6)).astype(np.float32)
    mask, seen = np.ones(100, np.bool_), np.arange(0, 20, 2)
    asked = [(vectors[0], mask[:50], seen)]
    for array in (vectors, mask, seen):
        array.flags.writeable = False
    asked += [(vectors[1], mask[::2], seen[::2]), (vectors[2], None, None)]
    for one in asked[:1]:
        order.best(one[0], 3, *one[1:])
        order.score(one[0])
    compiled = len(best_of.signatures), len(score_rows.signatures)
    for vector, allowed, left_out in asked:
        order.best(vector, 3, allowed, left_out)
        order.score(vector, left_out)
    assert (len(best_of.signatures), len(score_rows.signatures)) == compiled
