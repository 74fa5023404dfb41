"""Whole users held out: nobody in two parts, nothing lost but what is counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender import Ratings
from recommender.data.held_out_users import held_out_users
from recommender.errors import InvalidInputError

worlds = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 30)), unique=True, min_size=2, max_size=80
).filter(lambda pairs: len({user for user, _ in pairs}) > 1)


def ratings_of(pairs):
    users, items = zip(*pairs, strict=True)
    stars = [100 * user + item for user, item in pairs]
    return Ratings.from_arrays(users, items, stars, [7 * star for star in stars])


def listed(ratings):
    users, items = ratings.users.ids[ratings.user_rows], ratings.items.ids[ratings.indices]
    assert (ratings.values == 100 * users + items).all()
    assert (ratings.timestamps == 7 * (100 * users + items)).all()
    return set(zip(users.tolist(), items.tolist(), strict=True))


@given(worlds, st.data(), st.sampled_from([0.2, 0.5, 0.9]), st.integers(0, 2**32 - 1))
def test_users_and_ratings_are_in_one_part(pairs, data, fraction, seed):
    whole = ratings_of(pairs)
    n_users = data.draw(st.integers(1, len({user for user, _ in pairs}) - 1))
    split = held_out_users(whole, n_users, fraction, seed)
    for part in (split.train, split.fold_in, split.test):
        assert part.users is whole.users
        assert part.items is whole.items
    held = set(whole.users.ids[split.user_rows].tolist())
    assert len(held) == n_users
    assert split.user_rows.dtype == np.int64
    assert sorted(held) == whole.users.ids[split.user_rows].tolist()
    train, fold_in, test = listed(split.train), listed(split.fold_in), listed(split.test)
    assert train == {pair for pair in pairs if pair[0] not in held}
    known = {item for _, item in train}
    unknown = {(user, item) for user, item in pairs if user in held and item not in known}
    assert split.removed_ratings == len(unknown)
    assert split.removed_items == len({item for _, item in unknown})
    assert not fold_in & test
    assert fold_in | test == set(pairs) - train - unknown
    for user in held:
        n_known = sum(pair[0] == user for pair in fold_in | test)
        assert sum(pair[0] == user for pair in test) == int(n_known * fraction + 1e-9)


@given(worlds, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_the_order_in_which_ratings_were_given_does_not_matter(pairs, seed, shuffled):
    mixed = [pairs[i] for i in np.random.default_rng(shuffled).permutation(len(pairs))]
    one, other = (held_out_users(ratings_of(p), 1, 0.5, seed) for p in (pairs, mixed))
    assert (one.user_rows == other.user_rows).all()
    assert listed(one.test) == listed(other.test)
    assert listed(one.fold_in) == listed(other.fold_in)


def test_the_seed_decides_who_and_what():
    users, items = np.divmod(np.arange(600), 20)
    ratings = Ratings.from_arrays(users, items)
    one, same, other = (held_out_users(ratings, 10, seed=seed) for seed in (1, 1, 2))
    assert (one.user_rows == same.user_rows).all()
    assert (one.test.indices == same.test.indices).all()
    assert (one.user_rows != other.user_rows).any()


def test_every_user_and_every_rating_has_the_same_chance():
    users, items = np.divmod(np.arange(24), 4)
    ratings = Ratings.from_arrays(users, items)
    n, held, tested = 2000, np.zeros(6), np.zeros(4)
    for seed in range(n):
        split = held_out_users(ratings, 2, 0.25, seed)
        held[split.user_rows] += 1
        np.add.at(tested, split.test.indices, 1)
    assert held.sum() == tested.sum() == 2 * n
    assert abs(held - n / 3).max() < 5 * np.sqrt(n / 3)
    assert abs(tested - n / 2).max() < 5 * np.sqrt(n / 2)


def test_a_user_of_unknown_items_alone_is_held_out_with_nothing():
    ratings = Ratings.from_arrays([1, 1, 2, 2], [5, 6, 7, 8])
    split = held_out_users(ratings, 1)
    assert len(split.user_rows) == 1
    assert (len(split.train), len(split.fold_in), len(split.test)) == (2, 0, 0)
    assert (split.removed_ratings, split.removed_items) == (2, 2)


def test_users_without_ratings_are_not_drawn():
    ratings = Ratings.from_arrays([1, 2, 3, 4], [5, 5, 5, 5])
    some = ratings.select(ratings.user_rows > 1)
    assert {int(held_out_users(some, 1, seed=seed).user_rows[0]) for seed in range(20)} == {2, 3}
    with pytest.raises(InvalidInputError, match=r"users with ratings, here 2,.* found 2"):
        held_out_users(some, 2)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"n_users": 3}, "less than the number of users with ratings, here 3,.* found 3"),
        ({"n_users": 100}, "found 100"),
        ({"n_users": 0}, "n_users must be a whole number of at least 1; found 0"),
        ({"n_users": 1.5}, "found 1.5"),
        ({"n_users": 1, "fraction": 1.0}, "fraction must lie between 0 and 1; found 1.0"),
        ({"n_users": 1, "seed": None}, "seed must be a whole number of at least 0; found None"),
    ],
)
def test_senseless_arguments_are_refused(asked, words):
    with pytest.raises(InvalidInputError, match=words):
        held_out_users(Ratings.from_arrays([1, 2, 3], [5, 5, 5]), **asked)
