"""`projectionist evaluate` on files: what it prints, writes and refuses."""

import json
from functools import partial

import numpy as np
import pytest

from recommender.data.experiment_files import read_fold
from recommender.models.by_name import MODELS
from recommender.training import recipe_for

HEADER = "user,item,rating,timestamp"


@pytest.fixture
def evaluate(shell):
    """Run the command; returns exit status, standard output and error."""
    return partial(shell, "evaluate")


@pytest.fixture
def files(tmp_path):
    """Two tastes: even users rated even items; who is 2 apart from the item is in the test."""
    rng = np.random.default_rng(0)

    def write(name, rows, header=HEADER):
        (tmp_path / name).write_text("\n".join([header, *rows]) + "\n")

    cells = [(u, i) for u in range(24) for i in range(16) if (u + i) % 2 == 0]
    held = [(u, i) for u, i in cells if (u - i) % 16 == 2]
    stars = {cell: 1 + (cell[1] // 2) % 5 for cell in cells}
    rows = {(u, i): f"{u},{i},{stars[u, i]},{1_600_000_000 + u}" for u, i in cells}
    write("train.csv", [rows[cell] for cell in cells if cell not in held])
    write("test.csv", [rows[cell] for cell in held])
    others = [(u, i) for u in range(24) for i in rng.permutation(16)[:8] if (u + i) % 2 == 1]
    write("negatives.csv", [f"{u},{i}" for u, i in others], "user,item")
    write("others.csv", [rows[u, i] for u, i in cells if u < 16])
    write("known.csv", [rows[u, i] for u, i in cells if u >= 16 and (u, i) not in held])
    write("held.csv", [rows[u, i] for u, i in held if u >= 16])
    return write


FILES = ("--train", "train.csv", "--test", "test.csv")
RANKING = (*FILES, "--protocol", "full-ranking", "--model", "implicit-als", "--factors", "2")


def test_a_full_ranking_as_a_document(evaluate, files):
    status, out, err = evaluate(*RANKING, "--k", "1,5", "--epochs", "8", "--json")
    assert status == 0, err
    document = json.loads(out)
    assert document["protocol"] == "full-ranking"
    assert document["model"] == "implicit-als"
    assert (document["options"]["factors"], document["options"]["epochs"]) == (2, 8)
    assert document["seeds"] == [0]
    assert document["users"] == 24
    assert document["metrics"]["recall@1"]["mean"] > 0.9  # the one of the own kind left
    assert {"ndcg@5", "capped_recall@5", "coverage@5", "gini@1", "auc"} <= set(document["metrics"])
    assert document["peak_memory_bytes"] > 10_000_000
    assert set(document["seconds"]) == {"read", "fit", "evaluate", "total"}
    assert document["files"] == [
        {"train": "train.csv", "test": "test.csv", "negatives": None, "fold_in": None}
    ]
    assert "training: 8 of 8" in err
    assert "evaluating: 24 of 24" in err


def test_a_table_for_people(evaluate, files):
    status, out, _ = evaluate(*RANKING, "--k", "5")
    lines = out.splitlines()
    assert status == 0
    assert lines[0] == "full-ranking · implicit-als"
    assert "factors 2, " in lines[1]
    assert "24 users judged" in out
    assert max(map(len, lines)) <= 100
    assert any(line.startswith("ndcg@5") and " – " in line for line in lines)
    assert "MiB at the peak" in lines[-1]


def test_rating_prediction(evaluate, files):
    arguments = (*FILES, "--protocol", "rating", "--model", "biased-als", "--no-momentum", "--json")
    status, out, err = evaluate(*arguments)
    assert status == 0, err
    document = json.loads(out)
    assert document["settings"]["clipped_to"] == [1, 5]
    assert document["options"]["momentum"] is False
    assert 0 < document["metrics"]["rmse"]["mean"] < 1.5
    assert document["metrics"]["rmse"]["low"] <= document["metrics"]["rmse"]["high"]


def test_leave_one_out_with_a_file_and_by_lot(evaluate, files):
    common = (*FILES, "--protocol", "leave-one-out", "--model", "implicit-als", "--factors", "2")
    status, out, err = evaluate(*common, "--negatives", "negatives.csv", "--k", "1", "--json")
    assert status == 0, err
    assert json.loads(out)["metrics"]["hit_rate@1"]["mean"] > 0.9
    status, out, err = evaluate(*common, "--sampled-negatives", "4", "--seeds", "2", "--json")
    assert status == 0, err
    document = json.loads(out)
    assert document["seeds"] == [0, 1]
    assert document["settings"]["sampled_negatives"] == 4
    assert document["metrics"]["auc"]["spread_of_seeds"] is not None


def test_strong_generalization(evaluate, files):
    status, out, err = evaluate(
        "--train", "others.csv", "--test", "held.csv", "--fold-in", "known.csv", "--protocol",
        "strong-generalization", "--model", "ease", "--regularization", "10", "--k", "1", "--json",
    )  # fmt: skip
    assert status == 0, err
    document = json.loads(out)
    assert document["users"] == 8
    assert document["metrics"]["capped_recall@1"]["mean"] > 0.9


def test_folds_in_pairs(evaluate, files):
    status, out, err = evaluate(
        *FILES, "--train", "test.csv", "--test", "train.csv", "--protocol", "rating", "--model",
        "biases", "--json",
    )  # fmt: skip
    assert status == 0, err
    document = json.loads(out)
    assert [run["fold"] for run in document["runs"]] == [1, 2]
    assert document["metrics"]["rmse"]["spread_of_folds"] > 0


def test_options_from_a_file(evaluate, files, tmp_path):
    (tmp_path / "best.toml").write_text(
        'model = "implicit-als"\n[options]\nfactors = 3\nepochs = 2\n'
    )
    common = (*FILES, "--protocol", "full-ranking", "--options", "best.toml", "--json")
    status, out, err = evaluate(*common, "--epochs", "4")
    assert status == 0, err
    document = json.loads(out)
    assert (document["options"]["factors"], document["options"]["epochs"]) == (3, 4)
    status, _, err = evaluate(*common, "--model", "biased-als")
    assert (status, err.count("\n")) == (1, 1)
    assert "best.toml has options of implicit-als, not of biased-als" in err


def test_none_is_what_the_help_says(evaluate, files, tmp_path):
    """It goes before the file of options, as any value does."""
    (tmp_path / "own.toml").write_text('model = "implicit-als"\n[options]\nthreads = 3\n')
    common = (*FILES, "--protocol", "full-ranking", "--options", "own.toml", "--json")
    assert json.loads(evaluate(*common)[1])["options"]["threads"] == 3
    assert json.loads(evaluate(*common, "--threads", "None")[1])["options"]["threads"] is None
    assert "factors must be a whole number" in evaluate(*common, "--factors", "None")[2]


@pytest.mark.parametrize("model", ["implicit-als", "biased-als"])
def test_what_is_not_said_is_what_train_would_take(evaluate, files, tmp_path, model):
    ratings = read_fold(tmp_path / "train.csv", tmp_path / "test.csv").train
    recipe = recipe_for(ratings)
    made = {"implicit-als": recipe.ranking, "biased-als": recipe.stars}[model]
    common = (*FILES, "--protocol", "full-ranking", "--model", model, "--json")
    document = json.loads(evaluate(*common)[1])
    assert document["options"] == {k: v for k, v in made.options().items() if k != "seed"}
    changed = json.loads(evaluate(*common, "--regularization", "0.5")[1])
    assert changed["options"] == document["options"] | {"regularization": 0.5}


def test_the_document_is_written_too_and_kept(evaluate, files, tmp_path):
    status, out, _ = evaluate(*RANKING, "--output", "report.json")
    assert status == 0
    assert out.startswith("full-ranking")
    assert json.loads((tmp_path / "report.json").read_text())["protocol"] == "full-ranking"
    status, out, err = evaluate(*RANKING, "--output", "report.json")
    assert (status, out) == (1, "")
    assert "report.json: it exists" in err
    assert evaluate(*RANKING, "--output", "report.json", "--force")[0] == 0
    assert "its folder does not exist" in evaluate(*RANKING, "--output", "absent/report.json")[2]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_every_option_of_every_model_is_an_option_of_the_command(evaluate):
    _, out, _ = evaluate("--help")
    for model in MODELS.values():
        assert model.name in out
        for option in model.options:
            assert f"--{option.name.replace('_', '-')}" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "svd"), "no model 'svd'; known are: implicit-als"),
        (("--protocol", "holdout"), "no protocol 'holdout'; known are: rating"),
        (("--factors", "many"), "factors must be a whole number from 1 to 2048; found 'many'"),
        (("--factors", "2.5"), "factors must be a whole number"),
        (("--regularization", "nan"), "regularization must be a number from 0"),
        (("--samples", "3"), "samples is no option of implicit-als; it has factors"),
        (("--k", "ten"), "k must be whole numbers of at least 1, with commas between"),
        (("--k", "0"), "k must be a whole number of at least 1"),
        (("--protocol", "rating"), "implicit-als predicts no stars"),
        (("--negatives", "negatives.csv"), "negatives belong to the protocol leave-one-out"),
        (("--train", "train.csv"), "found --train 2 times and --test 1 times"),
        (("--seeds", "0"), "number of seeds must be"),
        (("--relevant-from", "6"), "none is left to be asked"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(evaluate, files, arguments, said):
    status, out, err = evaluate(*RANKING, *arguments)
    assert (status, out) == (1, "")
    assert said in err.splitlines()[-1]
    assert err.splitlines()[-1].startswith("projectionist: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the file is empty; expected: CSV with a header line"),
        (HEADER + "\n", "holds no ratings"),
        ("user,rating\n1,3\n", "lacks a column: 'movie_id' or 'item_id' or 'movie' or 'item'"),
        ("1,2,3\n4,5,3\n", "data where the header should be"),
        ("user,item,rating\n1,2,3\n1,3,bad\n", "line 3: column 'rating': found the text 'bad'"),
        ("user,item,rating\nu1,2,3\n", "column 'user': the ids here are text"),
        ("user,item,rating\n1,m2,3\n", "column 'item': the ids here are text"),
    ],
)
def test_bad_files_are_told_in_one_line(evaluate, files, tmp_path, content, said):
    (tmp_path / "test.csv").write_text(content)
    status, out, err = evaluate(*RANKING)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "test.csv" in err
    assert said in err


def test_without_a_model_the_known_ones_are_named(evaluate, files):
    status, _, err = evaluate(*FILES, "--protocol", "rating")
    assert (status, err) == (1, f"projectionist: say which --model: {', '.join(MODELS)}\n")
