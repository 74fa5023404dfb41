"""`projectionist evaluate` on files: what it prints, writes and refuses."""

import hashlib
import json
import platform
from datetime import UTC, datetime
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
    assert set(document["seconds"]) == {"read", "prepare", "fit", "evaluate", "total"}
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
        (("--relevant-from", "nan"), "relevant-from must be a finite number; found nan"),
        (("--k", "1_0"), "k must be whole numbers of at least 1, with commas between"),
        (("--k", "٣"), "k must be whole numbers of at least 1, with commas between"),
        (("--k", "1000000000"), "k must be at most 10,000; found 1000000000"),
        (("--k", "99999999999999999999"), "k must be at most 10,000"),
        (("--factors", "1_0"), "factors must be a whole number from 1 to 2048; found '1_0'"),
        (("--factors", "٣"), "factors must be a whole number from 1 to 2048"),
        (("--seed", "4294967295", "--seeds", "2"), "from 0 to 4294967295; found 4294967295 to"),
        (("--seed", "-1"), "seeds must be whole numbers from 0 to 4294967295; found -1"),
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


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seeds", "1_0"),
        ("--sampled-negatives", "9_9"),
        ("--seed", "1_0"),
        ("--relevant-from", "1_0"),
    ],
)
def test_numbers_are_as_people_write_them(evaluate, files, arguments):
    status, out, err = evaluate(*RANKING, *arguments)
    assert (status, out) == (2, "")
    assert f"Invalid value for '{arguments[0]}': '{arguments[1]}' is not a" in err


def test_a_folder_is_told_as_one(evaluate, files):
    status, out, err = evaluate("--train", ".", "--test", "test.csv", *RANKING[4:])
    assert (status, out) == (1, "")
    assert err.startswith("projectionist: .: is a folder where a CSV file is expected, such as ")
    assert err.count("\n") == 1


def test_more_negatives_than_there_are_items(evaluate, files):
    common = (*FILES, "--protocol", "leave-one-out", "--model", "popularity", "--json")
    status, _, err = evaluate(*common, "--sampled-negatives", "99999999999999999999")
    assert status == 1
    assert "at most 1,000,000,000 sampled negatives" in err
    document = json.loads(evaluate(*common, "--sampled-negatives", "1000000000")[1])
    assert document["counts"]["users_with_fewer_negatives"] == 24


def test_a_seed_for_what_is_drawn_without_a_model_that_has_one(evaluate, files):
    common = (*FILES, "--protocol", "leave-one-out", "--model", "popularity")
    drawn = (*common, "--sampled-negatives", "4", "--json")
    first, other = (json.loads(evaluate(*drawn, "--seed", seed)[1]) for seed in (1, 2))
    assert (first["seeds"], other["seeds"]) == ([1], [2])
    assert first["metrics"]["mrr"] != other["metrics"]["mrr"]
    assert json.loads(evaluate(*drawn, "--seed", "1")[1])["metrics"] == first["metrics"]
    both = json.loads(evaluate(*drawn, "--seed", "1", "--seeds", "2")[1])
    assert both["seeds"] == [1, 2]
    table = evaluate(*drawn[:-1], "--seed", "1", "--seeds", "2")[1]
    assert "2 seeds (1 to 2), threads " in table
    assert "seed 1, threads " in evaluate(*drawn[:-1], "--seed", "1")[1]


@pytest.mark.parametrize("given", ["full-ranking", "leave-one-out"])
def test_the_protocol_from_a_file_of_options(evaluate, files, tmp_path, given):
    (tmp_path / "best.toml").write_text(
        'model = "ease"\n[options]\n[found]\nprotocol = "full-ranking"\n'
    )
    arguments = [*FILES, "--options", "best.toml", "--json"]
    if given != "full-ranking":
        arguments += ["--protocol", given, "--sampled-negatives", "3"]
    status, out, err = evaluate(*arguments)
    assert status == 0, err
    assert json.loads(out)["protocol"] == given


@pytest.mark.parametrize("found", ["", "[found]\nscore = 1\n", '[found]\nprotocol = ["x"]\n'])
def test_without_a_protocol_the_known_ones_are_named(evaluate, files, tmp_path, found):
    (tmp_path / "best.toml").write_text(f'model = "ease"\n[options]\n{found}')
    said = "projectionist: say which --protocol: rating, leave-one-out, full-ranking, strong"
    status, _, err = evaluate(*FILES, "--options", "best.toml")
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith(said)
    assert "best.toml names none of them under [found]" in err
    assert evaluate(*FILES, "--model", "ease")[2].startswith(said)


def test_when_where_and_with_what(evaluate, files, tmp_path):
    before = datetime.now(UTC).replace(microsecond=0)
    document = json.loads(evaluate(*RANKING, "--json")[1])
    assert document["started"].endswith("Z")
    assert before <= datetime.fromisoformat(document["started"]) <= datetime.now(UTC)
    digest = hashlib.sha256((tmp_path / "test.csv").read_bytes()).hexdigest()
    assert document["sha256"][0]["test"] == digest
    assert document["versions"]["python"] == platform.python_version()
    assert document["runs"][0]["peak_memory_bytes"] > 10_000_000


def test_a_table_without_k_shows_some_and_the_document_all(evaluate, files):
    table = evaluate(*RANKING)[1]
    assert "ndcg@10 " in table
    assert "ndcg@20 " not in table
    assert "(of k = 10, 20, 50, 100; all are in the JSON document" in table
    assert "ndcg@20 " in evaluate(*RANKING, "--k", "10,20")[1]
    assert "ndcg@50" in json.loads(evaluate(*RANKING, "--json")[1])["metrics"]


def test_the_help_says_of_which_model_it_speaks(evaluate):
    help_text = " ".join(evaluate("--help")[1].split())
    assert "For implicit-als [64]: dimensions of the embeddings. A whole number" in help_text
    assert "For biased-als [15]: dimensions of the embeddings; 15 and a bias" in help_text
    assert "For bayesian-mf [31]: dimensions" in help_text
    assert "Passes over all ratings. A whole number from 1 to 10000. [implicit-als" in help_text


def test_the_header_of_movielens_is_read(evaluate, files, tmp_path):
    for name in ("train.csv", "test.csv"):
        text = (tmp_path / name).read_text()
        (tmp_path / name).write_text(text.replace(HEADER, "userId,movieId,rating,timestamp"))
    assert evaluate(*RANKING)[0] == 0


def test_without_a_model_the_known_ones_are_named(evaluate, files):
    status, _, err = evaluate(*FILES, "--protocol", "rating")
    assert (status, err) == (1, f"projectionist: say which --model: {', '.join(MODELS)}\n")
