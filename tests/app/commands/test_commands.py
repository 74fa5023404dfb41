"""The command line on real files: what it prints, what it refuses, what it leaves behind."""

import json
import zipfile

import pytest

from app.store import open_store
from recommender import BiasedALS, load_generation
from recommender.data.bundled import bundled_path
from recommender.generations import generation_numbers

HEADER = "user,item,rating,timestamp"


def counts():
    with open_store(None, "var", read_only=True) as store:
        return store.counts()


def ratings_csv(tmp_path, *rows, name="ratings.csv"):
    path = tmp_path / name
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def planted(tmp_path):
    """Two tastes: even users rated even films, odd users odd films, but one film each."""
    rows = [
        f"u{user},m{film},{5 if film % 4 < 2 else 4},{1_600_000_000 + 31 * user + film}"
        for user in range(12)
        for film in range(12)
        if (user + film) % 2 == 0 and user != film
    ]
    return ratings_csv(tmp_path, *rows)


class TestFromFilesToAList:
    def test_import_train_recommend(self, shell, tmp_path):
        status, out, err = shell("import", planted(tmp_path))
        assert (status, counts().ratings, counts().users, counts().movies) == (0, 60, 12, 12)
        assert "60 ratings" in out
        assert "importing" in err

        status, out, _ = shell("train", "--factors", "2", "--json")
        report = json.loads(out)
        assert status == 0
        assert {k: report[k] for k in ("generation", "ratings", "users", "movies")} == {
            "generation": 1, "ratings": 60, "users": 12, "movies": 12,
        }  # fmt: skip
        assert load_generation("var/models").ranking.n_factors == 2

        for user in range(12):
            status, out, _ = shell("recommend", f"u{user}", "-n", "1", "--json")
            answer = json.loads(out)
            assert answer["movies"][0]["movie_id"] == f"m{user}"  # the one of the own kind left
            model = load_generation("var/models").ranking
            best = model.recommend(f"u{user}", 1)
            assert answer["movies"][0]["score"] == pytest.approx(float(best[1][0]), abs=1e-5)

    def test_what_is_said_goes_to_the_models_that_the_help_names(self, shell, tmp_path):
        shell("import", planted(tmp_path))
        flags = ("--factors", 2, "--epochs", 3, "--seed", 5, "--threads", "None", "--no-evaluate")
        status, _, err = shell("train", *flags)
        assert status == 0, err
        options = load_generation("var/models").manifest.options
        ranking = {"factors": 2, "epochs": 3, "seed": 5, "threads": None}
        assert {name: options["ranking"][name] for name in ranking} == ranking
        assert (
            options["stars"]
            == BiasedALS(regularization=options["stars"]["regularization"], seed=5).options()
        )
        words = " ".join(shell("train", "--help")[1].split())
        assert "Passes over all ratings. A whole number from 1 to 10000. [implicit-als 16]" in words
        assert "[implicit-als 0.01 to 0.03 by size]" in words
        assert "[implicit-als 0, biased-als 0, bayesian-mf 0]" in words

    def test_the_table_for_people_names_films(self, shell, tmp_path):
        shell("import", planted(tmp_path))
        shell("train", "--factors", "2")
        status, out, _ = shell("recommend", "u3")
        assert status == 0
        assert out.index("m3") < out.index("m0")
        status, out, _ = shell("recommend", "nobody")
        assert "most popular" in out

    def test_what_is_there_already_is_not_stored_again(self, shell, tmp_path):
        path = planted(tmp_path)
        shell("import", path)
        _, out, _ = shell("import", path, "--json")
        report = json.loads(out)
        assert (report["ratings"], report["unchanged"]) == (0, 60)

    def test_a_new_training_learns_the_new_ratings(self, shell, tmp_path):
        shell("import", planted(tmp_path))
        shell("train", "--factors", "2")
        shell("import", ratings_csv(tmp_path, "u0,m1,5,1700000000", name="more.csv"))
        _, out, _ = shell("train", "--factors", "2", "--json")
        report = json.loads(out)
        assert (report["generation"], report["ratings"]) == (2, 61)
        assert load_generation("var/models").number == 2

    def test_the_course_example_goes_the_same_way(self, shell):
        status, out, _ = shell("import", bundled_path("course"), "--json")
        assert status == 0
        assert (json.loads(out)["users"], counts().movies) == (4, 5)

    def test_a_dry_run_stores_nothing(self, shell, tmp_path):
        status, out, _ = shell("import", planted(tmp_path), "--dry-run")
        assert (status, "60 ratings" in out) == (0, True)
        assert not (tmp_path / "var").exists()

    @pytest.mark.parametrize("options", [True, False])
    def test_the_scale_is_that_of_the_settings(self, shell, tmp_path, monkeypatch, options):
        given = {"rating_minimum": "1", "rating_maximum": "10", "rating_step": "1"}
        flags = []
        for name, value in given.items():
            if options:
                flags += [f"--{name.replace('_', '-')}", value]
            else:
                monkeypatch.setenv(f"PROJECTIONIST_{name.upper()}", value)
        good = ratings_csv(tmp_path, "u1,m1,9,1600000000")
        bad = ratings_csv(tmp_path, "u1,m2,1.5,1600000000", name="bad.csv")
        assert shell("import", good, *flags)[0] == 0
        assert counts().ratings == 1
        for dry in ([], ["--dry-run"]):
            status, _, err = shell("import", bad, *flags, *dry)
            assert status == 1
            assert "line 2" in err
            assert "1 to 10 in steps of 1" in " ".join(err.split())
        assert counts().ratings == 1

    @pytest.mark.parametrize("dry", [[], ["--dry-run"]])
    def test_an_id_that_no_address_can_name_is_refused(self, shell, tmp_path, dry):
        for row in ("u1,popular,4,1600000000", "..,m1,4,1600000000"):
            status, _, err = shell("import", ratings_csv(tmp_path, row), *dry)
            assert status == 1
            assert "reserved" in err


class TestBadInput:
    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ("u1,m2,7,1600000000", "0.5"),
            ("u1,m2,3.25,1600000000", "0.5"),
            ("u1,m2,nan,1600000000", "0.5"),
            ("u1,m2,,1600000000", "rating"),
            ("u1,m2,five,1600000000", "rating"),
            ("u\x01,m2,4,1600000000", "control"),
            (",m2,4,1600000000", "user"),
            ("u1,m2", "field|column"),
            ("u1,m2,4,1600000000,9,9", "field|column"),
            ("u1,m2,4,tomorrow", "timestamp"),
            ('u1,"m2,4,1600000000', "quot"),
        ],
    )
    def test_a_broken_row_is_named_and_nothing_is_stored(self, shell, tmp_path, row, said):
        path = ratings_csv(tmp_path, "u1,m1,5,1600000000", row, "u2,m1,4,1600000000")
        status, out, err = shell("import", path)
        assert (status, out) == (1, "")
        assert "line 3" in err
        assert any(word in err for word in said.split("|")), err
        assert counts().ratings == 0
        assert counts().users == 0

    def test_a_missing_file(self, shell):
        status, _, err = shell("import", "not-here.csv")
        assert status == 1
        assert "not-here.csv" in err

    def test_a_truncated_zip(self, shell, tmp_path):
        whole = tmp_path / "ml.zip"
        with zipfile.ZipFile(whole, "w") as archive:
            archive.writestr("ml/ratings.csv", "userId,movieId,rating,timestamp\n1,1,4.0,1\n" * 99)
            archive.writestr("ml/movies.csv", "movieId,title,genres\n1,Alien (1979),Horror\n")
        half = tmp_path / "half.zip"
        half.write_bytes(whole.read_bytes()[:-60])
        status, _, err = shell("import", half)
        assert status == 1
        assert "half.zip" in err

    def test_no_ratings_at_all(self, shell, tmp_path):
        status, _, err = shell("import", ratings_csv(tmp_path))
        assert status == 1
        assert "no ratings" in err or "no rows" in err or "empty" in err

    def test_training_on_nothing_and_on_one_user(self, shell, tmp_path):
        status, _, err = shell("train")
        assert status == 1
        assert "var" in err
        shell("import", ratings_csv(tmp_path, "u1,m1,5,1600000000", "u1,m2,4,1600000000"))
        status, _, err = shell("train")
        assert status == 1
        assert "of one user" in err
        assert generation_numbers("var/models") == []

    def test_recommending_without_a_model(self, shell, tmp_path):
        shell("import", planted(tmp_path))
        status, _, err = shell("recommend", "u1")
        assert status == 1
        assert "projectionist train" in err

    def test_an_option_out_of_range(self, shell, tmp_path):
        shell("import", planted(tmp_path))
        status, _, err = shell("train", "--factors", "0")
        assert status == 1
        assert "factors must be a whole number from 1 to 2048" in err

    def test_an_option_that_is_no_number(self, shell, tmp_path):
        shell("import", planted(tmp_path))
        status, _, err = shell("train", "--threads", "all")
        assert status == 1
        assert "threads must be a whole number from 1 to 1024, or None; found 'all'" in err

    def test_a_misspelt_setting_is_named(self, shell, monkeypatch):
        monkeypatch.setenv("PROJECTIONIST_DATADIR", "x")
        status, _, err = shell("train")
        assert status == 1
        assert "PROJECTIONIST_DATA_DIR" in err

    def test_an_unknown_data_set(self, shell):
        status, _, err = shell("download", "ml-9000")
        assert status == 1
        assert "ml-latest-small" in err

    def test_bound_to_the_world_without_a_key_it_refuses_before_it_works(self, shell, tmp_path):
        status, _, err = shell("run", "--host", "0.0.0.0")
        assert status == 1
        assert "PROJECTIONIST_API_KEY" in err
        assert not (tmp_path / "var").exists()


def test_the_version(shell):
    status, out, _ = shell("--version")
    assert status == 0
    assert out.startswith("projectionist 0.")
