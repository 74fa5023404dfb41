"""One row's entries in whole groups: what fills up says nothing."""

import numpy as np
import pytest

from recommender.arrays import frozen
from recommender.compiling import kernel
from recommender.solvers.entries import AHEAD, load_entries


@kernel
def call(begin, n, indices, codes, roots, goals, baselines, chosen, scale, target):
    return load_entries(begin, n, indices, codes, roots, goals, baselines, chosen, scale, target)


@pytest.mark.parametrize("with_baselines", [False, True])
@pytest.mark.parametrize("n", [1, 7, 8, 9, 16])
def test_entries_are_laid_out_with_their_weights(n, with_baselines):
    rng = np.random.default_rng(n)
    indices = np.sort(rng.choice(40, 30, replace=False)).astype(np.int32)
    codes = rng.integers(0, 3, 30).astype(np.uint8)
    roots, goals = rng.uniform(0, 2, (2, 3)).astype(np.float32)
    baselines = rng.normal(size=40 if with_baselines else 0).astype(np.float32)
    whole = -(-n // 8) * 8
    chosen = np.full(whole + AHEAD, -1, np.int32)
    scale, target = np.full((2, whole), np.nan, np.float32)
    given = (frozen(a) for a in (indices, codes, roots, goals, baselines))
    assert call(5, n, *given, chosen, scale, target) == whole
    here = slice(5, 5 + n)
    expected = goals[codes[here]]
    if with_baselines:
        expected = expected - baselines[indices[here]]
    np.testing.assert_array_equal(chosen[:n], indices[here])
    np.testing.assert_array_equal(scale[:n], roots[codes[here]])
    np.testing.assert_allclose(target[:n], roots[codes[here]] * expected, rtol=1e-6)
    assert not scale[n:].any()
    assert not target[n:].any()
    assert (chosen[n:] == indices[4 + n]).all()
