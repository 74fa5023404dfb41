"""Numbers for what is different: the hash table against a dictionary."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.arrays import frozen
from recommender.counting import number_distinct


def check(keys, most):
    numbers = np.zeros(len(keys), np.int32)
    distinct = number_distinct(frozen(keys), numbers, most)
    expected = {}
    for key in keys.tolist():
        expected.setdefault(key, len(expected))
    if len(expected) > most:
        assert distinct is None
    else:
        assert distinct.tolist() == list(expected)
        assert numbers.tolist() == [expected[key] for key in keys.tolist()]


whole = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-5, 5),
    st.integers(0, 7).map(lambda n: n << 60),  # what differs in the highest bits alone
)


@given(st.lists(whole, max_size=300), st.integers(1, 300))
def test_keys_are_numbered_as_they_appear(keys, most):
    check(np.array(keys, dtype=np.int64), most)


@pytest.mark.parametrize("n", [511, 512, 513, 4096, 4097, 100_000])
@pytest.mark.parametrize("step", [1, 1 << 20, 1 << 45, -(1 << 33)])
def test_the_table_grows_whatever_the_pattern(n, step):
    with np.errstate(over="ignore"):
        keys = np.repeat(np.arange(n) * np.int64(step), 2)
    check(keys, 2**31 - 1)


@pytest.mark.parametrize("n", [2, 256, 513, 700, 4097, 5000])
def test_as_many_as_may_be_are_numbered_and_not_one_more(n):
    keys = np.random.default_rng(n).permutation(np.repeat(np.arange(n), 3))
    check(keys, n)
    check(keys, n + 1)
    check(keys, n - 1)
