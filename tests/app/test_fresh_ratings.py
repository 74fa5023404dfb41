"""Changes since the watermark: told apart by version, in whatever order they arrive."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.serving.fresh_ratings import RATERS, Change, FreshRatings
from app.store.records import RatingRecord
from recommender.data.vocabulary import Vocabulary

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
        (user, movie): tuple(change)[:2]
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


@given(history=histories, watermark=st.integers(0, 20), most=st.integers(1, 6), data=st.data())
def test_what_is_let_go_of_is_read_again(history, watermark, most, data):
    arrived = []

    def reread(user, since):
        newest = naive(arrived, since)
        return [
            RatingRecord(user, movie, stars, 0, version)
            for (who, movie), (stars, version) in newest.items()
            if who == user
        ]

    fresh = FreshRatings(watermark, None, reread, most)
    for record in history:
        arrived.append(record)  # durable first, then learnt
        fresh.apply(record)
        assert len(fresh) <= most
        assert held(fresh) == naive(arrived, watermark)
    after = FreshRatings(watermark, None, reread, most)
    after.merge(fresh)
    assert held(after) == naive(history, watermark)


def test_who_changed_something_last_is_kept():
    fresh = FreshRatings(0, None, lambda _user, _since: [], 20)
    for version in range(1, 41):
        fresh.apply(RatingRecord(f"u{version % 3}", f"m{version}", 3.0, 0, version))
        fresh.apply(RatingRecord("always", "m", 3.0, 0, 100 + version))
    assert not fresh.away("always")
    assert any(fresh.away(f"u{number}") for number in range(3))


class TestMoviesThatTheModelDoesNotKnow:
    def test_their_changes_are_kept_by_movie(self):
        fresh = FreshRatings(1, Vocabulary.from_ids(["x"]))
        assert not fresh.apply(RatingRecord("a", "x", 1.0, 0, 5))
        assert fresh.apply(RatingRecord("a", "new", 1.0, 0, 6))
        assert fresh.apply(RatingRecord("b", "new", None, 0, 8))
        fresh.apply(RatingRecord("a", "new", 3.0, 0, 7))
        fresh.apply(RatingRecord("a", "new", 9.0, 0, 6))
        assert not fresh.apply(RatingRecord("c", "new", 9.0, 0, 1))
        kept = dict(fresh.of_newcomers())
        assert kept == {"new": {"a": Change(3.0, 7, 0), "b": Change(None, 8, 0)}}

    def test_so_many_raters_are_enough(self):
        fresh = FreshRatings(0, Vocabulary.from_ids(["x"]))
        for version in range(1, RATERS + 50):
            fresh.apply(RatingRecord(f"u{version}", "new", 1.0, 0, version))
        fresh.apply(RatingRecord("u1", "new", 5.0, 0, RATERS + 51))
        ((_, kept),) = fresh.of_newcomers()
        assert len(kept) == RATERS
        assert kept["u1"].rating == 5.0


def test_each_user_counts_once_for_a_movie_of_late():
    history = [
        ("a", "x", 5.0, 9),
        ("a", "x", 4.0, 1),
        ("b", "x", 4.0, 2),
        ("b", "y", None, 3),
        ("a", "x", 3.0, 4),
        ("c", "z", 3.0, 5),
        ("c", "z", None, 5),
    ]
    fresh = FreshRatings(1, None, count=lambda time: 2.0**time)
    for version, (user, movie, stars, time) in enumerate(history, start=1):
        for _ in range(2):
            fresh.apply(RatingRecord(user, movie, stars, time, version))
    assert fresh.of_late() == {"x": 2.0**4 + 2.0**2, "y": 0.0, "z": 0.0}
    after = FreshRatings(3, None, count=lambda time: 2.0**time)
    after.merge(fresh)
    assert after.of_late() == {"x": 2.0**4, "y": 0.0, "z": 0.0}
