"""Several folds: whoever is drawn brings what is theirs in all of them, and counts once."""

from collections import defaultdict

import numpy as np
import pytest

from recommender.data.experiment_files import read_fold
from recommender.evaluation.experiment import Experiment, FoldFiles
from recommender.evaluation.planning import Everyone
from recommender.evaluation.report_table import table_of
from recommender.evaluation.resampling import resampled_sums
from recommender.evaluation.running import run_experiment
from recommender.models.by_name import MODELS
from tests.recommender.worlds import low_rank_stars

N_FOLDS = 4


@pytest.fixture(scope="module")
def folds(tmp_path_factory):
    """Random folds: nearly every user is in each of them; the first names users as text."""
    folder = tmp_path_factory.mktemp("folds")
    ratings = low_rank_stars(30, 24, noise=0.4)
    part = np.random.default_rng(3).integers(0, N_FOLDS, ratings.n_ratings)
    part[ratings.user_rows == 7] = 0  # one who is in one fold alone
    stars = np.clip(np.round(2 * ratings.values) / 2, 0.5, 5)
    rows = list(zip(ratings.user_rows.tolist(), ratings.indices, stars, strict=True))

    def write(name, wanted, extra=()):
        path = folder / name
        lines = [f"{u},{i},{v}" for (u, i, v), p in zip(rows, part, strict=True) if wanted(p)]
        path.write_text("\n".join(["user,item,rating", *lines, *extra]) + "\n")
        return path

    return tuple(
        FoldFiles(
            # A user named in letters makes text of all ids of the fold.
            write(f"train-{n}.csv", lambda p, n=n: p != n, ["zoe,1,3"] if n == 0 else ()),
            write(f"test-{n}.csv", lambda p, n=n: p == n),
        )
        for n in range(N_FOLDS)
    )


def rated(ratings):
    """{user as text: {item: stars}}."""
    found = defaultdict(dict)
    for row, user in enumerate(ratings.users.ids.tolist()):
        items, values = ratings.of_user(row)
        for item, value in zip(ratings.items.ids[items].tolist(), values.tolist(), strict=True):
            found[str(user)][item] = value
    return dict(found)


def slow_rmse(parts, often):
    """The mean over folds of the RMSE of who was drawn, with all ratings as often as drawn."""
    of_folds = []
    for errors in parts:
        drawn = [gap**2 for user, n in often.items() for gap in errors.get(user, []) * int(n)]
        of_folds.append(np.sqrt(np.mean(drawn)))
    return np.mean(of_folds)


def slow_hits(parts, often):
    """The mean over folds of the mean over who was drawn, each as often as drawn."""
    of_folds = []
    for hits in parts:
        drawn = [hit for user, n in often.items() if user in hits for hit in [hits[user]] * int(n)]
        of_folds.append(np.mean(drawn))
    return np.mean(of_folds)


def draws(users, samples):
    """Who is drawn how often: the sums over the draws of a column for each user."""
    weights = resampled_sums(list(np.eye(len(users))), 1000, 1)
    return [dict(zip(users, weights[:, at], strict=True)) for at in range(samples)]


def in_order(folds):
    """All users of the tests, as the drawing numbers them."""
    users = set()
    for fold in folds:
        users |= set(rated(read_fold(fold.train, fold.test).test))
    return sorted(users)


def test_the_draws_of_an_rmse_are_those_of_the_slow_twin(folds):
    report = run_experiment(Experiment("rating", "biases", folds))
    parts = []
    for files in folds:
        fold = read_fold(files.train, files.test)
        model = MODELS["biases"].make({}).fit(fold.train)
        low, high = fold.train.values.min(), fold.train.values.max()
        errors = defaultdict(list)
        for user, items in rated(fold.test).items():
            key = user if not fold.test.users.holds_numbers else int(user)
            for item, stars in items.items():
                told = model.predict(np.array([key]), np.array([item]))[0]
                errors[user].append(float(np.clip(told, low, high)) - stars)
        parts.append(errors)
    users = in_order(folds)
    slow = [slow_rmse(parts, often) for often in draws(users, 1000)]
    told = report.summaries()["rmse"]
    assert told.mean == pytest.approx(slow_rmse(parts, dict.fromkeys(users, 1)))
    assert told.interval.low == pytest.approx(np.quantile(slow, 0.025))
    assert told.interval.high == pytest.approx(np.quantile(slow, 0.975))


def test_the_draws_of_a_mean_over_users_are_those_of_the_slow_twin(folds):
    report = run_experiment(Experiment("full-ranking", "popularity", folds, ks=(3,)))
    parts = []
    for files in folds:
        fold = read_fold(files.train, files.test)
        known, asked = rated(fold.train), rated(fold.test)
        times = defaultdict(int)
        for items in known.values():
            for item in items:
                times[item] += 1
        hits = {}
        for user, items in asked.items():
            left = [item for item in times if item not in known.get(user, {})]
            ranking = sorted(left, key=lambda item: (-times[item], item))
            hits[user] = float(any(item in items for item in ranking[:3]))
        parts.append(hits)
    users = in_order(folds)
    slow = [slow_hits(parts, often) for often in draws(users, 1000)]
    told = report.summaries()["hit_rate@3"]
    assert told.mean == pytest.approx(slow_hits(parts, dict.fromkeys(users, 1)))
    assert told.interval.low == pytest.approx(np.quantile(slow, 0.025))
    assert told.interval.high == pytest.approx(np.quantile(slow, 0.975))
    assert report.n_users == report.counts()["test_users"] == len(users) == 30


@pytest.mark.parametrize(
    ("protocol", "options"),
    [
        ("rating", {}),
        ("full-ranking", {"ks": (3,)}),
        ("leave-one-out", {"sampled_negatives": 5, "ks": (3,)}),
    ],
)
def test_to_judge_by_the_same_fold_again_and_again_makes_nothing_surer(folds, protocol, options):
    def document(times):
        return run_experiment(
            Experiment(protocol, "biases", folds[1:2] * times, **options)
        ).document()

    once, often = document(1), document(20)
    assert often["users"] == once["users"]
    assert often["counts"]["test_users"] == once["counts"]["test_users"]
    assert often["counts"]["test_ratings"] == 20 * once["counts"]["test_ratings"]
    for name, figure in once["metrics"].items():
        if figure["low"] is not None:
            for end in ("mean", "low", "high"):
                assert often["metrics"][name][end] == pytest.approx(figure[end]), name
        assert often["metrics"][name]["spread_of_folds"] == pytest.approx(0, abs=1e-12)


def test_folds_of_other_people_are_as_sure_as_all_of_them(tmp_path):
    """Where no user is in two folds, the interval of the mean is that of independent folds."""
    rng = np.random.default_rng(5)
    files = []
    for n in range(2):
        for name, rows in (("train", 400), ("test", 200)):
            users, items = rng.integers(n * 40, n * 40 + 40, rows), rng.integers(0, 15, rows)
            lines = [f"{u},{i},{rng.integers(1, 6)}" for u, i in zip(users, items, strict=True)]
            (tmp_path / f"{name}{n}").write_text("\n".join(["user,item,rating", *lines]) + "\n")
        files.append(FoldFiles(tmp_path / f"train{n}", tmp_path / f"test{n}"))

    def width(folds):
        interval = (
            run_experiment(Experiment("rating", "biases", folds)).summaries()["rmse"].interval
        )
        return interval.high - interval.low

    alone = np.hypot(*[width((fold,)) for fold in files]) / 2
    assert width(tuple(files)) == pytest.approx(alone, rel=0.15)


def test_who_is_in_several_folds_is_one_whether_written_as_number_or_text():
    everyone = Everyone.of([np.array([2, 10]), np.array(["10", "ann"]), np.array([7])])
    assert sorted(everyone.ids.ids.tolist()) == ["10", "2", "7", "ann"]
    numbers, text = everyone.places(np.array([10, 99])), everyone.places(np.array(["10"]))
    assert numbers.tolist() == [everyone.ids.row("10"), -1]
    assert text.tolist() == numbers[:1].tolist()


def test_the_table_says_that_counts_are_added_up(folds):
    table = table_of(run_experiment(Experiment("rating", "biases", folds)))
    assert "30 users judged" in table
    assert "\nadded up over folds:\n" in table
    alone = table_of(run_experiment(Experiment("rating", "biases", folds[:1])))
    assert "added up over folds" not in alone
