"""The demo data set is what its README says: true films, simulated ratings, planted tastes."""

import csv
import importlib.util
import re
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
GENRES = {
    "Action",
    "Adventure",
    "Animation",
    "Children",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
}
COURSE = {
    ("Harry Potter and the Philosopher's Stone", 2001),
    ("The Triplets of Belleville", 2003),
    ("Shrek", 2001),
    ("The Dark Knight Rises", 2012),
    ("Memento", 2000),
}


def rows(name):
    with (DEMO / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def films():
    return rows("films.csv")


@pytest.fixture(scope="module")
def ratings():
    return rows("ratings.csv")


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("demo_generate", DEMO / "generate.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up here
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def strengths(film):
    return {key: float(value) for key, value in (p.split(":") for p in film["tastes"].split("|"))}


def films_of(films, taste, at_least):
    return {f["movie_id"] for f in films if strengths(f).get(taste, 0.0) >= at_least}


class TestFilms:
    def test_there_are_about_500_numbered_in_file_order(self, films):
        assert 480 <= len(films) <= 520
        assert [film["movie_id"] for film in films] == [str(n + 1) for n in range(len(films))]

    def test_each_film_appears_once(self, films):
        assert len({(film["title"], film["year"]) for film in films}) == len(films)
        assert all(film["title"] == film["title"].strip() != "" for film in films)

    def test_genres_are_movielens_genres_in_alphabetical_order(self, films):
        for film in films:
            genres = film["genres"].split("|")
            assert set(genres) <= GENRES, film["title"]
            assert genres == sorted(set(genres)), film["title"]

    def test_all_genres_and_all_decades_are_there(self, films):
        assert {genre for film in films for genre in film["genres"].split("|")} == GENRES
        years = [int(film["year"]) for film in films]
        assert min(years) >= 1895
        assert max(years) <= 2025
        assert {year // 10 * 10 for year in years} == set(range(1920, 2030, 10))

    def test_the_films_of_the_course_are_there(self, films):
        assert {(film["title"], int(film["year"])) for film in films} >= COURSE

    def test_judgements_are_within_their_ranges(self, films, generate):
        for film in films:
            assert 1 <= float(film["fame"]) <= 5, film["title"]
            assert 1 <= float(film["quality"]) <= 5, film["title"]
            tastes = strengths(film)
            assert 1 <= len(tastes) <= 4, film["title"]
            assert set(tastes) <= set(generate.TASTE_KEYS), film["title"]
            assert all(0 < strength <= 1 for strength in tastes.values()), film["title"]

    def test_a_series_has_at_least_two_films(self, films):
        sizes = Counter(name for film in films for name in film["series"].split("|") if name)
        assert [name for name, size in sizes.items() if size < 2] == []

    def test_documentaries_and_only_they_carry_the_taste(self, films):
        for film in films:
            genre = "Documentary" in film["genres"].split("|")
            assert genre == ("documentary" in strengths(film)) or film["title"] == "Close-Up"

    def test_movies_csv_holds_the_same_films(self, films):
        columns = ("movie_id", "title", "year", "genres")
        assert rows("movies.csv") == [{c: film[c] for c in columns} for film in films]


class TestRatings:
    def test_counts(self, ratings):
        per_user = Counter(row["user_id"] for row in ratings)
        assert 78_000 <= len(ratings) <= 82_000
        assert set(per_user) == {str(n) for n in range(1, 2001)}
        assert min(per_user.values()) >= 10
        assert max(per_user.values()) <= 300
        assert all(40 <= per_user[str(n)] <= 80 for n in range(1, 11))

    def test_every_film_is_rated_often_enough_to_be_placed(self, films, ratings):
        per_film = Counter(row["movie_id"] for row in ratings)
        assert set(per_film) == {film["movie_id"] for film in films}
        assert min(per_film.values()) >= 15

    def test_stars_are_half_steps_with_a_realistic_shape(self, ratings):
        stars = np.array([float(row["rating"]) for row in ratings])
        values, counts = np.unique(stars, return_counts=True)
        assert set(values) <= set(np.arange(0.5, 5.5, 0.5))
        assert values[counts.argmax()] == 4.0
        assert 3.5 <= stars.mean() <= 3.65
        assert 0.8 <= stars.std() <= 1.1

    def test_nobody_rates_a_film_twice(self, ratings):
        assert len({(row["user_id"], row["movie_id"]) for row in ratings}) == len(ratings)

    def test_times_are_utc_in_order_and_after_the_release(self, films, ratings):
        year = {film["movie_id"]: int(film["year"]) for film in films}
        previous = (0, datetime.min.replace(tzinfo=UTC))
        for row in ratings:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["rated_at"])
            when = datetime.fromisoformat(row["rated_at"])
            assert datetime(2023, 10, 1, tzinfo=UTC) <= when < datetime(2026, 10, 1, tzinfo=UTC)
            assert when.year > year[row["movie_id"]]
            assert previous < (int(row["user_id"]), when)
            previous = (int(row["user_id"]), when)


class TestTastes:
    """What was planted can be found again."""

    @pytest.mark.parametrize(
        ("user", "loves", "other"),
        [
            ("1", "family", "horror"),
            ("2", "arthouse", "sagas"),
            ("3", "action", "musicals"),
            ("4", "horror", "romance"),
            ("5", "romance", "horror"),
            ("6", "scifi", "romance"),
            ("7", "classics", "sagas"),
            ("8", "musicals romance", "sagas"),
            ("9", "crime", "family"),
            ("10", "war documentary", "family"),
        ],
    )
    def test_showcase_users_have_seen_what_they_love(self, films, ratings, user, loves, other):
        seen = {row["movie_id"] for row in ratings if row["user_id"] == user}
        loved = set().union(*(films_of(films, love, 0.5) for love in loves.split()))
        disliked = films_of(films, other, 0.5) - loved
        everybodys_share = np.mean([row["movie_id"] in loved for row in ratings])
        assert len(seen & loved) / len(seen) >= 2 * everybodys_share
        assert len(seen & loved) >= 5 * len(seen & disliked)

    @pytest.mark.parametrize(
        ("loved", "disliked"),
        [("family", "horror"), ("arthouse", "sagas"), ("horror", "romance"), ("crime", "family")],
    )
    def test_ratings_follow_love_and_dislike(self, films, ratings, generate, loved, disliked):
        words = {taste.key: taste.words for taste in generate.TASTES}
        people = {
            row["user_id"]
            for row in rows("users.csv")
            if words[loved] in row["tastes"].split("; dislikes ")[0].split(", ")
            and words[disliked] in row["tastes"].split("; dislikes ")[1].split(", ")
        }
        good, bad = films_of(films, loved, 0.6), films_of(films, disliked, 0.6)
        stars = defaultdict(list)
        for row in ratings:
            if row["user_id"] in people:
                film = row["movie_id"]
                stars[film in good, film in bad].append(float(row["rating"]))
        assert len(stars[False, True]) >= 10
        assert np.mean(stars[True, False]) - np.mean(stars[False, True]) > 0.7

    def test_user_1_prefers_family_films_to_the_rest(self, films, ratings):
        family = films_of(films, "family", 0.5)
        own = [row for row in ratings if row["user_id"] == "1"]
        loved = [float(row["rating"]) for row in own if row["movie_id"] in family]
        rest = [float(row["rating"]) for row in own if row["movie_id"] not in family]
        assert np.mean(loved) - np.mean(rest) > 0.5

    def test_a_plain_svd_separates_family_from_horror(self, films, ratings):
        seen = np.zeros((2000, len(films)))
        for row in ratings:
            seen[int(row["user_id"]) - 1, int(row["movie_id"]) - 1] = 1.0
        centred = seen - seen.mean(axis=0)
        _, _, directions = np.linalg.svd(centred, full_matrices=False)
        family = [int(i) - 1 for i in films_of(films, "family", 0.7)]
        horror = [int(i) - 1 for i in films_of(films, "horror", 0.7)]

        def separation(direction):
            """The share of pairs (family film, horror film) that the direction puts in order."""
            ordered = direction[family][:, None] > direction[horror][None, :]
            return max(ordered.mean(), 1 - ordered.mean())

        assert max(separation(direction) for direction in directions[:5]) > 0.97


class TestUsers:
    def test_every_user_states_tastes(self, generate):
        users = rows("users.csv")
        words = {taste.words for taste in generate.TASTES}
        assert [row["user_id"] for row in users] == [str(n) for n in range(1, 2001)]
        for row in users:
            loves, dislikes = (text.split(", ") for text in row["tastes"].split("; dislikes "))
            assert 1 <= len(loves) <= 3
            assert 1 <= len(dislikes) <= 2
            assert len({*loves, *dislikes}) == len(loves) + len(dislikes)
            assert {*loves, *dislikes} <= words

    def test_the_first_ten_love_different_things(self):
        first = [row["tastes"].split("; ")[0] for row in rows("users.csv")[:10]]
        assert first[:4] == [
            "family & animation",
            "art house & world cinema",
            "action & blockbusters",
            "horror",
        ]
        assert len(set(first)) == 10


class TestScript:
    def test_it_reproduces_the_committed_files(self, generate, tmp_path):
        generate.main(["--out", str(tmp_path)])
        for name in ("movies.csv", "ratings.csv", "users.csv"):
            assert (tmp_path / name).read_bytes() == (DEMO / name).read_bytes(), name

    def test_an_unknown_taste_is_an_error(self, generate, films):
        with pytest.raises(ValueError, match="unknown tastes"):
            generate.film_of({**films[0], "tastes": "familly:0.9"})


class TestReadme:
    def test_its_counts_are_the_files_counts(self, films, ratings, generate):
        text = (DEMO / "README.md").read_text(encoding="utf-8")
        per_user = Counter(row["user_id"] for row in ratings).values()
        per_film = Counter(row["movie_id"] for row in ratings).values()
        mean = np.mean([float(row["rating"]) for row in ratings])
        for said in (
            f"{len(films)} well-known films",
            f"{len(ratings):,} simulated ratings",
            f"seed {generate.SEED}",
            f"A user has {min(per_user)} to {max(per_user)} ratings",
            f"a film {min(per_film)} to {max(per_film)}",
            f"The mean rating is {mean:.2f}",
        ):
            assert said in text

    def test_its_table_of_tastes_is_the_scripts(self, films, generate):
        text = (DEMO / "README.md").read_text(encoding="utf-8")
        loves, dislikes = Counter(), Counter()
        for row in rows("users.csv"):
            loved, disliked = row["tastes"].split("; dislikes ")
            loves.update(loved.split(", "))
            dislikes.update(disliked.split(", "))
        for taste in generate.TASTES:
            n_films = sum(taste.key in strengths(film) for film in films)
            counts = f"{n_films} | {loves[taste.words]} | {dislikes[taste.words]}"
            assert f"| `{taste.key}` | {taste.words} | {counts} |" in text

    def test_it_says_that_the_ratings_are_simulated(self):
        text = (DEMO / "README.md").read_text(encoding="utf-8")
        assert "Users and ratings are simulated" in text
        assert "No real person's rating" in text
