"""What an experiment is held to: checked before any work, seeded, and told with where it ran."""

import hashlib
import math

import numpy as np
import pytest

from recommender.errors import InvalidInputError, InvalidOptionError, TooFewRatingsError
from recommender.evaluation.experiment import Experiment, FoldFiles
from recommender.evaluation.report_table import table_of
from recommender.evaluation.running import run_experiment
from recommender.models.starting import check_enough
from recommender.solvers.threads import available_threads
from tests.recommender.evaluation.experiments import fold_for


class TestBeforeAnyWork:
    """What makes an experiment impossible is told before the first model is trained."""

    @pytest.fixture
    def told(self, files):
        """Run an experiment of two folds that cannot be; nothing may have been trained."""

        def run(fold, protocol="full-ranking", model="implicit-als", **more):
            steps = []
            good = fold_for(files, protocol)
            experiment = Experiment(protocol, model, (good, fold), **more)
            with pytest.raises(InvalidInputError) as refused:
                run_experiment(experiment, lambda *step: steps.append(step))
            assert not [phase for phase, *_ in steps if "training" in phase or "prep" in phase]
            return str(refused.value)

        return run

    def test_a_file_of_the_second_fold_is_missing(self, told, files, tmp_path):
        absent = FoldFiles(files["train-2"], tmp_path / "absent.csv")
        assert "absent.csv: no such file" in told(absent)

    def test_nobody_is_left_in_the_second_fold(self, told, files):
        same = FoldFiles(files["train-2"], files["train-2"])
        assert "fold 2 of 2: of 40 users" in told(same)
        assert "the training has them all" in told(same, "rating", "biases")

    def test_there_is_no_scale_or_nothing_to_learn_from(self, told, files, tmp_path):
        (tmp_path / "one.csv").write_text("user,item,rating\n1,2,3\n")
        one = FoldFiles(tmp_path / "one.csv", files["test"])
        assert "of one user" in told(one, defaults=lambda train: check_enough(train) or {})

    def test_negatives_are_of_other_users(self, told, files, tmp_path):
        (tmp_path / "others.csv").write_text("user,item\n999,1\n")
        other = FoldFiles(files["train"], files["test"], tmp_path / "others.csv")
        assert "has negatives" in told(other, "leave-one-out")

    def test_nobody_has_anything_left_to_draw(self, files, tmp_path):
        rows = [f"{u},{i},3" for u in range(3) for i in range(4)]
        for name, chosen in (("train", rows[::2]), ("test", rows[1::2])):
            (tmp_path / name).write_text("\n".join(["user,item,rating", *chosen]) + "\n")
        (tmp_path / "train").write_text("\n".join(["user,item,rating", *rows[:-1]]) + "\n")
        fold = FoldFiles(tmp_path / "train", tmp_path / "test")
        steps = []
        with pytest.raises(TooFewRatingsError, match="all have rated every item"):
            run_experiment(
                Experiment("leave-one-out", "ease", (fold,), sampled_negatives=3),
                lambda *step: steps.append(step),
            )
        assert steps == []

    @pytest.mark.parametrize("protocol", ["full-ranking", "leave-one-out", "strong-generalization"])
    def test_no_rating_is_relevant(self, told, files, protocol):
        said = told(fold_for(files, protocol), protocol, relevant_from=6.0)
        assert "none is left to be asked" in said


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_relevant_from_is_a_finite_number(files, wrong):
    with pytest.raises(InvalidOptionError, match="relevant-from must be a finite number"):
        Experiment(
            "full-ranking", "popularity", (fold_for(files, "full-ranking"),), relevant_from=wrong
        )


def test_the_last_seed_is_a_seed_too(files):
    fold = (fold_for(files, "full-ranking"),)
    last = 2**32 - 1
    Experiment("full-ranking", "implicit-als", fold, seed=last)
    for more in ({"seed": last}, {"options": {"seed": last}}):
        with pytest.raises(InvalidOptionError, match="from 0 to 4294967295; found 4294967295 to"):
            Experiment("full-ranking", "implicit-als", fold, n_seeds=2, **more)


def test_numbers_that_no_memory_holds_are_refused(files):
    fold = (fold_for(files, "full-ranking"),)
    for k in (10_001, 10**9, 10**20):
        with pytest.raises(InvalidInputError, match="k must be at most 10,000"):
            Experiment("full-ranking", "popularity", fold, ks=(k,))
    drawn = (FoldFiles(files["train"], files["test"]),)
    with pytest.raises(InvalidOptionError, match="at most 1,000,000,000 sampled negatives"):
        Experiment("leave-one-out", "popularity", drawn, sampled_negatives=10**20)
    many = Experiment("leave-one-out", "popularity", drawn, sampled_negatives=10**9, ks=(10_000,))
    document = run_experiment(many).document()
    assert document["counts"]["users_with_fewer_negatives"] == document["users"]


def test_negatives_are_drawn_from_the_seed_whatever_the_model(files):
    def figures(**more):
        experiment = Experiment(
            "leave-one-out", "popularity", (FoldFiles(files["train"], files["test"]),),
            sampled_negatives=5, ks=(2,), **more,
        )  # fmt: skip
        document = run_experiment(experiment).document()
        return document["seeds"], [run["metrics"]["mrr"]["mean"] for run in document["runs"]]

    seeds, three = figures(n_seeds=3)
    assert seeds == [0, 1, 2]
    assert figures(seed=1) == ([1], three[1:2])
    assert figures(seed=1, n_seeds=2) == ([1, 2], three[1:])


def test_a_seed_goes_before_that_of_the_options(files):
    experiment = Experiment(
        "full-ranking", "implicit-als", (fold_for(files, "full-ranking"),),
        {"seed": 7, "epochs": 1, "factors": 2}, seed=3,
    )  # fmt: skip
    report = run_experiment(experiment)
    assert report.document()["seeds"] == [3]
    assert report.runs[0].options["seed"] == 3


def test_the_steps_of_a_training_are_known_from_its_beginning(files):
    told = []
    experiment = Experiment(
        "rating", "bayesian-mf", (fold_for(files, "rating"),), {"samples": 3, "factors": 2}
    )
    run_experiment(experiment, lambda *step: told.append(step))
    steps = [(done, total) for phase, done, total in told if phase == "training"]
    total = steps[0][1]
    assert total > 3  # some draws come before those that count
    assert {each for _, each in steps} == {total}
    assert steps[-1][0] == total


def test_a_document_says_where_and_with_what(files):
    fold = fold_for(files, "leave-one-out")
    report = run_experiment(Experiment("leave-one-out", "ease", (fold,)), memory=lambda: 77)
    document = report.document()
    for role, path in vars(fold).items():
        expected = None if path is None else hashlib.sha256(path.read_bytes()).hexdigest()
        assert document["sha256"][0][role] == expected
    assert set(document["versions"]) == {"projectionist", "python", "numpy", "numba", "scipy"}
    assert document["versions"]["numpy"] == np.__version__
    assert document["machine"]["cores"] == document["threads"] == available_threads()
    assert document["machine"]["processor"]
    assert document["runs"][0]["peak_memory_bytes"] == 77
    assert f"threads {available_threads()}\n" in table_of(report)
    assert "threads None" not in table_of(report)


def test_scores_that_are_all_alike_are_told(tmp_path):
    """Negative ratings alone weigh nothing: what is ranked then is the order of ids."""
    cells = [(u, i) for u in range(8) for i in range(6)]
    for name, third in (("train", (0, 1)), ("test", (2,))):
        rows = [f"{u},{i},-1" for u, i in cells if (u + i) % 3 in third and (u, i) != (u, u % 5)]
        (tmp_path / name).write_text("\n".join(["user,item,rating", *rows]) + "\n")
    fold = (FoldFiles(tmp_path / "train", tmp_path / "test"),)
    for protocol, more in (("full-ranking", {}), ("leave-one-out", {"sampled_negatives": 3})):
        report = run_experiment(Experiment(protocol, "implicit-als", fold, **more))
        assert report.counts()["users_scored_alike"] == 8
        assert "8  users whose items all have one score" in table_of(report)
    sound = run_experiment(Experiment("full-ranking", "ease", fold, {"regularization": 1}))
    assert sound.counts()["users_scored_alike"] == 0


def test_times_of_the_test_alone_are_not_given(tmp_path, files):
    rows = files["test"].read_text().splitlines()
    (tmp_path / "timed").write_text(
        "\n".join([rows[0] + ",timestamp", *[f"{row},1600000000" for row in rows[1:]]]) + "\n"
    )
    fold = FoldFiles(files["train"], tmp_path / "timed")
    options = {"samples": 1, "factors": 2}
    settings = run_experiment(Experiment("rating", "bayesian-mf", (fold,), options)).document()
    assert settings["settings"]["timestamps_given"] is False
