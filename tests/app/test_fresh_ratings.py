"""Changes since the watermark: told apart by version, in whatever order they arrive."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.serving.fresh_ratings import FreshRatings
from app.store.records import RatingRecord

USERS, MOVIES = ["a", "b"], ["x", "y", "z"]

histories = st.lists(
    st.tuples(
        st.sampled_from(USERS), st.sampled_from(MOVIES), st.sampled_from([None, 1.0, 2.0, 5.0])
    ),
    max_size=20,
).map(
    lambda changes: [
        RatingRecord(user, movie, stars, 0, version)
        for version, (user, movie, stars) in enumerate(changes, start=1)
    ]
)


def naive(history, watermark):
    """The last change of each pair after the watermark, by replaying in order."""
    state = {}
    for record in history:
        if record.version > watermark:
            state[record.user_id, record.movie_id] = (record.rating, record.version)
    return state


def held(fresh):
    return {
        (user, movie): tuple(change)
        for user in USERS
        for movie, change in fresh.of_user(user).items()
    }


@given(history=histories, watermark=st.integers(0, 20), data=st.data())
def test_any_order_and_any_repeats_give_the_last_change_of_each(history, watermark, data):
    arrivals = data.draw(st.permutations(history + history))
    fresh = FreshRatings(watermark)
    fresh.apply_all(arrivals)
    assert held(fresh) == naive(history, watermark)
    assert len(fresh) == len(naive(history, watermark))


@given(history=histories, old=st.integers(0, 20), new=st.integers(0, 20), cut=st.integers(0, 20))
def test_a_swap_loses_nothing_that_arrives_while_it_is_made(history, old, new, cut):
    """The new one is filled from the store up to some moment; the rest reached the old one."""
    before = FreshRatings(old)
    before.apply_all(history)
    after = FreshRatings(new)
    after.apply_all(history[: max(cut, old)])  # the store as it was read, at least to the old mark
    after.merge(before)
    assert held(after) == naive(history, new)


def test_what_was_taken_out_is_a_copy():
    fresh = FreshRatings(0)
    fresh.apply(RatingRecord("a", "x", 1.0, 0, 1))
    taken = fresh.of_user("a")
    fresh.apply(RatingRecord("a", "y", 2.0, 0, 2))
    assert set(taken) == {"x"}
    assert fresh.of_user("nobody") == {}
