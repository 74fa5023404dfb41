"""What a training learns of genres, years and tags."""

import numpy as np
import pytest

from recommender import ImplicitALS
from recommender.attributes import ItemAttributes, trust
from recommender.attributes.learned import with_bias
from recommender.errors import InvalidInputError
from recommender.training import Recipe, train
from tests.recommender.worlds import checkerboard


class TestTraining:
    """Even items are comedies, odd ones dramas; even users rate the even ones."""

    @pytest.fixture(scope="class", name="trained")
    @classmethod
    def _trained(cls):
        board = checkerboard(20)
        kinds = [["Comedy"] if item % 2 == 0 else ["Drama"] for item in range(20)]
        items = ItemAttributes.from_movies(kinds, [1990] * 20, [[]] * 20)
        return train(board, Recipe(ImplicitALS(factors=2)), items=items)

    def test_a_new_comedy_is_for_those_who_rate_comedies(self, trained):
        new = ItemAttributes.from_movies([["comedy"], ["drama"]], [1991, 1992], [[], []])
        vectors = trained.attributes.ranking.predict(new)
        assert vectors.shape == (2, 3)
        assert not vectors[:, -1].any()  # a ranking model has no biases
        scores = trained.ranking.user_factors @ vectors[:, :-1].T
        comedy_first = scores[:, 0] > scores[:, 1]
        np.testing.assert_array_equal(comedy_first, np.arange(20) % 2 == 0)

    def test_the_model_of_stars_has_its_map_with_biases(self, trained):
        table = with_bias(trained.stars.item_factors, trained.stars.item_biases)
        told = trained.attributes.stars.predict(ItemAttributes.from_movies([[]], [None], [[]]))
        np.testing.assert_allclose(told[0], table.mean(axis=0), atol=1e-5)
        assert trained.attributes.stars.features is trained.attributes.ranking.features

    def test_without_attributes_there_are_no_maps_and_the_same_models(self, trained):
        bare = train(checkerboard(20), Recipe(ImplicitALS(factors=2)))
        assert bare.attributes is None
        np.testing.assert_array_equal(bare.ranking.item_factors, trained.ranking.item_factors)

    def test_as_many_as_the_items_or_none(self):
        few = ItemAttributes.from_movies([[]], [None], [[]])
        with pytest.raises(InvalidInputError, match=r"of the 20 items .* found 1"):
            train(checkerboard(20), items=few)

    def test_items_that_nobody_has_rated_teach_nothing(self):
        """A movie without ratings has a zero vector, which is not what its kind is like."""
        board = checkerboard(20)
        unrated = board.select(board.indices >= 10)
        kinds = [["a"] if item < 10 else ["b"] for item in range(20)]
        items = ItemAttributes.from_movies(kinds, [None] * 20, [[]] * 20)
        learned = train(unrated, Recipe(ImplicitALS(factors=2)), items=items).attributes
        told = learned.ranking.predict(items.select(np.array([0, 10])))
        # Of the genre a nothing is learned: it is as the average movie of genre b.
        np.testing.assert_allclose(told[0], told[1], rtol=1e-4, atol=1e-6)


def test_trust_grows_with_the_ratings_and_is_never_whole():
    np.testing.assert_allclose(trust(np.array([0, 10, 90])), [0, 0.5, 0.9])
