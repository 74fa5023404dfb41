"""Numbers to some decimals: those that Python's round gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.data.decimals import to_decimals

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(floats, max_size=20), st.integers(0, 6))
def test_are_those_of_round(values, decimals):
    told = to_decimals(np.array(values, np.float32), decimals)
    assert told == [round(float(np.float32(value)), decimals) for value in values]


@given(st.lists(st.floats(-100, 100, width=32)), st.floats(-50, 0), st.floats(0, 50))
def test_stay_within_bounds(values, low, high):
    told = to_decimals(np.array(values, np.float32), 2, low, high)
    assert told == [min(max(round(float(value), 2), low), high) for value in values]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 3.4028234663852886e38])
def test_what_is_no_number_stays_what_it_is(value):
    (told,) = to_decimals(np.array([value], np.float32), 6)
    assert told == value or (math.isnan(told) and math.isnan(value))
