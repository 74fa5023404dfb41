"""What a rating's stars do to its weight."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.data.weighting import confidence
from recommender.models.objective import from_json, to_json

stars = st.lists(st.integers(-2, 10).map(lambda halves: halves / 2), min_size=1, max_size=30)


@given(stars, st.floats(0, 4), st.floats(0.5, 5))
def test_each_weight_is_the_power_by_hand(values, power, typical):
    given_values = np.array(values, np.float32)
    by_hand = [math.pow(value / typical, power) if value > 0 else 0.0 for value in values]
    weights = confidence(given_values, "stars", typical, power)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights, by_hand, rtol=1e-5, atol=1e-7)


@given(stars, st.floats(0, 4))
def test_uniform_weights_are_ones_whatever_the_power(values, power):
    assert (confidence(np.array(values, np.float32), "uniform", 3.5, power) == 1).all()


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, 7.5])
def test_the_typical_rating_weighs_one(power):
    assert confidence(np.array([3.5], np.float32), "stars", 3.5, power)[0] == pytest.approx(1)


def test_an_objective_from_before_there_was_a_power_weighs_by_the_square():
    fields = {
        "kind": "implicit", "regularization": 0.01, "unobserved_weight": 0.1,
        "frequency_scaling": 1.0, "weighting": "stars", "typical_value": 2.0,
    }  # fmt: skip
    objective = from_json(fields)
    np.testing.assert_array_equal(objective.weights(np.array([4.0], np.float32)), [4.0])
    assert to_json(objective)["weight_power"] == 2
