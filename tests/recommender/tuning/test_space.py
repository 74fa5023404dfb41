"""What is searched: within what models take, and λ at one strength whatever ν."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender import Ratings
from recommender.errors import InvalidOptionError
from recommender.training import Recipe, recipe_for
from recommender.tuning import TUNABLES, Dimension, regularization_at, tunable
from tests.recommender.worlds import random_ratings, seeds

SCALED = {"regularization"}
"""Searched at ν = 1, whatever the ν of the trial."""

every_model = pytest.mark.parametrize("tuned", TUNABLES.values(), ids=list(TUNABLES))


@every_model
def test_every_place_of_the_space_is_allowed(tuned):
    ratings = random_ratings(np.random.default_rng(0))
    for end in ("low", "high"):
        place = {d.name: d.choices[-1] if d.choices else getattr(d, end) for d in tuned.dimensions}
        made = tuned.model.make(tuned.options_at(place, ratings))
        assert {name: getattr(made, name) for name in place if name not in SCALED} == {
            name: value for name, value in place.items() if name not in SCALED
        }


@every_model
def test_a_dimension_is_an_option_and_defaults_are_whole(tuned):
    names = [option.name for option in tuned.model.options]
    assert {d.name for d in tuned.dimensions} <= set(names)
    assert set(tuned.defaults) == set(names)
    assert "epochs" not in {d.name for d in tuned.dimensions}
    assert (tuned.longest is not None) == ("epochs" in names)


@every_model
def test_the_search_starts_from_the_defaults(tuned):
    ratings = random_ratings(np.random.default_rng(1))
    assert tuned.options_at(tuned.start(ratings), ratings) == dict(tuned.defaults)


@pytest.mark.parametrize("name", ["implicit-als", "biased-als"])
@pytest.mark.parametrize("scaling", [0.0, 0.4, 1.0])
def test_the_strength_of_a_place_stays_whatever_its_scaling(name, scaling):
    ratings, tuned = random_ratings(np.random.default_rng(2), n=90), tunable(name)
    place = tuned.start(ratings) | {"regularization": 0.02, "frequency_scaling": scaling}
    options = tuned.options_at(place, ratings)
    alpha = options.get("unobserved_weight", 0.0)
    assert options["regularization"] == pytest.approx(
        regularization_at(ratings, 0.02, scaling, alpha), rel=1e-3
    )
    assert (options["regularization"] == 0.02) == (scaling == 1)


def test_sized_defaults_are_those_that_training_takes():
    ratings = random_ratings(np.random.default_rng(0), 300, 200, 3000)
    recipe = recipe_for(ratings)
    assert tunable("implicit-als").sized(ratings).defaults == recipe.ranking.options()
    assert tunable("biased-als").sized(ratings).defaults == recipe.stars.options()
    assert tunable("ease").sized(ratings) == tunable("ease")


def test_the_defaults_are_those_of_the_training():
    assert TUNABLES["implicit-als"].defaults == Recipe().ranking.options()
    assert TUNABLES["biased-als"].defaults == Recipe().stars.options()


@given(seeds, st.floats(0, 2), st.floats(0, 2), st.floats(1e-4, 10))
def test_the_same_strength_regularizes_as_much_at_any_scaling(seed, scaling, alpha, strength):
    ratings = random_ratings(np.random.default_rng(seed))
    found = regularization_at(ratings, strength, scaling, alpha)
    total = at_one = 0.0
    for counts, others in (
        (np.diff(ratings.indptr), ratings.n_items),
        (np.diff(ratings.by_item.indptr), ratings.n_users),
    ):
        for n in counts:
            total += found * (n + alpha * others) ** scaling
            at_one += strength * (n + alpha * others)
    assert total == pytest.approx(at_one)


def test_a_row_without_ratings_does_not_count():
    whole = Ratings.from_arrays([0, 0, 1, 1, 2], [0, 1, 0, 1, 0])
    less = whole.select(np.array([True, True, True, True, False]))
    full = Ratings.from_arrays([0, 0, 1, 1], [0, 1, 0, 1])
    assert regularization_at(less, 0.1, 0.0) == regularization_at(full, 0.1, 0.0)


class TestARangeOfOnesOwn:
    def test_of_one_number_it_is_fixed(self):
        fixed = tunable("implicit-als").within("factors", 24, 24)
        assert fixed.defaults["factors"] == 24
        assert "factors" not in {d.name for d in fixed.dimensions}
        ratings = random_ratings(np.random.default_rng(0))
        assert fixed.options_at(fixed.start(ratings), ratings)["factors"] == 24

    @pytest.mark.parametrize(("low", "high", "start"), [(2, 8, 8), (100, 300, 100), (8, 80, 64)])
    def test_the_default_moves_to_its_nearest_end(self, low, high, start):
        ranged = tunable("implicit-als").within("factors", low, high)
        assert ranged.defaults["factors"] == start
        assert Dimension("factors", low, high, log=True) in ranged.dimensions

    @pytest.mark.parametrize(
        ("low", "high", "said"),
        [(0, 8, "from 1 to 2048"), (8, 5000, "from 1 to 2048"), (9, 8, "the range 9-8 is empty")],
    )
    def test_senseless_ranges(self, low, high, said):
        with pytest.raises(InvalidOptionError, match=said):
            tunable("implicit-als").within("factors", low, high)

    def test_an_option_that_the_model_does_not_have(self):
        with pytest.raises(InvalidOptionError, match="factors is no option of ease"):
            tunable("ease").within("factors", 1, 2)


def test_an_unknown_model():
    with pytest.raises(InvalidOptionError, match="implicit-als or biased-als"):
        tunable("als")


class TestTheEdge:
    @pytest.mark.parametrize(
        ("value", "end"), [(16, 16), (17, None), (200, None), (240, None), (243, 256), (256, 256)]
    )
    def test_within_a_fiftieth_of_the_range_in_steps_of_the_search(self, value, end):
        assert Dimension("factors", 16, 256, log=True).edge(value) == end

    def test_of_plain_steps_and_of_words(self):
        power = Dimension("weight_power", 0.0, 4.0)
        assert [power.edge(x) for x in (0.0, 0.07, 0.09, 3.91, 3.93)] == [0.0, 0.0, None, None, 4.0]
        assert Dimension("values", choices=("ones", "stars")).edge("ones") is None

    def test_an_end_that_the_model_sets_is_none(self):
        tuned = tunable("implicit-als").within("factors", 1, 64)
        place = {"regularization": 0.01, "unobserved_weight": 0.1, "frequency_scaling": 1.0,
                 "weight_power": 0.0, "factors": 1}  # fmt: skip
        assert tuned.edges(place) == {}
        found = tuned.edges(place | {"factors": 64, "regularization": 0.3})
        assert {d.name: end for d, end in found.items()} == {"factors": 64, "regularization": 0.3}
