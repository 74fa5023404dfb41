"""One table: the constructors have its defaults, and its ranges in words."""

import inspect

import pytest

from recommender import BiasedALS, ImplicitALS
from recommender.models.options import BIASED_ALS, IMPLICIT_ALS


@pytest.mark.parametrize(("model", "table"), [(ImplicitALS, IMPLICIT_ALS), (BiasedALS, BIASED_ALS)])
def test_the_constructor_has_the_options_and_defaults_of_the_table(model, table):
    parameters = inspect.signature(model).parameters
    assert {name: p.default for name, p in parameters.items()} == {
        option.name: option.default for option in table
    }


def test_ranges_are_written_in_full():
    allowed = {option.name: option.allowed for option in IMPLICIT_ALS}
    assert allowed["seed"] == "a whole number from 0 to 4294967295"
    assert allowed["regularization"] == "a number from 0 to 1000000"
    assert allowed["init_scale"] == "a number from 1e-09 to 1000"
