"""Every model by name: made with its own options, and able to do what the table says."""

import dataclasses
import inspect

import pytest

from recommender.errors import InvalidOptionError
from recommender.models.by_name import MODELS, named_model
from recommender.models.factor_model import FactorModel
from tests.recommender.worlds import low_rank_stars

ABILITIES = {
    "ranks": "score_users", "folds_in": "score_histories", "predicts_stars": "predict",
}  # fmt: skip


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_a_model_does_what_the_table_says(model):
    made = model.make({})
    trained = made.fit(low_rank_stars(20, 10))
    for ability, method in ABILITIES.items():
        # FactorModel can all of it; the ranking factorization's predictions are no stars.
        if getattr(model, ability):
            assert callable(getattr(trained, method))
    assert next(iter(inspect.signature(made.fit).parameters)) == "ratings"


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_its_options_are_those_of_its_class(model):
    made = model.make({})
    if model.options:
        assert [option.name for option in model.options] == [
            field.name for field in dataclasses.fields(made)
        ]
        assert model.options_of(made) == {o.name: o.default for o in model.options}


def test_what_a_model_has_made_is_known_again():
    made = {name: model.make({}) for name, model in MODELS.items()}
    for name, model in MODELS.items():
        assert [other for other, thing in made.items() if model.has_made(thing)] == [name]


def test_what_serves_is_what_a_recipe_can_hold():
    """A half of a generation is a factorization: what answers by vectors and biases."""
    for model in MODELS.values():
        trained = model.make({}).fit(low_rank_stars(20, 10))
        assert bool(model.serves) == isinstance(trained, FactorModel)
        assert (model.serves == "stars") == (bool(model.serves) and model.predicts_stars)


def test_an_option_of_another_model_is_refused():
    with pytest.raises(InvalidOptionError, match="factors is no option of popularity; it has none"):
        named_model("popularity").make({"factors": 3})
    with pytest.raises(InvalidOptionError, match="neighbours is no option of ease; it has regul"):
        named_model("ease").make({"neighbours": 3})
    with pytest.raises(InvalidOptionError, match="factors must be a whole number from 1 to 2048"):
        named_model("implicit-als").make({"factors": "many"})


def test_an_unknown_model_is_refused_with_the_known_ones():
    with pytest.raises(InvalidOptionError, match="no model 'svd'; known are: implicit-als, biased"):
        named_model("svd")
