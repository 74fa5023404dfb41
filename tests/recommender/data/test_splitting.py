"""Splits: nothing lost, nothing twice, and what the rules say for each user."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender import Ratings
from recommender.data import last_in_rows, splitting
from recommender.data.splitting import (
    before_and_after,
    k_fold,
    last_n_of_each_user,
    last_of_each_user,
    random_share,
)
from recommender.errors import TooFewRatingsError

FRACTIONS = st.sampled_from([0.1, 0.2, 0.25, 0.5, 0.9])
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True, scope="module", params=[5, None], ids=["small blocks", "blocks"])
def _blocks(request):
    with pytest.MonkeyPatch.context() as patch:
        if request.param:
            patch.setattr(last_in_rows, "_BLOCK", request.param)
        yield


entries = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 30), st.integers(0, 20)),
    unique_by=lambda entry: entry[:2],
    min_size=1,
    max_size=80,
)
"""User, item, time; few different times, so that many are equal."""


def ratings_of(given_entries):
    """Stars say which entry it is, so that none can be mistaken for another."""
    users, items, times = zip(*given_entries, strict=True)
    stars = [1000 * user + item for user, item, _ in given_entries]
    return Ratings.from_arrays(users, items, stars, times)


def listed(ratings):
    """All entries as a set; one that stands twice fails."""
    users, items = ratings.users.ids[ratings.user_rows], ratings.items.ids[ratings.indices]
    assert (ratings.values == 1000 * users + items).all()
    found = list(zip(users.tolist(), items.tolist(), ratings.timestamps.tolist(), strict=True))
    assert len(found) == len(set(found))
    return set(found)


def parts_of(split, whole):
    """Both parts as sets, after checking that they are a partition with rows that agree."""
    for part in (split.train, split.test):
        assert part.users is whole.users
        assert part.items is whole.items
    train, test = listed(split.train), listed(split.test)
    assert not train & test
    assert train | test == listed(whole)
    return train, test


def of_users(given_entries):
    """Return each user's entries, by time and item."""
    users = sorted({user for user, _, _ in given_entries})
    in_time = sorted(given_entries, key=lambda entry: (entry[2], entry[1]))
    return [[entry for entry in in_time if entry[0] == user] for user in users]


@given(entries, FRACTIONS)
def test_of_each_user_the_last_part_by_time_is_held_out(given_entries, fraction):
    whole = ratings_of(given_entries)
    _, test = parts_of(last_of_each_user(whole, fraction), whole)
    expected = set()
    for mine in of_users(given_entries):
        n_held = int(len(mine) * fraction + 1e-9)
        expected |= set(mine[len(mine) - n_held :])
    assert test == expected


@given(entries, st.integers(1, 4))
def test_of_each_user_the_last_n_are_held_out(given_entries, n):
    whole = ratings_of(given_entries)
    _, test = parts_of(last_n_of_each_user(whole, n), whole)
    assert test == {
        entry for mine in of_users(given_entries) if len(mine) > n for entry in mine[-n:]
    }


@given(entries, FRACTIONS, SEEDS)
def test_of_each_user_a_share_is_held_out(given_entries, fraction, seed):
    whole = ratings_of(given_entries)
    split = random_share(whole, fraction, seed, per_user=True)
    parts_of(split, whole)
    held_out = [int(len(mine) * fraction + 1e-9) for mine in of_users(given_entries)]
    assert np.diff(split.test.indptr).tolist() == held_out


@given(entries, FRACTIONS, SEEDS)
def test_of_all_ratings_a_share_is_held_out(given_entries, fraction, seed):
    whole, n_held = ratings_of(given_entries), int(len(given_entries) * fraction + 1e-9)
    if n_held == 0:
        with pytest.raises(TooFewRatingsError, match="is less than one"):
            random_share(whole, fraction, seed)
        return
    split = random_share(whole, fraction, seed)
    parts_of(split, whole)
    assert len(split.test) == n_held


@given(entries.filter(lambda found: len(found) > 1), st.data(), SEEDS)
def test_every_rating_is_in_one_fold(given_entries, data, seed):
    whole = ratings_of(given_entries)
    k = data.draw(st.integers(2, len(given_entries)))
    splits = list(k_fold(whole, k, seed))
    tests = [parts_of(split, whole)[1] for split in splits]
    assert set().union(*tests) == listed(whole)
    sizes = [len(test) for test in tests]
    assert len(sizes) == k
    assert sum(sizes) == len(given_entries)
    assert max(sizes) - min(sizes) <= 1


@given(entries, FRACTIONS)
def test_a_share_finds_the_earliest_moment_with_no_more(given_entries, fraction):
    whole, most = ratings_of(given_entries), int(len(given_entries) * fraction + 1e-9)
    times = [time for _, _, time in given_entries]
    moments = [m for m in sorted(set(times)) if sum(time >= m for time in times) <= most]
    if not moments:
        with pytest.raises(TooFewRatingsError):
            before_and_after(whole, fraction)
        return
    _, test = parts_of(before_and_after(whole, fraction), whole)
    assert test == {entry for entry in given_entries if entry[2] >= moments[0]}
    assert test == listed(before_and_after(whole, moments[0]).test)


@given(entries, SEEDS, SEEDS)
def test_the_order_in_which_ratings_were_given_does_not_matter(given_entries, seed, shuffled):
    mixed = [
        given_entries[i] for i in np.random.default_rng(shuffled).permutation(len(given_entries))
    ]
    one, other = ratings_of(given_entries), ratings_of(mixed)
    for split in (
        lambda ratings: last_of_each_user(ratings, 0.5),
        last_n_of_each_user,
        lambda ratings: random_share(ratings, 0.9, seed) if len(ratings) > 1 else None,
        lambda ratings: random_share(ratings, 0.5, seed, per_user=True),
        lambda ratings: next(k_fold(ratings, 2, seed)) if len(ratings) > 1 else None,
    ):
        first, second = split(one), split(other)
        if first is not None:
            assert listed(first.test) == listed(second.test)


def test_large_and_small_blocks_give_what_one_sort_gives():
    """The whole sorted at once, as a twin; users from none to 300 ratings, and equal times."""
    rng = np.random.default_rng(0)
    cells = rng.choice(60 * 400, 9000, replace=False)
    users, items = np.divmod(cells, 400)
    whole = Ratings.from_arrays(users, items, timestamps=rng.integers(0, 50, 9000))
    whole = whole.select((whole.user_rows % 7 != 0) & (whole.user_rows < 58))
    counts = np.diff(whole.indptr)
    in_order = np.lexsort((whole.indices, whole.timestamps, whole.user_rows))
    place = np.arange(len(whole)) - np.repeat(whole.indptr[:-1], counts)
    for fraction in (0.03, 0.2, 0.77):
        held_out = np.floor(counts * fraction + 1e-9).astype(int)
        late = np.zeros(len(whole), bool)
        late[in_order] = place >= np.repeat(counts - held_out, counts)
        split = last_of_each_user(whole, fraction)
        expected = whole.select(late)
        assert (split.test.indptr == expected.indptr).all()
        assert (split.test.indices == expected.indices).all()
        assert (split.test.timestamps == expected.timestamps).all()


def test_many_users_with_few_ratings_or_none():
    """So many that their places within a block need 16 bits, and then 32."""
    users = np.repeat(np.arange(70_000), 2)
    items, times = np.tile([0, 1], 70_000), np.tile([5, 4, 4, 5], 35_000)
    everybody = Ratings.from_arrays(users, items, timestamps=times)
    for whole in (everybody, everybody.select(users % 9973 == 0)):
        test = last_n_of_each_user(whole).test
        there = np.diff(whole.indptr) > 0
        assert (np.diff(test.indptr) == there).all()
        assert (test.indices == np.flatnonzero(there) % 2).all()


@pytest.mark.parametrize("per_user", [False, True])
def test_the_seed_decides_what_is_drawn(per_user):
    users, items = np.divmod(np.arange(200), 20)
    ratings = Ratings.from_arrays(users, items)
    drawn = [random_share(ratings, 0.3, seed, per_user=per_user).test.indices for seed in (1, 1, 2)]
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[0] != drawn[2]).any()
    folds = [next(k_fold(ratings, 4, seed)).test.indices for seed in (1, 1, 2)]
    assert (folds[0] == folds[1]).all()
    assert (folds[0] != folds[2]).any()


@pytest.mark.parametrize(
    "draw",
    [
        lambda ratings, seed: random_share(ratings, 0.5, seed),
        lambda ratings, seed: random_share(ratings, 0.5, seed, per_user=True),
        lambda ratings, seed: next(k_fold(ratings, 2, seed)),
    ],
    ids=["share", "share per user", "fold"],
)
def test_every_set_of_ratings_has_the_same_chance(draw):
    ratings = Ratings.from_arrays([1] * 4, [0, 1, 2, 3])
    n = 3000
    sets = [tuple(draw(ratings, seed).test.indices.tolist()) for seed in range(n)]
    found, counts = np.unique(sets, axis=0, return_counts=True)
    assert len(found) == 6  # of 4, two
    assert abs(counts - n / 6).max() < 5 * np.sqrt(n / 6)


@given(st.floats(1e-6, 1, exclude_max=True), st.integers(1, 1000))
def test_never_all_and_what_is_whole_on_paper_stays_whole(fraction, n):
    assert 0 <= last_in_rows.floors(np.array([n]), fraction)[0] < n
    for many in range(1, 100):
        assert last_in_rows.floors(np.array([100]), many / 100)[0] == many


def test_five_ratings_at_a_fifth_hold_out_one():
    ratings = Ratings.from_arrays([1] * 5, [1, 2, 3, 4, 5], timestamps=[5, 4, 3, 2, 1])
    split = last_of_each_user(ratings, 0.2)
    assert split.test.items.ids[split.test.indices].tolist() == [1]


def test_who_has_too_few_keeps_all():
    ratings = Ratings.from_arrays([1, 1, 2, 2, 2, 2], [1, 2, 1, 2, 3, 4], timestamps=range(6))
    for split, held_out in (
        (last_of_each_user(ratings, 0.25), [0, 1]),
        (random_share(ratings, 0.25, per_user=True), [0, 1]),
        (last_n_of_each_user(ratings, 2), [0, 2]),
        (last_n_of_each_user(ratings, 4), [0, 0]),
        (last_of_each_user(ratings, 0.1), [0, 0]),
    ):
        assert np.diff(split.test.indptr).tolist() == held_out


def test_folds_are_made_one_by_one(monkeypatch):
    made = []
    parts = splitting._parts
    monkeypatch.setattr(splitting, "_parts", lambda *given_: made.append(1) or parts(*given_))
    folds = k_fold(Ratings.from_arrays([1, 1, 2], [1, 2, 1]), 3)
    assert isinstance(folds, Iterator)
    assert len(made) == 0
    next(folds)
    assert len(made) == 1
    assert len(list(folds)) == 2


@pytest.mark.parametrize(
    "split",
    [
        last_of_each_user,
        last_n_of_each_user,
        random_share,
        lambda ratings: random_share(ratings, per_user=True),
        lambda ratings: next(k_fold(ratings)),
    ],
    ids=["last", "last n", "share", "share per user", "fold"],
)
def test_a_split_costs_little_beside_its_parts(split):
    """11 bytes a rating are the parts: an item of two, a code of one, a time of eight."""
    n = 400_000
    cells = np.random.default_rng(0).permutation(800 * 700)[:n]
    whole = Ratings.from_arrays(cells // 700, cells % 700, cells % 10, timestamps=cells[::-1])
    split(whole)  # what is compiled on the first call is not counted
    tracemalloc.start()
    try:
        parts = split(whole)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(parts.train) + len(parts.test) == n
    assert kept / n <= 11.5
    assert peak / n <= 16
    assert "user_rows" not in vars(whole)  # four bytes a rating, for good
