"""What every model that ranks must do, a baseline or a factorization; each one's test inherits it.

A ranker answers for users of its training (``score_users``) and for the histories of others
(``score_histories``), a batch at a time.
"""

import dataclasses
import inspect

import numpy as np
import pytest
from scipy.sparse import csr_array

from recommender import Ratings
from recommender.errors import InvalidInputError, InvalidOptionError, TooFewRatingsError
from tests.recommender.worlds import checkerboard, random_ratings


def with_holes() -> Ratings:
    """Users 0 and 13 have rated nothing, and nobody has rated the items 2 and 8."""
    rng = np.random.default_rng(5)
    stars = rng.integers(1, 11, (14, 9)) / 2 * (rng.random((14, 9)) < 0.4)
    stars[[0, 13]] = 0
    stars[:, [2, 8]] = 0
    return Ratings.from_sparse(csr_array(stars))


WORLDS = {
    "with holes": with_holes,
    "one rating": lambda: Ratings.from_arrays([7], [3], [4]),
    "one item": lambda: Ratings.from_arrays([0, 1, 2], [0, 0, 0], [1, 3, 5]),
    "one user": lambda: Ratings.from_arrays([0, 0, 0], [0, 1, 2], [1, 3, 5]),
    "one rating a user": lambda: Ratings.from_arrays(np.arange(10), np.arange(10) % 3),
    "everything by everybody": lambda: Ratings.from_arrays(*np.divmod(np.arange(60), 6)),
    "a checkerboard": lambda: checkerboard(8),
    "negative values": lambda: Ratings.from_arrays([0, 0, 1, 1], [0, 1, 0, 1], [-1, 2, 3, -4]),
    "zeros": lambda: Ratings.from_arrays([0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0]),
    "two values far apart": lambda: Ratings.from_arrays(
        [0, 0, 1, 1, 2], [0, 1, 0, 1, 1], [1e-6, 1e6, 1e6, 1e-6, 1]
    ),
}


class RankerContract:
    """Inherit, and give ``fit(ratings, **options)``."""

    worlds = WORLDS
    threads = False
    """Whether ``fit`` takes how many there shall be."""
    tolerance = 1e-5
    """How far what is equal on paper may be apart, relative to the largest score."""

    def fit(self, ratings, **options):
        raise AssertionError("each model's test says how it is fitted")

    def assert_same(self, one, other):
        scale = max(np.abs(one).max(initial=0), 1e-12)
        np.testing.assert_allclose(one, other, rtol=0, atol=self.tolerance * scale)

    # What is answered

    def test_there_is_a_finite_score_for_every_user_and_item(self):
        for name, world in self.worlds.items():
            ratings = world()
            model = self.fit(ratings)
            everyone = np.arange(ratings.n_users)
            for scores in (
                model.score_users(everyone),
                model.score_histories(ratings.by_user, everyone),
            ):
                assert scores.shape == (ratings.n_users, ratings.n_items), name
                assert scores.dtype == np.float32, name
                assert np.isfinite(scores).all(), name

    def test_a_user_alone_is_a_row_of_the_batch(self):
        ratings = with_holes()
        model = self.fit(ratings)
        rows = np.array([3, 0, 12, 3])
        batch = model.score_users(rows)
        assert batch.any()
        for place, row in enumerate(rows):
            alone = model.score_user(int(row))
            assert alone.shape == (ratings.n_items,)
            assert alone.dtype == np.float32
            self.assert_same(batch[place], alone)

    def test_nobody_is_an_empty_batch(self):
        ratings = with_holes()
        model = self.fit(ratings)
        nobody = np.empty(0, np.int64)
        assert model.score_users(nobody).shape == (0, ratings.n_items)
        assert model.score_histories(ratings.by_user, nobody).shape == (0, ratings.n_items)

    def test_a_history_says_as_much_as_being_known(self):
        """The ratings of a user of the training, given as those of a stranger."""
        ratings = with_holes()
        model = self.fit(ratings)
        some = ratings.select(np.isin(ratings.user_rows, [1, 4, 9]))
        rows = np.array([9, 1, 4, 9])
        self.assert_same(model.score_histories(some.by_user, rows), model.score_users(rows))

    def test_a_history_of_its_own_levels_is_read_by_its_values(self):
        """Other stars are there, under other codes."""
        ratings = with_holes()
        model = self.fit(ratings)
        alone = ratings.select(ratings.user_rows == 4)
        items, stars = alone.of_user(4)
        assert len(np.unique(stars)) < len(ratings.by_user.levels)
        narrow = np.zeros((2, ratings.n_items), np.float32)
        narrow[1, items] = stars
        history = Ratings.from_sparse(csr_array(narrow)).by_user
        self.assert_same(
            model.score_histories(history, np.array([1])), model.score_users(np.array([4]))
        )

    def test_the_answer_is_the_callers_own(self):
        """Whoever strikes out what was seen does not strike it out of the model."""
        ratings = with_holes()
        model = self.fit(ratings)
        rows = np.array([1, 2])
        for ask in (
            lambda: model.score_users(rows),
            lambda: model.score_histories(ratings.by_user, rows),
            lambda: model.score_user(1),
        ):
            before = ask().copy()
            ask()[...] = -np.inf
            np.testing.assert_array_equal(ask(), before)

    # What does not matter

    def test_the_order_of_the_ratings_does_not_matter(self):
        ratings = random_ratings(np.random.default_rng(2), n=60)
        users, items = ratings.users.ids[ratings.user_rows], ratings.items.ids[ratings.indices]
        mixed = np.random.default_rng(3).permutation(ratings.n_ratings)
        other = Ratings.from_arrays(users[mixed], items[mixed], ratings.values[mixed])
        everyone = np.arange(ratings.n_users)
        np.testing.assert_array_equal(
            self.fit(ratings).score_users(everyone), self.fit(other).score_users(everyone)
        )

    def test_ids_are_names_and_nothing_more(self):
        """The last come first: each user's scores of each item stay what they were."""
        ratings = random_ratings(np.random.default_rng(2), n=60)
        turned = Ratings.from_arrays(
            -ratings.users.ids[ratings.user_rows],
            -ratings.items.ids[ratings.indices],
            ratings.values,
        )
        everyone = np.arange(ratings.n_users)
        self.assert_same(
            self.fit(ratings).score_users(everyone),
            self.fit(turned).score_users(everyone)[::-1, ::-1],
        )

    def test_the_number_of_threads_does_not_matter(self):
        ratings = random_ratings(np.random.default_rng(0), n_users=900, n_items=300, n=60_000)
        everyone = np.arange(ratings.n_users)
        options = [{"threads": threads} for threads in (1, 2, 3, 7)] if self.threads else [{}]
        first, *others = (
            self.fit(ratings, **given).score_users(everyone) for given in [*options, options[0]]
        )
        for other in others:
            np.testing.assert_array_equal(first, other)

    def test_a_second_fit_leaves_the_first_alone(self):
        ratings = with_holes()
        model = self.fit(ratings)
        before = model.score_users(np.arange(5)).copy()
        self.fit(ratings.select(np.arange(ratings.n_ratings) % 2 == 0))
        np.testing.assert_array_equal(model.score_users(np.arange(5)), before)

    def test_the_model_cannot_be_written(self):
        model = self.fit(with_holes())
        for field in dataclasses.fields(model):
            value = getattr(model, field.name)
            if isinstance(value, np.ndarray):
                assert not value.flags.writeable, field.name
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(model, field.name, value)

    # What is refused

    def test_too_little_to_learn_from_is_said(self):
        with pytest.raises(TooFewRatingsError, match="there are no ratings"):
            self.fit(Ratings.from_sparse(csr_array((5, 4), dtype=np.float32)))

    @pytest.mark.parametrize("row", [-1, 14])
    def test_a_user_that_is_not_there_is_refused(self, row):
        with pytest.raises(InvalidInputError, match=f"is {row}; there are 14 users"):
            self.fit(with_holes()).score_users(np.array([row]))

    @pytest.mark.parametrize("columns", [1, 10])
    def test_histories_of_other_items_are_refused(self, columns):
        model = self.fit(with_holes())
        other = Ratings.from_sparse(csr_array(np.ones((3, columns), np.float32)))
        with pytest.raises(InvalidInputError, match=f"{columns} items"):
            model.score_histories(other.by_user, np.array([0]))

    @pytest.mark.parametrize("row", [-1, 14])
    def test_a_history_that_is_not_there_is_refused(self, row):
        ratings = with_holes()
        with pytest.raises(InvalidInputError, match=rf"rows\[1\] is {row}; .* 14 "):
            self.fit(ratings).score_histories(ratings.by_user, np.array([0, row]))

    def test_rows_that_are_no_whole_numbers_are_refused(self):
        ratings = with_holes()
        with pytest.raises(InvalidInputError, match="whole numbers in one dimension"):
            self.fit(ratings).score_histories(ratings.by_user, np.array([0.5]))
        with pytest.raises(InvalidInputError, match="whole numbers in one dimension"):
            self.fit(ratings).score_histories(ratings.by_user, np.array([[0]]))


class OptionsContract:
    """Inherit, and give the class that holds the options as ``constructor``, and their table."""

    constructor = None
    table = ()

    def test_the_constructor_has_the_options_and_defaults_of_the_table(self):
        parameters = inspect.signature(self.constructor).parameters
        assert {name: p.default for name, p in parameters.items()} == {
            option.name: option.default for option in self.table
        }

    def test_an_option_out_of_range_says_what_is_allowed(self):
        for option in self.table:
            wrong = ["loud", True, float("nan"), float("inf")]
            if option.minimum is not None:
                wrong.append(option.minimum - 1)
            if option.maximum is not None:
                wrong.append(option.maximum + 1)
            for value in wrong:
                with pytest.raises(InvalidOptionError) as caught:
                    self.constructor(**{option.name: value})
                assert str(caught.value).startswith(f"{option.name} must be {option.allowed}")
