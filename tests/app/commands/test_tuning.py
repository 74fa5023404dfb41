"""`projectionist tune`, and `projectionist train --options`: from ratings to a model."""

import json
import os
import re
import time
import tomllib

import pytest

from app.commands.tuning_steps import edges_in_words
from recommender import load_generation
from recommender.tuning import Findings, Trial, read_options, tunable

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
        status, out, _ = shell("train", "--options", "implicit-als.toml", "--no-evaluate", *flags)
        kept = load_generation("var/models").manifest.options["ranking"]
        assert kept == found["options"] | {"threads": None, "factors": 3, "epochs": 2}
        # The measurement, without which there is no second line, was not asked for.
        _, ranking, stars = out.splitlines()
        assert ranking.startswith("implicit-als with implicit-als.toml: factors 3, ")
        assert "epochs 2" in ranking
        assert ranking.endswith(" (else the defaults).")
        assert stars == "biased-als: the defaults."

    def test_a_file_for_each_of_the_two_models(self, shell, folder):
        (folder / "rank.toml").write_text('model = "implicit-als"\n[options]\nfactors = 3\n')
        (folder / "stars.toml").write_text('model = "biased-als"\n[options]\nfactors = 5\n')
        shell("import", "world.csv")
        files = ("--options", "stars.toml", "--options", "rank.toml")
        status, out, err = shell("train", *files, "--seed", 4, "--no-evaluate", "--json")
        assert status == 0, err
        document = json.loads(out)
        assert document["options"] == load_generation("var/models").manifest.options
        assert document["peak_memory_bytes"] > 10_000_000
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
            (("--minutes", "0"), "minutes must be a number above 0, at most 1,000,000; found 0"),
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
            (("--output", "few.csv"), "few.csv: it exists, and is replaced only when told"),
            (("--output", "world.csv", "--force"), "would replace the file of --train; give --out"),
            (("--study", "s", "--output", "./s", "--force"), "would replace the file of --study"),
            (("--minutes", "1e308"), "minutes must be a number above 0, at most 1,000,000"),
            (("--output", "/dev/null", "--force"), "/dev/null: it is no ordinary file"),
            (("--output", "/proc/best.toml"), "/proc/best.toml: its folder takes no files"),
            (("--study", "/dev/null"), "/dev/null: it is no ordinary file; name another one"),
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


BIASES = ("tune", "--train", "world.csv", "--model", "biases")


class TestTheStudyAndTheOutput:
    @pytest.mark.parametrize("link", ["study", "output", "hard"])
    def test_one_file_for_both_is_refused_through_links_too(self, shell, folder, link):
        assert shell(*BIASES, "--trials", 2, "--study", "s", "--output", "b.toml")[0] == 0
        if link == "hard":
            (folder / "l").hardlink_to(folder / "s")
        else:
            (folder / "l").symlink_to("s")
        names = ("s", "l") if link == "study" else ("l", "s")
        before = (folder / "s").read_bytes()
        for force in ((), ("--force",)):
            for one, other in (names, ("s", "s"), ("s", "../" + folder.name + "/s")):
                command = (*BIASES, "--trials", 3, "--study", one, "--output", other)
                status, out, err = shell(*command, *force)
                assert (status, out) == (1, "")
                assert "the best options would replace the file of --study" in err
        assert (folder / "s").read_bytes() == before

    def test_without_a_study_it_says_what_to_do(self, shell):
        assert shell(*BIASES, "--trials", 1)[0] == 0
        status, _, err = shell(*BIASES, "--trials", 1)
        assert status == 1
        for part in ("biases.toml: it exists, and is replaced only when told to (--force)",
                     "--output", "needs --study FILE"):  # fmt: skip
            assert part in err
        assert shell(*BIASES, "--trials", 1, "--force")[0] == 0

    def test_a_study_replaces_what_it_has_written_and_nothing_else(self, shell, folder):
        kept = (*BIASES, "--study", "s")
        assert shell(*kept, "--trials", 2)[0] == 0
        assert shell(*kept, "--trials", 3)[0] == 0
        assert shell(*BIASES, "--trials", 2, "--seed", 7, "--output", "other.toml")[0] == 0
        file = folder / "biases.toml"
        file.write_text(
            re.sub("regularization = .*", "regularization = 1.0", file.read_text(), count=1)
        )
        for name in ("biases.toml", "other.toml"):
            before = (folder / name).read_bytes()
            status, _, err = shell(*kept, "--trials", 4, "--output", name)
            assert status == 1
            assert f"{name}: it is not as this study wrote it" in err
            assert (folder / name).read_bytes() == before
        assert len((folder / "s").read_text().splitlines()) == 4, "no trial was run"
        assert shell(*kept, "--trials", 4, "--force")[0] == 0
        assert tomllib.loads(file.read_text())["found"]["trials"] == 4

    def test_a_file_that_stood_there_before_the_study_stays(self, shell, folder):
        (folder / "biases.toml").write_text("mine = true\n")
        assert shell(*BIASES, "--trials", 1, "--study", "s")[0] == 1
        assert not (folder / "s").exists()


class TestWhatIsSaidInTheEnd:
    def test_what_is_of_this_run_and_what_of_all(self, shell):
        kept = (*BIASES, "--study", "s")
        _, out, _ = shell(*kept, "--trials", 2)
        assert re.match(r"2 trials in \d", out)
        _, out, _ = shell(*kept, "--trials", 5)
        said = r"5 trials, 3 of them in this run, which took [\d.]+ s; all took [\d.]+ s: rmse 0"
        assert re.match(said, out)
        _, out, _ = shell(*kept, "--trials", 5)
        assert "5 trials, 0 of them in this run" in out
        assert "Nothing new was tried: --trials and --minutes count earlier runs" in out
        document = json.loads(shell(*kept, "--trials", 6, "--json")[1])
        assert (document["trials"], document["trials_before"]) == (6, 5)
        assert 0 < document["trial_seconds"] < 60

    def test_the_minutes_of_earlier_runs_are_used_up(self, shell, folder):
        kept = (*BIASES, "--study", "s")
        assert shell(*kept, "--trials", 2)[0] == 0
        lines = (folder / "s").read_text().splitlines()
        slow = [json.dumps(json.loads(line) | {"seconds": 60.0}) for line in lines[1:]]
        (folder / "s").write_text("\n".join([lines[0], *slow]) + "\n")
        _, out, err = shell(*kept, "--minutes", 2)
        assert "2 trials, 0 of them in this run" in out
        assert "all took 120.0 s" in out
        assert "seconds: 120 of 120" in err
        _, out, _ = shell(*kept, "--minutes", 2.05)
        assert ", 0 of them" not in out

    def test_ranges_and_a_winner_at_their_edge(self, shell, folder):
        status, out, err = shell(
            "tune", "--train", "world.csv", "--factors", "1-2", "--trials", 2, "--threads", 1,
            "--study", "s",
        )  # fmt: skip
        assert status == 0
        assert "Searching regularization 0.0001 to 0.3, unobserved_weight 0.003 to 3" in err
        assert "factors 1 to 2.\n" in err
        found = tomllib.loads((folder / "implicit-als.toml").read_text())
        assert "factors 1 to 2" in found["found"]["searched"]
        assert found["options"]["factors"] == 2
        said = "factors 2 is at the edge of 1 to 2; widen it with --factors 1-4 and another --study"
        assert f"{said}.\n" in out
        assert "frequency_scaling 1.0, " in out
        assert "frequency_scaling 1 is at the edge" not in out
        _, out, _ = shell(*BIASES, "--trials", 2, "--json")
        assert json.loads(out)["at_the_edge"] == []

    @pytest.mark.parametrize(
        ("low", "high", "value", "wider"),
        [(16, 256, 256, "64-512"), (16, 256, 16, "8-64"), (2, 5, 2, "1-5"),
         (4, 2000, 2000, "500-2048")],
    )  # fmt: skip
    def test_how_to_look_beyond_the_edge(self, low, high, value, wider):
        tuned = tunable("implicit-als").within("factors", low, high)
        place = {d.name: d.low * 0.5 + d.high * 0.5 for d in tuned.dimensions} | {"factors": value}
        best = Trial(0, place, place | {"regularization": 2.0}, "complete", 0.5)
        said = edges_in_words(Findings(best, best, (best,)), tuned, None)
        assert said == [
            f"factors {value} is at the edge of {low} to {high}; widen it with --factors {wider}."
        ]
        place |= {"factors": (low + high) // 2, "regularization": 0.3}
        (said,) = edges_in_words(Findings(best, best, (best,)), tuned, None)[-1:]
        assert said.startswith("regularization 0.3 (before it is scaled) is at the edge of 0.0001")

    def test_a_disk_that_is_full_is_named_and_what_was_found_is_told(
        self, shell, folder, monkeypatch
    ):
        synced = []

        def full(descriptor):
            synced.append(descriptor)
            if len(synced) > 5:  # the study and its folder, two trials, the file of options
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        status, out, err = shell(*BIASES, "--trials", 6, "--study", "s")
        assert (status, out) == (1, "")
        *_, best, why = err.splitlines()
        assert re.fullmatch(r"The best so far: regularization [\d.]+", best)
        assert re.match(r"projectionist: (s|biases.toml): No space left on device; ", why)
        assert [f.name for f in folder.iterdir() if f.name.startswith(".")] == []
