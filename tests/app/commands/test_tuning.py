"""`projectionist tune`, and `projectionist train --options`: from ratings to a model."""

import json
import re
import time
import tomllib

import pytest

from recommender import load_generation
from recommender.tuning import read_options

FAST = ("--factors", "2-8", "--threads", "1")


@pytest.fixture
def shell(shell, folder):
    """Run a command where the planted world is."""
    return shell


class TestFromRatingsToAModel:
    def test_tune_and_train(self, shell, folder):
        assert shell("import", "world.csv")[0] == 0
        status, out, err = shell("tune", "--trials", 5, *FAST, "--json")
        assert status == 0, err
        found = json.loads(out)
        assert (found["trials"], found["metric"], found["hold_out"]) == (5, "ndcg@10", "time")
        assert found["score"] >= found["default_score"] > 0
        assert (found["data"], found["ratings"], found["users"]) == ("stored ratings", 1800, 90)
        assert "trials: 5 of 5 (best ndcg@10 0." in err
        document = tomllib.loads((folder / "implicit-als.toml").read_text())
        assert document["options"] == found["options"]
        for name in ("score", "default_score", "digest", "seed", "version", "trials", "metric"):
            assert document["found"][name] == found[name]

        status, out, err = shell("train", "--options", "implicit-als.toml", "--no-evaluate")
        assert status == 0, err
        kept = load_generation("var/models").manifest.options["ranking"]
        assert kept == found["options"] | {"threads": None}
        assert load_generation("var/models").ranking.n_factors == found["options"]["factors"]

        flags = ("--factors", 3, "--epochs", 2)
        shell("train", "--options", "implicit-als.toml", "--no-evaluate", *flags)
        kept = load_generation("var/models").manifest.options["ranking"]
        assert kept == found["options"] | {"threads": None, "factors": 3, "epochs": 2}

    def test_a_file_for_each_of_the_two_models(self, shell, folder):
        (folder / "rank.toml").write_text('model = "implicit-als"\n[options]\nfactors = 3\n')
        (folder / "stars.toml").write_text('model = "biased-als"\n[options]\nfactors = 5\n')
        shell("import", "world.csv")
        files = ("--options", "stars.toml", "--options", "rank.toml")
        status, _, err = shell("train", *files, "--seed", 4, "--no-evaluate")
        assert status == 0, err
        options = load_generation("var/models").manifest.options
        assert (options["ranking"]["factors"], options["ranking"]["seed"]) == (3, 4)
        assert (options["stars"]["factors"], options["stars"]["seed"]) == (5, 4)

    def test_a_file_of_ratings_instead_of_the_store(self, shell, folder):
        command = ("tune", "--model", "biased-als", "--train", "world.csv", "--trials", 3)
        status, out, err = shell(*command, *FAST, "--hold-out", "random", "--json")
        assert status == 0, err
        found = json.loads(out)
        assert (found["metric"], found["hold_out"], found["data"]) == (
            "rmse",
            "random",
            "world.csv",
        )
        assert found["score"] <= found["default_score"]
        assert read_options("biased-als.toml")[0] == "biased-als"
        assert not (folder / "var").exists()

    def test_a_file_without_ratings_and_times(self, shell, folder):
        (folder / "clicks.csv").write_text(
            "user,item\n"
            + "".join(f"u{u},i{i}\n" for u in range(30) for i in range(30) if (u + i) % 2 == 0)
        )
        command = ("tune", "--train", "clicks.csv", "--metric", "recall@20", "--trials", 3, *FAST)
        status, out, err = shell(*command, "--json")
        assert status == 0, err
        assert json.loads(out)["hold_out"] == "random"
        status, _, err = shell("tune", "--train", "clicks.csv", "--model", "biased-als")
        assert status == 1
        assert "rating" in err

    def test_for_people_it_says_what_to_look_at(self, shell):
        command = ("tune", "--train", "world.csv", "--protocol", "leave-one-out", "--trials", 2)
        status, out, err = shell(*command, *FAST, "--output", "best.toml")
        assert status == 0, err
        assert out.startswith("2 trials in ")
        assert "hr@10 0." in out
        assert "regularization" in out
        assert out.endswith("Written to best.toml.\n")
        assert "Tuning implicit-als for hr@10 (leave-one-out) on 1,800 ratings of 90 users" in err

    def test_time_as_the_budget(self, shell):
        began = time.monotonic()
        command = ("tune", "--train", "world.csv", "--minutes", 0.03, *FAST, "--json")
        status, out, err = shell(*command)
        assert status == 0, err
        assert json.loads(out)["trials"] >= 1  # on a busy machine there is time for no more
        assert re.search(r"seconds: 2 of 2 \(\d+ trials?, best ndcg@10 0\.", err)
        assert time.monotonic() - began < 90


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--metric", "auc"), "metric of full-ranking must be hr@N or ndcg@N"),
            (("--metric", "rmse"), "found 'rmse'"),
            (("--protocol", "rating"), "protocol of implicit-als must be full-ranking or leave"),
            (("--model", "als"), "model must be implicit-als or biased-als"),
            (("--minutes", "0"), "minutes must be a number above 0; found 0"),
            (("--minutes", "nan"), "minutes must be a number above 0"),
            (("--trials", "0"), "trials must be a whole number of at least 1; found 0"),
            (("--hold-out", "last"), "hold-out must be time or random; found 'last'"),
            (("--factors", "many"), "factors must be a number, such as 64, or a range"),
            (("--factors", "9-3"), "the range 9-3 is empty"),
            (("--factors", "8-4096"), "from 1 to 2048"),
            (("--model", "ease", "--factors", "8"), "factors is no option of ease"),
            (("--seed", "-1"), "seed must be a whole number from 0"),
            (("--threads", "0"), "threads must be a whole number from 1"),
            (("--train", "none.csv"), "none.csv: no such file"),
            (("--train", "empty.csv"), "empty.csv"),
            (("--train", "header.csv"), "header.csv: the file holds no ratings"),
            (("--train", "few.csv"), "nothing can be held out: none of the 2 users has 5"),
            (("--train", "few.csv", "--hold-out", "time"), "needs timestamps"),
            (("--study", "world.csv"), "world.csv: it is no study"),
            (("--study", "none/study"), "none/study: No such file"),
            (("--output", "none/best.toml"), "none/best.toml: its folder does not exist"),
            (("--output", "world.csv"), "world.csv: it exists, and is replaced only when told"),
            (("--output", "."), "this is a folder"),
        ],
    )
    def test_it_is_refused_in_one_line_and_nothing_is_left(self, shell, folder, arguments, said):
        (folder / "empty.csv").write_text("")
        (folder / "header.csv").write_text("user,item,rating\n")
        (folder / "few.csv").write_text("user,item,rating\na,x,3\nb,x,4\n")
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        train = () if "--train" in arguments else ("--train", "world.csv")
        status, out, err = shell("tune", *train, *arguments)
        assert (status, out) == (1, "")
        assert said in err
        assert err.splitlines()[-1].startswith("projectionist: ")
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before

    def test_without_anything_stored(self, shell):
        status, _, err = shell("tune")
        assert status == 1
        assert "var" in err

    def test_an_output_that_exists(self, shell, folder):
        command = ("tune", "--train", "world.csv", "--trials", 1, *FAST)
        assert shell(*command)[0] == 0
        status, _, err = shell(*command)
        assert status == 1
        assert "implicit-als.toml: it exists, and is replaced only when told to (--force)" in err
        assert shell(*command, "--force")[0] == 0
        # Going on with a study replaces what the study has written, and nothing else.
        assert shell(*command, "--study", "s.jsonl", "--force")[0] == 0
        assert shell(*command, "--study", "s.jsonl")[0] == 0
        (folder / "implicit-als.toml").write_text("mine = true\n")
        assert shell(*command, "--study", "s.jsonl")[0] == 1
        assert (folder / "implicit-als.toml").read_text() == "mine = true\n"

    def test_a_study_of_other_ratings(self, shell, folder):
        command = ("tune", "--trials", 1, *FAST, "--study", "s.jsonl")
        assert shell(*command, "--train", "world.csv")[0] == 0
        rows = (folder / "world.csv").read_text().splitlines()
        (folder / "less.csv").write_text("\n".join(rows[:-1]) + "\n")
        status, _, err = shell(*command, "--train", "less.csv")
        assert status == 1
        assert "s.jsonl: this study was begun with other ratings" in err

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ('model = "ease"\n[options]\nregularization = 5.0\n', "options of ease, which is not"),
            ('model = "implicit-als"\n[options]\nfactor = 5\n', "factor is no option"),
            ('model = "implicit-als"\n[options]\nfactors = 0\n', "from 1 to 2048; found 0"),
            ('model = "implicit-als"\n[options\n', "cannot be read as TOML"),
            ("", "names a model"),
        ],
    )
    def test_a_file_that_training_cannot_take(self, shell, folder, text, said):
        (folder / "bad.toml").write_text(text)
        shell("import", "world.csv")
        status, out, err = shell("train", "--options", "bad.toml")
        assert (status, out) == (1, "")
        assert err.startswith("projectionist: bad.toml: ")
        assert said in err
        assert not (folder / "var" / "models").exists()

    def test_two_files_of_one_model(self, shell, folder):
        (folder / "a.toml").write_text('model = "biased-als"\n[options]\n')
        status, _, err = shell("train", "--options", "a.toml", "--options", "a.toml")
        assert status == 1
        assert "a.toml: options of biased-als were given already" in err
