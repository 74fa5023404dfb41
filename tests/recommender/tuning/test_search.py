"""The search on planted worlds: it finds what is good, says what it gives, and can be killed."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from recommender import BiasedALS, ImplicitALS, Ratings
from recommender.data.synthetic import Shape, planted_ratings
from recommender.errors import InvalidInputError, InvalidOptionError
from recommender.tuning import Budget, Dimension, Exam, tunable, tune
from recommender.tuning import trials as searching
from tests.recommender.tuning.stand_ins import Flattered, OffBy, fragile, hopeless, made_by
from tests.recommender.worlds import checkerboard, low_rank_stars

RANKING = Exam("full-ranking", "ndcg@10", "random")
STARS = Exam("rating", "rmse", "random")


def planted(seed=0, n_users=150, n_items=60, n_ratings=3000):
    return Ratings.from_frame(
        planted_ratings(Shape(n_users, n_items, n_ratings), seed, timestamps=True).to_frame(),
        timestamp="timestamp",
    )


def with_defaults(name, **bad):
    tuned = tunable(name)
    return replace(tuned, defaults={**tuned.defaults, **bad})


def search(ratings, tuned, exam, trials, **others):
    return tune(ratings, tuned, exam, Budget(trials=trials), threads=1, **others)


def told(findings):
    """Everything but how long it took."""
    return [(t.number, t.options, t.place, t.state, t.score, t.watched) for t in findings.trials]


class TestItFindsWhatIsGood:
    def test_where_everything_is_forgotten_it_learns_to_rank(self):
        """With λ = 10,000 all vectors are next to zero; the truth of the checkerboard is simple."""
        tuned = with_defaults("implicit-als", regularization=1e4, factors=16)
        found = search(checkerboard(24), tuned.within("factors", 2, 16), RANKING, 14)
        assert found.first.score < 0.6
        assert found.best.score > 0.85
        assert found.best.options["regularization"] < 10

    def test_where_noise_is_learned_by_heart_it_regularizes(self):
        ratings = low_rank_stars(80, 50, rank=2, noise=0.4, density=0.4)
        tuned = with_defaults("biased-als", regularization=1e-6, factors=32, epochs=30)
        found = search(ratings, tuned, STARS, 14)
        assert found.best.score < 0.75 * found.first.score
        assert found.best.options["regularization"] > 1e-3

    def test_it_learns_where_to_look(self):
        """The nearer λ is to 10, the nearer are the stars; drawn at random it would be far off."""
        users, items = np.divmod(np.arange(300), 20)
        ratings = Ratings.from_arrays(users, items, 3 + (users + items) % 3)
        tuned = tunable("biases")
        planted = replace(tuned, model=made_by(tuned, lambda given: OffBy(given["regularization"])))
        found = search(ratings, planted, STARS, 30)
        off = [abs(np.log10(trial.options["regularization"]) - 1) for trial in found.trials]
        assert np.mean(off[20:]) < 0.5  # at random it is 0.83

    @pytest.mark.parametrize("name", ["item-neighbours", "ease"])
    def test_models_without_epochs_are_searched_too(self, name):
        found = search(planted(), tunable(name), RANKING, 8)
        assert found.count("complete") == 8
        assert found.best.score >= found.first.score
        assert all(trial.watched == () for trial in found.trials)

    @pytest.mark.parametrize("protocol", ["full-ranking", "leave-one-out"])
    def test_a_model_of_stars_can_be_made_to_rank(self, protocol):
        tuned = tunable("biased-als")
        exam = Exam.of(tuned, planted(), protocol)
        found = search(planted(), tuned, exam, 4)
        assert found.best.score >= found.first.score > 0


class TestWhatItSaysOfItself:
    @pytest.mark.parametrize(
        ("name", "exam", "als"),
        [("implicit-als", RANKING, ImplicitALS), ("biased-als", STARS, BiasedALS)],
    )
    def test_the_best_options_give_the_very_score_again(self, name, exam, als):
        ratings = planted()
        tuned = with_defaults(name, regularization=0.3, factors=8)
        found = search(ratings, tuned, exam, 12)
        judge = exam.judge(ratings)
        best = als(**found.best.options, threads=1)
        assert judge.score(best.fit(judge.train)) == found.best.score
        assert found.best.number > 1, "the defaults should not be the best of this world"

    def test_a_score_is_that_of_an_unwatched_training(self):
        """Where being watched makes a training look better than it is, that does not count."""
        users, items = np.divmod(np.arange(300), 20)
        ratings = Ratings.from_arrays(users, items, 3 + (users + items) % 3)
        tuned = tunable("biased-als")
        flattered = replace(tuned, model=made_by(tuned, lambda _: Flattered()))
        found = search(ratings, flattered, STARS, 4)
        assert {trial.score for trial in found.trials} == {found.first.score}

    def test_the_first_trial_has_the_defaults_as_training_has_them(self):
        ratings, tuned = planted(), tunable("implicit-als").within("factors", 8, 8)
        found = search(ratings, tuned, RANKING, 2)
        judge = RANKING.judge(ratings)
        assert found.first.options == {n: tuned.defaults[n] for n in tuned.told}
        plain = ImplicitALS(**tuned.defaults).fit(judge.train)
        assert found.first.score == judge.score(plain)
        second = found.trials[1].options
        assert second | {"epochs": 0} == found.first.options | {"epochs": 0}
        assert second["epochs"] == 1 + int(np.argmax(found.trials[1].watched))

    @pytest.mark.parametrize("seed", range(3))
    def test_what_is_found_is_never_worse_than_the_defaults(self, seed):
        found = search(planted(seed), tunable("biased-als"), STARS, 5, seed=seed)
        assert found.best.score <= found.first.score
        # What is watched is an error of the stars, turned round: larger is better everywhere.
        assert all(score < 0 for trial in found.trials for score in trial.watched)
        assert any(trial.watched for trial in found.trials)

    def test_epochs_are_those_of_the_best_score_and_few(self):
        found = search(planted(), tunable("implicit-als"), RANKING, 10)
        longest = tunable("implicit-als").longest
        for trial in found.trials[1:]:
            assert 1 <= len(trial.watched) <= longest
            if trial.state == "complete":
                best = 1 + int(np.argmax(trial.watched))
                assert trial.options["epochs"] == best
                assert len(trial.watched) in {longest, best + searching.PATIENCE}

    def test_trials_that_lag_behind_are_given_up_and_no_others(self):
        """λ over ten decades: half of it forgets everything, and shows it after a few epochs.

        Who lags: after three epochs or more, the best score so far is below the first quartile of
        those trials that were finished before, at the same epoch; of which there must be four.
        """
        tuned = tunable("biased-als").within("factors", 8, 8)
        wide = (Dimension("regularization", 1e-4, 1e6, log=True),)
        found = search(low_rank_stars(80, 50), replace(tuned, dimensions=wide), STARS, 24)
        assert found.count("pruned") >= 3
        for trial in found.trials[1:]:
            finished = [t.watched for t in found.trials[: trial.number] if t.state == "complete"]
            lags = [
                lags_behind(trial.watched[:epoch], finished) and len(finished) >= 4 and epoch >= 3
                for epoch in range(1, len(trial.watched) + 1)
            ]
            assert not any(lags[:-1])
            assert lags[-1] == (trial.state == "pruned")
            assert (trial.score is None) == (trial.state == "pruned")


def lags_behind(scores, finished):
    """Whether the best of some scores is below three quarters of others at the last epoch."""
    others = [watched[len(scores) - 1] for watched in finished if len(watched) >= len(scores)]
    return bool(others) and max(scores) < np.percentile(others, 25)


class TestTheSameAgain:
    def test_the_same_seed_finds_the_same(self):
        first, again, other = (
            search(planted(), tunable("implicit-als"), RANKING, 8, seed=seed) for seed in (4, 4, 5)
        )
        assert told(first) == told(again) != told(other)

    def test_interrupted_after_any_trial_it_comes_to_the_same_end(self, tmp_path):
        tuned, path = tunable("implicit-als").within("factors", 4, 12), tmp_path / "study.jsonl"
        whole = search(planted(), tuned, RANKING, 13, study=path)
        lines = path.read_bytes().splitlines(keepends=True)
        for kept in (0, 1, 2, 6, 12):
            path.write_bytes(b"".join(lines[: kept + 1]) + lines[kept + 1][:30])
            resumed = search(planted(), tuned, RANKING, 13, study=path)
            assert told(resumed) == told(whole)

    def test_a_study_that_has_enough_is_only_read(self, tmp_path):
        path = tmp_path / "study.jsonl"
        whole = search(planted(), tunable("ease"), RANKING, 5, study=path)
        before = path.read_bytes()
        assert told(search(planted(), tunable("ease"), RANKING, 3, study=path)) == told(whole)
        assert path.read_bytes() == before

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"ratings": planted(1)}, "other ratings"),
            ({"tuned": tunable("item-neighbours")}, "another model"),
            ({"tuned": tunable("implicit-als").within("factors", 4, 9)}, "another range"),
            ({"tuned": with_defaults("implicit-als", momentum=False)}, "other defaults"),
            ({"exam": Exam("full-ranking", "ndcg@20", "random")}, "another metric"),
            ({"exam": Exam("leave-one-out", "hr@10", "random")}, "another protocol"),
            ({"exam": Exam("full-ranking", "ndcg@10", "time")}, "another way to hold out"),
            ({"seed": 1}, "another seed"),
        ],
        ids=lambda value: value if isinstance(value, str) else "-".join(value),
    )
    def test_a_study_of_something_else_is_not_gone_on_with(self, change, said, tmp_path):
        path = tmp_path / "study.jsonl"
        begun = {"ratings": planted(), "tuned": tunable("implicit-als"), "exam": RANKING}
        search(**begun, trials=1, study=path)
        before = path.read_bytes()
        with pytest.raises(InvalidInputError, match=said):
            search(**begun | change, trials=2, study=path)
        assert path.read_bytes() == before


class TestBudgets:
    @pytest.mark.parametrize(
        ("budget", "said"),
        [
            ({}, "say how long to search"),
            ({"minutes": 0}, "minutes must be a number above 0, at most 1,000,000; found 0"),
            ({"minutes": -1.0}, "minutes must be"),
            ({"minutes": math.nan}, "minutes must be"),
            ({"minutes": math.inf}, "minutes must be"),
            ({"minutes": 1e308}, "minutes must be"),
            ({"trials": 0}, "trials must be a whole number of at least 1; found 0"),
        ],
    )
    def test_without_room_for_anything(self, budget, said):
        with pytest.raises(InvalidOptionError, match=said):
            Budget(**budget)

    def test_time_ends_a_search_but_not_before_the_first_trial(self):
        found = tune(planted(), tunable("implicit-als"), RANKING, Budget(minutes=1e-9))
        assert [trial.number for trial in found.trials] == [0]

    def test_time_ends_a_search_in_the_middle_of_a_trial(self, monkeypatch):
        """After the fifth epoch of the second trial the clock is far beyond the end."""
        watched = []
        judge = searching.Watch.__call__

        def watch(self, model):
            watched.append(1)
            if len(watched) == 5:
                monkeypatch.setattr(searching, "perf_counter", lambda: math.inf)
            return judge(self, model)

        monkeypatch.setattr(searching.Watch, "__call__", watch)
        found = tune(planted(), tunable("implicit-als"), RANKING, Budget(minutes=60.0))
        assert len(found.trials) == 1
        assert len(watched) == 5

    def test_the_minutes_of_earlier_runs_count(self, tmp_path):
        path = tmp_path / "study.jsonl"
        search(planted(), tunable("ease"), RANKING, 2, study=path)
        head, *lines = path.read_bytes().splitlines()
        slow = [json.dumps(json.loads(line) | {"seconds": 60.0}).encode() for line in lines]
        path.write_bytes(b"\n".join([head, *slow]) + b"\n")
        steps = []
        for minutes, done in ((2.0, 2), (2.002, None)):
            found = tune(
                planted(), tunable("ease"), RANKING, Budget(minutes=minutes), study=path,
                told=lambda _, seconds: steps.append(seconds),
            )  # fmt: skip
            assert steps[0] > 120
            assert done is None or len(found.trials) == done
        assert steps[-1] < 180

    def test_where_nothing_is_left_to_vary_it_ends(self):
        tuned = replace(tunable("implicit-als").within("factors", 4, 4), dimensions=())
        assert len(search(planted(), tuned, RANKING, 50).trials) == 2

    def test_each_trial_is_told_with_the_best_so_far(self):
        steps = []
        tune(
            planted(), tunable("ease"), RANKING, Budget(trials=4),
            told=lambda found, seconds: steps.append((found, seconds)),
        )  # fmt: skip
        assert steps[0][0] is None
        assert [len(found.trials) for found, _ in steps[1:]] == [1, 2, 3, 4]
        best = [found.best.score for found, _ in steps[1:]]
        assert best == sorted(best)
        seconds = [seconds for _, seconds in steps]
        assert seconds == sorted(seconds)


class TestTrialsThatFail:
    def test_one_that_fails_is_kept_and_the_search_goes_on(self):
        tuned = tunable("implicit-als").within("factors", 4, 4)
        wild = (
            Dimension("unobserved_weight", 1e-2, 1e6, log=True),
            Dimension("init_scale", 1e-9, 1e3, log=True),
        )
        broken = replace(tuned, dimensions=wild, model=made_by(tuned, fragile))
        found = search(planted(), broken, RANKING, 10)
        failed = [trial for trial in found.trials if trial.state == "failed"]
        assert failed
        assert {trial.reason for trial in failed} == {"the loss has become nan"}
        assert all(trial.score is None for trial in failed)
        assert found.best.state == "complete"

    def test_when_none_succeeds_the_reason_is_told(self):
        tuned = tunable("ease")
        broken = replace(tuned, model=made_by(tuned, lambda _: SimpleNamespace(fit=hopeless)))
        with pytest.raises(InvalidInputError, match="none of 3 trials succeeded: not enough mem"):
            search(planted(), broken, RANKING, 3)
