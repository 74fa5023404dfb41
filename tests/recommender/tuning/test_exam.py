"""Judges, against loops over everything; and what may be asked of which protocol."""

import numpy as np
import pytest

from recommender import BiasedALS, ImplicitALS, Ratings
from recommender.errors import InvalidOptionError
from recommender.tuning import Exam, tunable
from recommender.tuning import judge as judging
from recommender.tuning.exam import FIGURES
from tests.recommender.worlds import low_rank_stars, random_ratings


def world(n_users=30, n_items=40, n=500, seed=0):
    return random_ratings(np.random.default_rng(seed), n_users, n_items, n)


def exam(protocol, metric):
    return Exam(protocol, metric, "random", seed=5)


def ordered(scores, candidates):
    return sorted(candidates, key=lambda item: (-scores[item], item))


@pytest.mark.parametrize("metric", [f"{name}@4" for name in FIGURES["full-ranking"]])
def test_full_ranking_is_the_loop(metric):
    judge = exam("full-ranking", metric).judge(world())
    split_train, model = judge.train, ImplicitALS(factors=3).fit(judge.train)
    held = held_out(judge.train)
    found = []
    for user, relevant in held.items():
        seen = set(split_train.of_user(user)[0].tolist())
        best = ordered(model.score_user(user), set(range(40)) - seen)[:4]
        hits = [item in relevant for item in best]
        gains = sum(1 / np.log2(place + 2) for place, hit in enumerate(hits) if hit)
        ideal = sum(1 / np.log2(place + 2) for place in range(min(4, len(relevant))))
        first = next((place for place, hit in enumerate(hits) if hit), None)
        precisions = [sum(hits[: p + 1]) / (p + 1) for p, hit in enumerate(hits) if hit]
        found.append(
            {
                "ndcg": gains / ideal,
                "recall": sum(hits) / len(relevant),
                "capped_recall": sum(hits) / min(4, len(relevant)),
                "precision": sum(hits) / 4,
                "hr": any(hits),
                "hit_rate": any(hits),
                "mrr": 0 if first is None else 1 / (first + 1),
                "map": sum(precisions) / min(4, len(relevant)),
            }[metric.partition("@")[0]]
        )
    assert judge.score(model) == pytest.approx(np.mean(found))
    assert judge.watch(model) == pytest.approx(np.mean(found))
    assert np.count_nonzero(np.diff(judge.many.indptr)) == len(held)


def held_out(train, n_users=30):
    """What the judge of this seed has taken away."""
    everything = world()
    return {
        user: left
        for user in range(n_users)
        if (left := set(everything.of_user(user)[0].tolist())
            - set(train.of_user(user)[0].tolist()))
    }  # fmt: skip


@pytest.mark.parametrize("metric", ["hr@3", "hit_rate@10", "ndcg@10"])
def test_leave_one_out_is_the_loop_when_every_unrated_item_is_a_negative(metric):
    judge = exam("leave-one-out", metric).judge(world())  # 40 items: fewer than 100 negatives
    model = ImplicitALS(factors=3).fit(judge.train)
    name, _, length = metric.partition("@")
    found = []
    for user, held in held_out(judge.train).items():
        (item,) = held
        candidates = set(range(40)) - set(judge.train.of_user(user)[0].tolist())
        scores = model.score_user(user)
        place = sum(scores[other] >= scores[item] for other in candidates - {item})
        gain = 1 / np.log2(place + 2) if name == "ndcg" else 1
        found.append(gain if place < int(length) else 0)
    assert 0 < np.mean(found) < 1
    assert judge.score(model) == pytest.approx(np.mean(found))


@pytest.mark.parametrize("metric", ["rmse", "mae"])
def test_stars_are_clipped_and_compared(metric):
    ratings = low_rank_stars(seed=3)
    judge = exam("rating", metric).judge(ratings)
    model = BiasedALS(factors=8, regularization=0).fit(judge.train)
    low, high = judge.train.values.min(), judge.train.values.max()
    gaps = []
    for user in range(ratings.n_users):
        known = set(judge.train.of_user(user)[0].tolist())
        for item, stars in zip(*ratings.of_user(user), strict=True):
            if item not in known:
                guess = model.predict([model.user_ids[user]], [model.item_ids[item]])[0]
                gaps.append(float(min(max(guess, low), high)) - float(stars))
    wanted = np.sqrt(np.mean(np.square(gaps))) if metric == "rmse" else np.mean(np.abs(gaps))
    assert judge.score(model) == pytest.approx(wanted, rel=1e-5)
    assert judge.watch(model) == pytest.approx(wanted, rel=1e-5)
    assert judge.many.n_ratings == len(gaps)


@pytest.mark.parametrize("protocol", ["full-ranking", "leave-one-out"])
def test_of_many_users_some_are_asked(protocol, monkeypatch):
    monkeypatch.setattr(judging, "WATCHED", 4)
    monkeypatch.setattr(judging, "JUDGED", 9)
    judge = exam(protocol, "ndcg@10").judge(world())
    model = ImplicitALS(factors=3).fit(judge.train)
    assert np.count_nonzero(np.diff(judge.many.indptr)) == 9
    assert np.count_nonzero(np.diff(judge.few.indptr)) == 4
    assert judge.watch(model) != judge.score(model)


class TestWhatMayBeAsked:
    @pytest.mark.parametrize(
        ("protocol", "metric"),
        [
            ("full-ranking", "rmse"), ("full-ranking", "ndcg"), ("full-ranking", "ndcg@0"),
            ("full-ranking", "ndcg@1001"), ("full-ranking", "ndcg@ten"),
            ("full-ranking", "gain@10"), ("leave-one-out", "recall@10"), ("leave-one-out", "mae"),
            ("rating", "ndcg@10"), ("rating", "rmse@10"), ("rating", ""),
        ],
    )  # fmt: skip
    def test_a_metric_that_is_none_of_the_protocol(self, protocol, metric):
        with pytest.raises(InvalidOptionError, match=f"metric of {protocol} must be .*found"):
            Exam(protocol, metric)

    def test_a_protocol_or_a_hold_out_that_does_not_exist(self):
        with pytest.raises(InvalidOptionError, match="protocol must be full-ranking or"):
            Exam("ranking", "ndcg@10")
        with pytest.raises(InvalidOptionError, match="hold-out must be time or random"):
            Exam("rating", "rmse", "last")

    @pytest.mark.parametrize(
        ("model", "protocol", "metric"),
        [("implicit-als", "full-ranking", "ndcg@10"), ("biased-als", "rating", "rmse")],
    )
    def test_what_is_usual(self, model, protocol, metric):
        with_times = Ratings.from_arrays([0, 1], [0, 1], timestamps=[1, 2])
        usual = Exam.of(tunable(model), with_times)
        assert (usual.protocol, usual.metric, usual.hold_out) == (protocol, metric, "time")
        assert Exam.of(tunable(model), world()).hold_out == "random"
        assert Exam.of(tunable(model), world(), "leave-one-out").metric == "hr@10"

    def test_a_model_that_ranks_predicts_no_stars(self):
        with pytest.raises(InvalidOptionError, match="protocol of implicit-als must be full"):
            Exam.of(tunable("implicit-als"), world(), "rating")
