"""Full ranking: equal to a loop over everything, right on worlds that can be done by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings

from recommender import ImplicitALS, Ratings
from recommender.data.splitting import Split
from recommender.errors import InvalidInputError, TooFewRatingsError
from recommender.evaluation import metrics, scoring
from recommender.evaluation.full_ranking import strong_generalization
from recommender.evaluation.protocols import full_ranking, rank_catalogue
from recommender.models.baselines import Popularity
from tests.recommender.evaluation.experiments import (
    Table,
    pairs,
    popularity,
    random_experiment,
    scores_of,
)
from tests.recommender.worlds import checkerboard, seeds


def slow_lists(train, test, table, relevant_from=None):
    """For each user who counts: the whole ranking (ids), what is relevant, and the scores."""
    asked = []
    for user, rated in pairs(test).items():
        known = pairs(train).get(user, {})
        relevant = {i for i, stars in rated.items() if i not in known}
        if relevant_from is not None:
            relevant = {i for i in relevant if rated[i] >= relevant_from}
        scores = scores_of(train, table, user)
        ranking = sorted((i for i in scores if i not in known), key=lambda i, s=scores: (-s[i], i))
        if relevant:
            asked.append((ranking, relevant, scores))
    return asked


def slow_metrics(asked, k):
    """The means over users, each metric by its definition."""
    found = {name: [] for name in ("ndcg", "recall", "capped_recall", "precision", "map", "mrr")}
    found |= {"hit_rate": [], "auc": []}
    for ranking, relevant, scores in asked:
        hits = [item in relevant for item in ranking[:k]]
        gain = sum(hit / math.log2(place + 2) for place, hit in enumerate(hits))
        best = sum(1 / math.log2(place + 2) for place in range(min(k, len(relevant))))
        at = [sum(hits[: place + 1]) / (place + 1) for place, hit in enumerate(hits) if hit]
        found["ndcg"].append(gain / best)
        found["recall"].append(sum(hits) / len(relevant))
        found["capped_recall"].append(sum(hits) / min(k, len(relevant)))
        found["precision"].append(sum(hits) / k)
        found["map"].append(sum(at) / min(k, len(relevant)))
        found["mrr"].append(1 / (hits.index(True) + 1) if any(hits) else 0)
        found["hit_rate"].append(float(any(hits)))
        others = [item for item in ranking if item not in relevant]
        if others:
            won = [
                (scores.get(i, -math.inf) > scores[j]) + (scores.get(i) == scores[j]) / 2
                for i in relevant
                for j in others
            ]
            found["auc"].append(sum(won) / len(won))
    return {name: np.mean(values) for name, values in found.items()}


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_it_is_the_loop_over_everything(seed):
    train, test, table = random_experiment(seed)
    relevant_from = [None, 3.0][seed % 2]
    asked = slow_lists(train, test, table, relevant_from)
    outcome = rank_catalogue(table, train, test, (1, 3, 40), relevant_from=relevant_from)
    assert outcome.n_users == len(asked)
    for k in (1, 3, 40):
        for name, expected in slow_metrics(asked, k).items():
            figure = name if name == "auc" else f"{name}@{k}"
            assert outcome.value(figure) == pytest.approx(expected), figure


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_lists_are_judged_as_the_metrics_judge_them(seed):
    train, test, table = random_experiment(seed)
    k = 4
    rankings = [ranking[:k] for ranking, _, _ in slow_lists(train, test, table)]
    lists = np.full((len(rankings), k), -1)
    for user, ranking in enumerate(rankings):
        lists[user, : len(ranking)] = train.items.rows(np.array(ranking, np.int64))
    outcome = rank_catalogue(table, train, test, (k,))
    assert outcome.value(f"coverage@{k}") == metrics.coverage(lists, train.n_items)
    assert outcome.value(f"gini@{k}") == pytest.approx(metrics.gini(lists, train.n_items))
    counts = np.array([popularity(train)[i] for i in train.items.ids.tolist()])
    known = len(pairs(train))
    new = metrics.novelty(lists[lists[:, 0] >= 0], counts, known)
    assert outcome.value(f"novelty@{k}") == pytest.approx(new.mean())


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_everything_that_falls_out_is_counted(seed):
    train, test, table = random_experiment(seed)
    counts = rank_catalogue(table, train, test, (1, 3, 9), relevant_from=3).counts
    known, asked = pairs(train), pairs(test)
    rows = [(u, i, stars) for u, rated in asked.items() for i, stars in rated.items()]
    liked = [(u, i) for u, i, stars in rows if stars >= 3]
    left = [(u, i) for u, i in liked if i not in known.get(u, {})]
    assert counts["test_ratings"] == len(rows)
    assert counts["test_users"] == len(asked)
    assert counts["below_relevant_from"] == len(rows) - len(liked)
    assert counts["already_known"] == len(liked) - len(left)
    assert counts["unknown_items"] == sum(i not in train.items for _, i in left)
    users = {u for u, _ in left}
    assert counts["users_without_relevant_items"] == len(asked) - len(users)
    assert counts["unknown_users"] == sum(u not in known for u in users)
    for k in (1, 3, 9):
        cut = [
            scores[ranking[k - 1]] == scores[ranking[k]]
            for ranking, _, scores in slow_lists(train, test, table, 3)
            if len(ranking) > k
        ]
        assert counts[f"lists_cut_in_a_tie@{k}"] == sum(cut)


def test_popularity_by_hand():
    """Items 1, 2, 3 and 4 were rated by 4, 3, 2 and 1 users."""
    train = Ratings.from_arrays(
        [1, 2, 3, 4, 1, 2, 3, 1, 2, 5, 5], [1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 9]
    )
    # User 3 has seen 1 and 2: 3 comes first, then 4 and 9, which tie and stand in that order.
    # User 4 has seen 1: 2, 3, 4, 9. User 7 is unknown: 1, 2, 3, 4, 9. Item 8 is unknown.
    test = Ratings.from_arrays([3, 4, 4, 7, 7], [9, 3, 8, 1, 4])
    outcome = rank_catalogue(Popularity.fit(train), train, test, (2, 3))
    assert outcome.n_users == 3
    assert outcome.value("recall@2") == pytest.approx((0 + 1 / 2 + 1 / 2) / 3)
    assert outcome.value("capped_recall@3") == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)
    assert outcome.value("precision@2") == pytest.approx((0 + 1 / 2 + 1 / 2) / 3)
    ideal = 1 + 1 / math.log2(3)
    assert outcome.value("ndcg@3") == pytest.approx(
        (1 / math.log2(4) + 1 / math.log2(3) / ideal + 1 / ideal) / 3
    )
    assert outcome.value("mrr@3") == pytest.approx((1 / 3 + 1 / 2 + 1) / 3)
    # User 3: 9 loses to 3 and ties with 4. User 4: 3 wins against 4 and 9, loses to 2; 8 loses to
    # all three. User 7: 1 wins against 2, 3, 9; 4 loses to 2 and 3 and ties with 9.
    assert outcome.value("auc") == pytest.approx((0.5 / 2 + 2 / 6 + 3.5 / 6) / 3)
    assert outcome.counts["unknown_users"] == 1
    assert outcome.counts["unknown_items"] == 1
    # Of three places user 4's list ends between the tied 4 and 9, of two user 3's; one has none.
    # It is counted for each length, whatever other lengths are asked for beside it.
    cuts = {1: 0, 2: 1, 3: 1, 4: 1, 5: 0, 50: 0}
    together = rank_catalogue(Popularity.fit(train), train, test, tuple(cuts)).counts
    for k, cut in cuts.items():
        counts = rank_catalogue(Popularity.fit(train), train, test, (k,)).counts
        assert counts[f"lists_cut_in_a_tie@{k}"] == together[f"lists_cut_in_a_tie@{k}"] == cut, k


def test_of_equal_scores_the_smaller_id_comes_first():
    train = Ratings.from_arrays([0, 0, 1], [0, 1, 2])
    test = Ratings.from_arrays([1, 1], [0, 1])
    flat = Table(np.zeros((2, 3)))
    outcome = rank_catalogue(flat, train, test, (1, 2))
    assert outcome.value("precision@2") == 1
    later = rank_catalogue(flat, train, Ratings.from_arrays([0], [2]), (1,))
    assert later.value("hit_rate@1") == 1  # alone, because the others are left out
    assert later.counts["lists_cut_in_a_tie@1"] == 0


@pytest.mark.parametrize("at_once", [1, 60, 10_000])
def test_how_many_users_are_ranked_at_a_time_does_not_matter(monkeypatch, at_once):
    train, test, table = random_experiment(3)
    before = rank_catalogue(table, train, test, (3, 10)).values()
    monkeypatch.setattr(scoring, "_SCORES_AT_ONCE", at_once)
    monkeypatch.setattr(scoring, "_WORK_FOR_A_THREAD", 1)  # as many threads as there are
    assert rank_catalogue(table, train, test, (3, 10)).values() == before


def test_progress_reaches_every_user():
    train, test, table = random_experiment(5)
    told = []
    outcome = rank_catalogue(table, train, test, (3,), progress=lambda *step: told.append(step))
    assert told[0][1] == 0
    assert told[-1][1:] == (outcome.n_users, outcome.n_users)


class TestRefused:
    def test_scores_that_are_not_finite(self):
        train, test, _ = random_experiment(1)
        for wrong in (np.nan, np.inf, -np.inf):
            scores = np.zeros((train.n_users, train.n_items))
            scores[:, -1] = wrong
            with pytest.raises(InvalidInputError, match=r"user \d+ has a score that is not finite"):
                rank_catalogue(Table(scores), train, test, (3,))

    def test_scores_of_another_shape(self):
        train, test, table = random_experiment(1)
        with pytest.raises(InvalidInputError, match="a line a user, a column an item"):
            rank_catalogue(Table(table.scores[:, :-1]), train, test, (3,))

    @pytest.mark.parametrize("ks", [(), (0,), (2.5,), (True,)])
    def test_senseless_numbers_of_places(self, ks):
        train, test, table = random_experiment(1)
        with pytest.raises(InvalidInputError, match=r"k (is empty|must be a whole number)"):
            rank_catalogue(table, train, test, ks)

    def test_nothing_relevant(self):
        train, test, table = random_experiment(1)
        with pytest.raises(TooFewRatingsError, match="none is left to be asked"):
            rank_catalogue(table, train, test, (3,), relevant_from=5.5)
        with pytest.raises(TooFewRatingsError, match="are known already"):
            rank_catalogue(table, train, train, (3,))
        with pytest.raises(InvalidInputError, match="relevant_from must be a finite"):
            rank_catalogue(table, train, test, (3,), relevant_from=np.nan)


def test_full_ranking_of_a_split_is_the_same_with_one_k():
    board = checkerboard(12)
    held = np.arange(board.n_ratings) % 4 == 0
    split = Split(board.select(~held), board.select(held))
    model = ImplicitALS(factors=2).fit(split.train)
    found = full_ranking(model, split, k=3)
    outcome = rank_catalogue(model, split.train, split.test, (3,))
    for name, values in found.items():
        assert values.mean() == pytest.approx(outcome.value(f"{name}@3"))
        assert len(values) == outcome.n_users
    # Not 1: the item of a user's own number is of his kind as well, and nobody holds it out.
    assert found["ndcg"].mean() > 0.7


class TestStrongGeneralization:
    def split(self):
        board = checkerboard(20)
        train = board.user_rows % 4 < 2
        known = ~train & (np.arange(board.n_ratings) % 5 > 0)

        def part(chosen):
            return Ratings.from_arrays(board.user_rows[chosen], board.indices[chosen])

        return part(train), part(known), part(~train & ~known)

    def test_it_ranks_for_users_whom_training_never_saw(self):
        train, fold_in, test = self.split()
        model = ImplicitALS(factors=2).fit(train)
        assert not set(train.users.ids.tolist()) & set(test.users.ids.tolist())
        outcome = strong_generalization(model, train, fold_in, test, (10,))
        popular = strong_generalization(Popularity.fit(train), train, fold_in, test, (10,))
        assert outcome.value("ndcg@10") > 0.7 > 0.55 > popular.value("ndcg@10")
        assert outcome.counts["users_in_training"] == 0
        assert outcome.counts["unknown_users"] == 0

    def test_it_is_folding_in_and_ranking_one_by_one(self):
        train, fold_in, test = self.split()
        model = ImplicitALS(factors=3).fit(train)
        outcome = strong_generalization(model, train, fold_in, test, (4,))
        gained = []
        for user, relevant in pairs(test).items():
            rated = pairs(fold_in)[user]
            best, _ = model.fold_in(list(rated), list(rated.values())).recommend(4)
            gained.append(len(set(best.tolist()) & set(relevant)) / min(4, len(relevant)))
        assert outcome.value("capped_recall@4") == pytest.approx(np.mean(gained))

    def test_items_that_training_never_saw_are_left_out_of_both_parts(self):
        train = Ratings.from_arrays([0, 0, 1, 1, 2], [1, 2, 1, 2, 3])
        fold_in = Ratings.from_arrays([7, 7, 8], [1, 50, 50])
        test = Ratings.from_arrays([7, 7, 8, 9], [2, 60, 1, 61])
        model = ImplicitALS(factors=2).fit(train)
        outcome = strong_generalization(model, train, fold_in, test, (1,))
        # User 7 finds 2, the only one left of his; of 8 nothing is known, and 1 is popular.
        assert outcome.value("recall@1") == 1
        assert outcome.n_users == 2
        told = {name: outcome.counts[name] for name in ("unknown_items", "unknown_users")}
        assert told == {"unknown_items": 2, "unknown_users": 1}
        assert outcome.counts["users_without_relevant_items"] == 1


def test_who_has_one_score_for_all_items_is_counted():
    """Users 0 and 1 have a flat line of scores; nothing is known of 8, and all items are equal."""
    train = Ratings.from_arrays([0, 1, 2, 2], [0, 1, 2, 3])
    table = Table(np.array([[1, 1, 1, 1], [0, 0, 0, 0], [1, 2, 1, 1]]))
    test = Ratings.from_arrays([0, 1, 2, 8, 9], [1, 2, 0, 3, 3])
    assert rank_catalogue(table, train, test, (1,)).counts["users_scored_alike"] == 4
    more = Ratings.from_arrays([0, 1, 2, 2, 0], [0, 1, 2, 3, 3])
    assert rank_catalogue(table, more, test, (1,)).counts["users_scored_alike"] == 2
