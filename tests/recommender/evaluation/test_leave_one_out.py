"""Leave-one-out: by hand, equal to a loop, and never flattering."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender import Ratings
from recommender.errors import InvalidInputError, TooFewRatingsError
from recommender.evaluation import scoring
from recommender.evaluation.alignment import ask
from recommender.evaluation.negatives import Drawn
from recommender.evaluation.protocols import leave_one_out
from recommender.models.baselines import Popularity
from tests.recommender.evaluation.experiments import Table, pairs, random_experiment, scores_of
from tests.recommender.worlds import seeds


def random_negatives(seed, n_items=20):
    rng = np.random.default_rng(seed + 1)
    return Ratings.from_arrays(rng.integers(0, 17, 70), rng.integers(0, n_items, 70))


def slow_means(train, test, table, negatives, k):
    """The mean over users of the mean over their test items."""
    found = {"hit_rate": [], "ndcg": [], "mrr": [], "auc": []}
    for user, rated in pairs(test).items():
        positives = [i for i in rated if i not in pairs(train).get(user, {})]
        others = [i for i in negatives.get(user, {}) if i not in rated]
        if not positives or not others:
            continue
        scores = scores_of(train, table, user)
        own = {name: [] for name in found}
        for item in positives:
            mine = scores.get(item, -math.inf)
            theirs = [scores.get(other, -math.inf) for other in others]
            rank = 1 + sum(score >= mine for score in theirs)
            own["hit_rate"].append(float(rank <= k))
            own["ndcg"].append(1 / math.log2(rank + 1) if rank <= k else 0)
            own["mrr"].append(1 / rank)
            won = [(mine > score) + (mine == score) / 2 for score in theirs]
            own["auc"].append(np.mean(won))
        for name, values in own.items():
            found[name].append(np.mean(values))
    return {name: np.mean(values) for name, values in found.items()}


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_it_is_the_loop_over_everything(seed):
    train, test, table = random_experiment(seed)
    negatives = random_negatives(seed)
    outcome = leave_one_out(table, train, test, negatives, (1, 3))
    for k in (1, 3):
        for name, expected in slow_means(train, test, table, pairs(negatives), k).items():
            figure = f"{name}@{k}" if name in ("hit_rate", "ndcg") else name
            assert outcome.value(figure) == pytest.approx(expected), figure


def world():
    """Users 1 and 2 have rated item 1, and others make 2 more popular than 3, and 3 than 4."""
    train = Ratings.from_arrays([1, 2, 3, 4, 5, 3, 4, 3], [1, 1, 2, 2, 2, 3, 3, 4])
    return train, Popularity.fit(train)


def test_popularity_by_hand():
    train, popular = world()
    test = Ratings.from_arrays([1, 2, 9], [3, 4, 2])
    negatives = Ratings.from_arrays([1, 1, 2, 2, 9, 9], [2, 4, 2, 3, 3, 4])
    outcome = leave_one_out(popular, train, test, negatives, (1, 2))
    # User 1 finds 3 second, after 2; user 2 finds 4 last of three; the unknown 9 finds 2 first.
    assert outcome.value("hit_rate@1") == pytest.approx(1 / 3)
    assert outcome.value("hit_rate@2") == pytest.approx(2 / 3)
    assert outcome.value("ndcg@2") == pytest.approx((1 / math.log2(3) + 0 + 1) / 3)
    assert outcome.value("mrr") == pytest.approx((1 / 2 + 1 / 3 + 1) / 3)
    assert outcome.value("auc") == pytest.approx((1 / 2 + 0 + 1) / 3)
    assert outcome.counts["unknown_users"] == 1
    assert outcome.counts["negatives"] == 6


def test_a_constant_score_finds_nothing():
    """Of equal scores the test item comes last; the AUC of a coin is a half."""
    train, test, _ = random_experiment(0)
    flat = Table(np.zeros((train.n_users, train.n_items)))
    known = np.isin(test.users.ids[test.user_rows], train.users.ids)
    known &= np.isin(test.items.ids[test.indices], train.items.ids)
    outcome = leave_one_out(flat, train, test.select(known), 3, (3,))
    assert outcome.value("hit_rate@3") == 0
    assert outcome.value("ndcg@3") == 0
    assert outcome.value("auc") == pytest.approx(0.5)


def test_a_positive_among_the_negatives_is_dropped_there_and_counted():
    train, popular = world()
    test = Ratings.from_arrays([1], [3])
    with_it = Ratings.from_arrays([1, 1, 1], [2, 3, 4])
    without = Ratings.from_arrays([1, 1], [2, 4])
    outcome = leave_one_out(popular, train, test, with_it, (1, 2))
    assert outcome.values() == leave_one_out(popular, train, test, without, (1, 2)).values()
    assert outcome.counts["positives_among_negatives"] == 1
    assert outcome.counts["negatives"] == 2
    # The same for an item that training never saw.
    strange = Ratings.from_arrays([1], [77])
    negatives = Ratings.from_arrays([1, 1, 1], [2, 77, 78])
    counts = leave_one_out(popular, train, strange, negatives, (1,)).counts
    assert counts["positives_among_negatives"] == 1
    assert counts["negatives_of_unknown_items"] == 1


def test_what_training_never_saw_comes_last():
    train, popular = world()
    negatives = Ratings.from_arrays([1, 1, 2, 2], [4, 88, 4, 3])
    known = leave_one_out(popular, train, Ratings.from_arrays([1], [3]), negatives, (1,))
    assert known.value("mrr") == 1
    strange = leave_one_out(popular, train, Ratings.from_arrays([1], [77]), negatives, (1,))
    assert strange.value("mrr") == pytest.approx(1 / 3)  # it ties with 88, and so comes after it
    assert strange.counts["unknown_items"] == 1


def test_users_without_negatives_are_left_out_and_counted():
    train, popular = world()
    test = Ratings.from_arrays([1, 2, 3], [3, 4, 1])
    # Of user 2 there is the test item alone; user 3 has none; user 5 is not asked.
    negatives = Ratings.from_arrays([1, 2, 5], [4, 4, 3])
    outcome = leave_one_out(popular, train, test, negatives, (1,))
    assert outcome.n_users == 1
    assert outcome.value("hit_rate@1") == 1
    assert outcome.counts["users_without_negatives"] == 2
    assert outcome.counts["users_with_negatives_alone"] == 1
    with pytest.raises(TooFewRatingsError, match="none of the 3 users of the test has negatives"):
        leave_one_out(popular, train, test, Ratings.from_arrays([8], [1]), (1,))
    with pytest.raises(TooFewRatingsError, match="no user is left with negatives"):
        leave_one_out(popular, train, test, Ratings.from_arrays([2], [4]), (1,))


def test_negatives_that_the_user_has_rated_are_kept_and_counted():
    train, popular = world()
    negatives = Ratings.from_arrays([1, 1], [1, 4])
    outcome = leave_one_out(popular, train, Ratings.from_arrays([1], [3]), negatives, (1,))
    assert outcome.counts["negatives_already_known"] == 1
    assert outcome.counts["negatives"] == 2


class TestDrawnNegatives:
    @settings(max_examples=60, deadline=None)
    @given(seeds, st.integers(1, 20))
    def test_they_are_what_the_user_has_rated_in_neither_part(self, seed, n):
        train, test, _ = random_experiment(seed)
        asked = ask(train, train, test)
        drawn = Drawn.of(train, test, asked, n, seed)
        users = np.arange(asked.n_users)[::-1]
        lists = drawn.of_users(users)
        for place, user in enumerate(asked.user_ids[users].tolist()):
            found = lists.items[lists.indptr[place] : lists.indptr[place + 1]]
            rated = {*pairs(train).get(user, {}), *pairs(test)[user]}
            left = set(train.items.ids.tolist()) - rated
            ids = train.items.ids[found].tolist()
            assert len(ids) == len(set(ids)) == min(n, len(left))
            assert set(ids) <= left
        alone = [drawn.of_users(np.array([user])).items for user in users]
        np.testing.assert_array_equal(np.concatenate(alone), lists.items)

    def test_all_are_drawn_equally_often(self):
        users = np.arange(4_000)
        train = Ratings.from_arrays(
            np.append(users, np.zeros(9, int)), np.append(users % 3, range(9))
        )
        test = Ratings.from_arrays(users[9:], users[9:] % 3 + 3)
        asked = ask(train, train, test)
        items = Drawn.of(train, test, asked, 4, seed=1).of_users(np.arange(asked.n_users)).items
        # Three of nine are rated by a third each: two of each three are free to be drawn.
        shares = np.bincount(items, minlength=9) / len(items)
        expected = np.array([2, 2, 2, 2, 2, 2, 3, 3, 3]) * asked.n_users / 3
        # Of seven items left, four are drawn.
        np.testing.assert_allclose(shares * len(items), expected * 4 / 7, rtol=0.05)

    def test_the_seed_decides(self):
        train, test, table = random_experiment(2)

        def values(seed):
            return leave_one_out(table, train, test, 3, (1, 2), seed=seed).values()

        assert values(0) == values(0)
        assert len({tuple(values(seed).values()) for seed in range(5)}) > 1

    def test_fewer_are_drawn_where_fewer_are_left_and_that_is_counted(self):
        train, popular = world()
        test = Ratings.from_arrays([3, 1], [1, 3])  # user 3 has then rated all there is
        outcome = leave_one_out(popular, train, test, 3, (1,))
        assert outcome.counts["users_with_fewer_negatives"] == 2
        assert outcome.counts["users_without_negatives"] == 1
        assert outcome.n_users == 1
        assert outcome.counts["negatives"] == 2

    @pytest.mark.parametrize("wrong", [0, -1, True, 2.5])
    def test_senseless_numbers_are_refused(self, wrong):
        train, test, table = random_experiment(2)
        with pytest.raises(InvalidInputError, match="number of negatives must be a whole number"):
            leave_one_out(table, train, test, wrong, (1,))


@pytest.mark.parametrize("at_once", [1, 40])
def test_how_many_users_are_ranked_at_a_time_does_not_matter(monkeypatch, at_once):
    train, test, table = random_experiment(4)
    given_, drawn = random_negatives(4), 5
    before = [leave_one_out(table, train, test, n, (2,)) for n in (given_, drawn)]
    monkeypatch.setattr(scoring, "_SCORES_AT_ONCE", at_once)
    after = [leave_one_out(table, train, test, n, (2,)) for n in (given_, drawn)]
    for one, other in zip(before, after, strict=True):
        assert one.values() == other.values()
        assert one.counts == other.counts


def test_relevant_from_leaves_out_what_was_not_liked():
    train, popular = world()
    test = Ratings.from_arrays([1, 1, 2], [3, 4, 4], [5, 1, 2])
    negatives = Ratings.from_arrays([1, 1, 2], [2, 4, 3])
    outcome = leave_one_out(popular, train, test, negatives, (2,), relevant_from=4)
    assert outcome.n_users == 1
    assert outcome.value("mrr") == 1 / 2  # 4, which was not liked, may well be a negative
    assert outcome.counts["below_relevant_from"] == 2
    assert outcome.counts["users_without_relevant_items"] == 1
    assert outcome.counts["positives_among_negatives"] == 0


def test_more_negatives_than_any_number_holds_are_all_that_there_are():
    train, test, table = random_experiment(3)
    drawn = [leave_one_out(table, train, test, n, (5,)) for n in (train.n_items, 10**20)]
    assert drawn[0].values() == drawn[1].values()
    assert drawn[1].counts["users_with_fewer_negatives"] == drawn[1].n_users
