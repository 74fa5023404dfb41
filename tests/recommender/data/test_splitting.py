import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender import Ratings
from recommender.data.splitting import last_of_each_user
from recommender.errors import InvalidInputError

entries = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 30), st.integers(0, 20)),
    unique_by=lambda entry: entry[:2],
    min_size=1,
    max_size=80,
)


@given(entries, st.sampled_from([0.1, 0.2, 0.25, 0.5, 0.9]))
def test_of_each_user_the_last_part_by_time_is_held_out(given_entries, fraction):
    users, items, times = zip(*given_entries, strict=True)
    split = last_of_each_user(Ratings.from_arrays(users, items, timestamps=times), fraction)
    for user in set(users):
        mine = sorted((t, item) for u, item, t in given_entries if u == user)
        n_held = int(len(mine) * fraction + 1e-9)
        expected = [item for _, item in mine[len(mine) - n_held :]]
        row = split.test.users.row(user)
        test_items = split.test.items.ids[split.test.of_user(row)[0]]
        train_items = split.train.items.ids[split.train.of_user(row)[0]]
        assert sorted(test_items.tolist()) == sorted(expected)
        assert sorted([*test_items, *train_items]) == sorted(item for _, item in mine)


def test_five_ratings_at_a_fifth_hold_out_one():
    ratings = Ratings.from_arrays([1] * 5, [1, 2, 3, 4, 5], timestamps=[5, 4, 3, 2, 1])
    split = last_of_each_user(ratings, 0.2)
    assert split.test.items.ids[split.test.indices].tolist() == [1]


def test_without_time_there_is_no_last():
    with pytest.raises(InvalidInputError, match="timestamps"):
        last_of_each_user(Ratings.from_arrays([1], [1]))


@pytest.mark.parametrize("fraction", [0, 1, -0.1, np.nan])
def test_a_fraction_is_between_0_and_1(fraction):
    with pytest.raises(InvalidInputError, match="between 0 and 1"):
        last_of_each_user(Ratings.from_arrays([1], [1], timestamps=[1]), fraction)
