"""Experiments on files: every protocol, folds and seeds, what is refused, and what is told."""

import math

import numpy as np
import pytest

from recommender.data.experiment_files import read_fold
from recommender.errors import InvalidInputError, InvalidOptionError
from recommender.evaluation.experiment import PROTOCOLS, Experiment, FoldFiles
from recommender.evaluation.protocols import rank_catalogue, rating_prediction
from recommender.evaluation.report import COUNTS
from recommender.evaluation.report_table import table_of
from recommender.evaluation.running import run_experiment
from recommender.models.by_name import MODELS
from tests.recommender.evaluation.experiments import fold_for

KINDS = tuple(PROTOCOLS)


@pytest.mark.parametrize("protocol", KINDS)
@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_every_model_runs_every_protocol_that_it_can(files, protocol, model):
    fold = fold_for(files, protocol)
    if not getattr(model, PROTOCOLS[protocol].needs):
        with pytest.raises(InvalidOptionError, match=f"{model.name} .*; models that do: "):
            Experiment(protocol, model.name, (fold,))
        return
    report = run_experiment(Experiment(protocol, model.name, (fold,)))
    document = report.document()
    assert document["users"] > 10
    assert document["metrics"]
    for name, figure in document["metrics"].items():
        assert math.isfinite(figure["mean"]), name
        if "coverage@" not in name and "gini@" not in name:
            assert figure["low"] <= figure["mean"] + 0.05, name
            assert figure["low"] <= figure["high"], name
    assert set(document["options"]) == {o.name for o in model.options} - {"seed"}
    repeated = {name for name in document["counts"] if name.startswith("repeated_in_")}
    assert {name.partition("@")[0] for name in set(document["counts"]) - repeated} <= set(COUNTS)
    shown = PROTOCOLS[protocol].shown
    for name, figure in document["metrics"].items():
        k = name.partition("@")[2]
        is_shown = not k or int(k) in shown
        assert (f"\n{name} " in table_of(report)) is is_shown
        assert f"{figure['mean']:.4f}" in table_of(report) or not is_shown
    assert table_of(report).count("\n") < 40


def test_one_run_is_the_protocol_itself(files):
    fold = read_fold(files["train"], files["test"])
    model = MODELS["implicit-als"].make({"factors": 3, "epochs": 4, "seed": 5})
    expected = rank_catalogue(model.fit(fold.train), fold.train, fold.test, (3, 7))
    experiment = Experiment(
        "full-ranking", "implicit-als", (fold_for(files, "full-ranking"),),
        {"factors": 3, "epochs": 4, "seed": 5}, ks=(7, 3),
    )  # fmt: skip
    document = run_experiment(experiment).document()
    assert {k: f["mean"] for k, f in document["metrics"].items()} == expected.values()
    assert document["seeds"] == [5]
    assert document["settings"]["k"] == [3, 7]
    low, high = np.quantile(expected.resampled(seed=1)["ndcg@7"], (0.025, 0.975))
    told = document["metrics"]["ndcg@7"]
    assert (told["low"], told["high"]) == (low, high)
    assert told["spread_of_seeds"] is told["spread_of_folds"] is None


def test_folds_and_seeds_are_averaged_and_their_spread_is_told(files):
    folds = (
        FoldFiles(files["train"], files["test"]),
        FoldFiles(files["train-2"], files["test-2"]),
    )
    options = {"factors": 4, "epochs": 3, "seed": 2}
    told = []
    report = run_experiment(
        Experiment("rating", "biased-als", folds, options, n_seeds=3),
        lambda *step: told.append(step),
    )
    document = report.document()
    runs = document["runs"]
    assert [(run["fold"], run["seed"]) for run in runs] == [
        (fold, seed) for fold in (1, 2) for seed in (2, 3, 4)
    ]
    assert document["seeds"] == [2, 3, 4]
    # A fold is read once, for all its seeds.
    assert [run.seconds["read"] > 0 for run in report.runs] == [True, False, False] * 2
    values = np.array([run["metrics"]["rmse"]["mean"] for run in runs]).reshape(2, 3)
    rmse = document["metrics"]["rmse"]
    assert rmse["mean"] == pytest.approx(values.mean())
    assert rmse["spread_of_seeds"] == pytest.approx(values.mean(axis=0).std(ddof=1))
    assert rmse["spread_of_folds"] == pytest.approx(values.mean(axis=1).std(ddof=1))
    assert rmse["spread_of_seeds"] > 0
    one_fold, other = (read_fold(fold.train, fold.test) for fold in folds)
    model = MODELS["biased-als"].make(options | {"seed": 3})
    expected = rating_prediction(model.fit(other.train), other.train, other.test)
    assert values[1, 1] == pytest.approx(expected.value("rmse"))
    assert document["counts"]["test_ratings"] == one_fold.test.n_ratings + other.test.n_ratings
    phases = {phase for phase, _, _ in told}
    assert {"fold 1 of 2, seed 2: training", "fold 2 of 2, seed 4: predicting"} <= phases
    table = table_of(report)
    assert "± seeds" in table
    assert "3 seeds (2 to 4)" in table
    assert "± folds" in table


def test_seeds_draw_negatives_anew(files):
    experiment = Experiment(
        "leave-one-out", "popularity", (FoldFiles(files["train"], files["test"]),),
        n_seeds=3, sampled_negatives=5, ks=(2,),
    )  # fmt: skip
    runs = run_experiment(experiment).document()["runs"]
    assert [run["seed"] for run in runs] == [0, 1, 2]
    assert len({run["metrics"]["mrr"]["mean"] for run in runs}) == 3


def test_without_chance_there_is_no_seed(files):
    document = run_experiment(
        Experiment("full-ranking", "popularity", (fold_for(files, "full-ranking"),))
    ).document()
    assert document["seeds"] == []
    assert document["runs"][0]["seed"] is None
    assert document["options"] == {}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"protocol": "hold-out"}, "no protocol 'hold-out'; known are: rating, leave-one-out"),
        ({"model": "svd++"}, r"no model 'svd\+\+'; known are: implicit-als"),
        ({"options": {"samples": 3}}, "samples is no option of implicit-als; it has factors"),
        ({"options": {"factors": 0}}, "factors must be a whole number from 1"),
        ({"n_seeds": 0}, "number of seeds must be a whole number of at least 1"),
        ({"n_seeds": 5_000}, "at most 1,000 seeds"),
        ({"model": "popularity", "n_seeds": 2}, "draws nothing at random"),
        ({"ks": (0,)}, "k must be a whole number"),
        ({"protocol": "rating", "model": "biased-als", "ks": (3,)}, "k says something of lists"),
        (
            {"protocol": "rating", "model": "biased-als", "relevant_from": 4.0},
            "relevant-from says something of lists",
        ),
        ({"sampled_negatives": 9}, "negatives belong to the protocol leave-one-out"),
        ({"protocol": "leave-one-out"}, "found neither"),
        ({"protocol": "leave-one-out", "sampled_negatives": 0}, "sampled negatives must be"),
        ({"protocol": "strong-generalization"}, "needs a file to fold in"),
        ({"folds": ()}, "needs files"),
        ({"protocol": "rating"}, "implicit-als predicts no stars.*: biased-als, bayesian-mf, bias"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(wrong, said, tmp_path):
    absent = FoldFiles(tmp_path / "a", tmp_path / "b")
    asked = {"protocol": "full-ranking", "model": "implicit-als", "folds": (absent,)} | wrong
    with pytest.raises(InvalidInputError, match=said):
        Experiment(**asked)


def test_files_of_another_protocol_are_refused(tmp_path):
    path = tmp_path / "a"
    for fold in (FoldFiles(path, path, negatives=path), FoldFiles(path, path, fold_in=path)):
        with pytest.raises(InvalidOptionError, match="belong"):
            Experiment("full-ranking", "popularity", (fold,))
    both = FoldFiles(path, path, negatives=path)
    with pytest.raises(InvalidOptionError, match="found both"):
        Experiment("leave-one-out", "popularity", (both,), sampled_negatives=3)
