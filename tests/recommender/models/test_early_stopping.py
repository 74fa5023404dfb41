"""A training that is watched ends when it gets no better, and what was best is kept."""

import numpy as np
import pytest

from recommender import BiasedALS, ImplicitALS
from recommender.errors import InvalidInputError
from tests.recommender.models.trainings import SOLVERS
from tests.recommender.worlds import random_ratings

ALS = [
    *(ImplicitALS(factors, solver=solver) for factors in (3, 16) for solver in SOLVERS),
    BiasedALS(3),
    BiasedALS(16, biases=False),
]
"""With 16 factors the model holds the very tables that training writes to."""

every_als = pytest.mark.parametrize("als", ALS, ids=repr)


def world():
    return random_ratings(np.random.default_rng(0), 40, 30, 400)


class Judge:
    """Gives the scores that it was told to give, and remembers what it was shown."""

    def __init__(self, *scores):
        self.scores, self.seen, self.kept = list(scores), [], []

    def __call__(self, model):
        self.seen.append(model)
        arrays = (model.user_factors, model.item_factors, model.user_biases, model.item_biases)
        self.kept.append([None if array is None else array.copy() for array in arrays])
        return self.scores[len(self.seen) - 1]


def stopped(als, judge, patience):
    epochs = []
    model = als.fit(
        world(), lambda epoch, *_: epochs.append(epoch), validate=judge, patience=patience
    )
    assert len(epochs) == len(judge.seen)
    return model, len(epochs)


def with_epochs(als, epochs):
    return type(als)(**als.options() | {"epochs": epochs})


@every_als
def test_it_ends_when_the_score_does_not_rise_and_keeps_the_best_epoch(als):
    judge = Judge(0.1, 0.3, 0.3, 0.2, 0.4)  # 0.4 is never seen
    model, epochs = stopped(als, judge, patience=2)
    assert epochs == 4
    best = with_epochs(als, 2).fit(world())
    np.testing.assert_allclose(
        model.user_factors @ model.item_factors.T,
        best.user_factors @ best.item_factors.T,
        atol=1e-4,
    )
    last = with_epochs(als, 4).fit(world())
    assert not np.allclose(
        model.user_factors @ model.item_factors.T,
        last.user_factors @ last.item_factors.T,
        atol=1e-3,
    )
    if model.item_biases is not None:
        np.testing.assert_allclose(model.item_biases, best.item_biases, atol=1e-5)
        np.testing.assert_allclose(model.user_biases, best.user_biases, atol=1e-4)


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 6), (3, 8)])
def test_patience_is_counted_from_the_best(patience, epochs):
    judge = Judge(1, 2, 1, 3, 2, 1, 2, *range(10, 30))
    if patience == 3:
        judge = Judge(1, 2, 1, 1, 3, 2, 1, 2, *range(10, 30))
    _, ended = stopped(ImplicitALS(3), judge, patience)
    assert ended == epochs


def test_while_the_score_rises_it_goes_on_to_the_end():
    judge = Judge(*range(100))
    model, epochs = stopped(ImplicitALS(3, epochs=7), judge, patience=1)
    assert epochs == 7
    unwatched = ImplicitALS(3, epochs=7).fit(world())
    np.testing.assert_array_equal(model.item_factors, unwatched.item_factors)


@every_als
def test_the_model_that_is_judged_never_changes_afterwards(als):
    judge = Judge(*range(100))
    stopped(with_epochs(als, 6), judge, patience=1)
    for model, kept in zip(judge.seen, judge.kept, strict=True):
        now = (model.user_factors, model.item_factors, model.user_biases, model.item_biases)
        for array, copy in zip(now, kept, strict=True):
            assert (array is None) == (copy is None)
            if array is not None:
                np.testing.assert_array_equal(array, copy)
                assert not array.flags.writeable
    products = [model.user_factors @ model.item_factors.T for model in judge.seen]
    assert not np.allclose(products[0], products[-1], atol=1e-3)


@every_als
def test_to_be_watched_changes_nothing(als):
    watched, _ = stopped(with_epochs(als, 4), Judge(*range(100)), patience=1)
    unwatched = with_epochs(als, 4).fit(world())
    np.testing.assert_array_equal(watched.user_factors, unwatched.user_factors)
    np.testing.assert_array_equal(watched.item_factors, unwatched.item_factors)


def test_the_best_may_be_the_first_even_of_the_worst():
    model, epochs = stopped(ImplicitALS(3), Judge(-np.inf, -np.inf, -np.inf), patience=2)
    assert epochs == 3
    best = ImplicitALS(3, epochs=1).fit(world())
    np.testing.assert_array_equal(model.item_factors, best.item_factors)


@pytest.mark.parametrize("when", [0, 2])
def test_a_score_that_is_no_number_is_refused(when):
    scores = [1.0, 2.0, 3.0]
    scores[when] = np.nan
    with pytest.raises(InvalidInputError, match="validate returned NaN"):
        stopped(ImplicitALS(3), Judge(*scores), patience=2)


def test_an_error_in_validate_comes_out_as_it_is():
    with pytest.raises(ZeroDivisionError):
        ImplicitALS(3).fit(world(), validate=lambda _: 1 / 0)
