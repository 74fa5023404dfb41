"""Random lives of the whole service, compared at each step with plain dictionaries.

Users rate, change their minds and delete; data sets are imported; models are trained, published,
taken up or not yet; the process ends and begins again. After every step the lists are what the
dictionaries say: nothing seen appears, and each change since the training is counted.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import polars as pl
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from app.main import create_app
from app.settings import Settings
from tests.app.conftest import RunningApp, train

pytestmark = pytest.mark.chaos

LIVES = int(os.environ.get("PROJECTIONIST_TEST_KILLS", "12"))
STEPS = 25

USERS = st.sampled_from(["u00", "u01", "u02", "new", "Ünal"])
MOVIES = st.sampled_from(["m00", "m01", "m05", "m12", "m23", "later"])
STARS = st.integers(1, 10).map(lambda half: half / 2)


class Life(RuleBasedStateMachine):
    """Give ``home``, a data directory with a model, and ``ratings``, what it holds."""

    home: Path
    ratings: dict

    @initialize()
    def begin(self):
        self.directory = Path(tempfile.mkdtemp(prefix="life-"))
        self.data_dir = Path(shutil.copytree(self.home, self.directory / "var"))
        self.rated = {pair: (stars, 0) for pair, stars in self.ratings.items()}
        self.movies = {f"m{movie:02}" for movie in range(24)}
        self.trained = dict(self.ratings)
        self.published = None
        self.client = self.start()
        self.version = self.client.rooms.store.version()
        self.watermark = self.version

    def start(self):
        settings = Settings.load(data_dir=self.data_dir, model_poll_seconds=3600.0)
        return RunningApp(create_app(settings), "http://127.0.0.1:8000")

    def teardown(self):
        if hasattr(self, "client"):
            self.client.close()
            shutil.rmtree(self.directory)

    # ----- what may happen -----

    @rule(user=USERS, movie=MOVIES, stars=STARS)
    def rate(self, user, movie, stars):
        path = f"/v1/users/{user}/ratings/{movie}"
        answer = self.client.put(path, json={"rating": stars, "rated_at": "2024-01-01T00:00:00Z"})
        if movie not in self.movies:
            assert answer.status_code == 404
            return
        assert answer.status_code == 200
        version = answer.json()["version"]
        assert version <= self.version + 1
        self.note(user, movie, stars, version)

    @rule(rows=st.dictionaries(st.tuples(USERS, MOVIES), STARS, min_size=1, max_size=6))
    def rate_together(self, rows):
        body = [
            {"user_id": user, "movie_id": movie, "rating": stars}
            for (user, movie), stars in rows.items()
        ]
        answer = self.client.post("/v1/ratings", json=body)
        if not any(movie in self.movies for _, movie in rows):
            assert answer.status_code == 422
            return
        results = answer.json()["results"]
        for ((user, movie), stars), result in zip(rows.items(), results, strict=True):
            assert (result["status"] == 200) == (movie in self.movies)
            if movie in self.movies:
                self.note(user, movie, stars, result["version"])

    @rule(user=USERS, movie=MOVIES)
    def delete(self, user, movie):
        answer = self.client.delete(f"/v1/users/{user}/ratings/{movie}")
        there = self.rated.get((user, movie), (None, 0))[0] is not None
        assert answer.status_code in ((200, 204) if there else (404,))
        if there:
            self.version += 1
            self.rated[user, movie] = (None, self.version)

    @rule(title=st.sampled_from(["Later", "Much later"]))
    def add_a_movie(self, title):
        answer = self.client.put("/v1/movies/later", json={"title": title, "genres": ["Kids"]})
        assert answer.status_code in (200, 201)
        self.movies.add("later")

    @rule(rows=st.dictionaries(st.tuples(USERS, MOVIES), STARS, min_size=1, max_size=8))
    def somebody_imports(self, rows):
        frame = pl.DataFrame(
            [(user, movie, stars, 5) for (user, movie), stars in rows.items()],
            schema={"user": pl.String, "item": pl.String, "rating": pl.Float64, "timestamp": int},
            orient="row",
        )
        self.client.rooms.store.import_dataset(frame)
        self.client.look()
        self.take_up()
        self.movies |= {movie for _, movie in rows}
        store = self.client.rooms.store
        for change in store.changes_since(self.version, 1000):
            assert change.rating == rows[change.user_id, change.movie_id]
            self.rated[change.user_id, change.movie_id] = (change.rating, change.version)
        self.version = store.version()
        for pair, stars in rows.items():
            assert self.rated[pair][0] == stars

    @rule()
    def train(self):
        """Train and publish; the server does not know it yet."""
        train(self.data_dir, attributes=False)
        live = {pair: stars for pair, (stars, _) in self.rated.items() if stars is not None}
        self.published = live, self.version

    @rule()
    def look(self):
        self.client.look()
        self.take_up()

    @rule()
    def restart(self):
        self.client.close()
        self.client = self.start()
        self.take_up()

    # ----- what must be so -----

    @invariant()
    def the_ratings_are_those(self):
        if not hasattr(self, "client"):
            return
        assert self.client.rooms.store.version() == self.version
        for user in ("u00", "new", "Ünal"):
            answer = self.client.get(f"/v1/users/{user}/ratings?limit=500").json()
            found = {line["movie_id"]: line["rating"] for line in answer.get("ratings", [])}
            assert found == self.live(user)

    @invariant()
    def the_lists_are_those(self):
        if not hasattr(self, "client"):
            return
        for user in ("u00", "u02", "new", "Ünal"):
            answer = self.client.get(f"/v1/users/{user}/recommendations?n=100").json()
            listed = [line["movie_id"] for line in answer["movies"]]
            assert len(set(listed)) == len(listed)
            assert set(listed) <= self.movies - set(self.live(user))
            assert answer["model"]["fresh_ratings"] == self.fresh(user)
            known = any(who == user for who, _ in self.trained)
            if self.fresh(user) == 0:
                assert ("fallback" in answer) == (not known)

    # ----- the dictionaries -----

    def note(self, user, movie, stars, version):
        if version > self.version:
            self.version = version
            self.rated[user, movie] = (stars, version)
        assert self.rated[user, movie] == (stars, version) or self.rated[user, movie][1] == 0

    def live(self, user):
        return {
            movie: stars
            for (who, movie), (stars, _) in self.rated.items()
            if who == user and stars is not None
        }

    def fresh(self, user):
        """Count the changes since the training that make a difference to the model."""
        items = {movie for _, movie in self.trained}
        changes = [
            (movie, stars)
            for (who, movie), (stars, version) in self.rated.items()
            if who == user and version > self.watermark and movie in items
        ]
        return sum(stars is not None or (user, m) in self.trained for m, stars in changes)

    def take_up(self):
        if self.published is not None:
            self.trained, self.watermark = self.published
            self.published = None


@pytest.mark.usefixtures("no_settings")
def test_sqlite(trained_dir, world):
    class SqliteLife(Life):
        home, ratings = trained_dir, world.ratings

    run_state_machine_as_test(
        SqliteLife,
        settings=hypothesis.settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],  # a life is long
        ),
    )
