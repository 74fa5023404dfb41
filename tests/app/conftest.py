"""A planted world behind a real application: real store, real model, nothing pretended.

Two tastes, 24 movies, 40 users. Movies ``m00 m02 …`` are of taste 0, ``m01 m03 …`` of taste 1;
users likewise. A user gives 5 stars to seven movies of the own taste and 1 star to two of the
other. So it is known without training what everybody should be recommended: the five own movies
that are left.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest

N_MOVIES, N_USERS = 24, 40


@dataclass(frozen=True)
class World:
    """The planted truth."""

    ratings: dict[tuple[str, str], float]
    movies: list[str] = field(default_factory=lambda: [f"m{i:02}" for i in range(N_MOVIES)])
    users: list[str] = field(default_factory=lambda: [f"u{i:02}" for i in range(N_USERS)])

    def taste(self, name: str) -> int:
        return int(name[1:]) % 2

    def of_taste(self, taste: int) -> set[str]:
        return {movie for movie in self.movies if self.taste(movie) == taste}

    def seen(self, user: str) -> dict[str, float]:
        return {movie: stars for (who, movie), stars in self.ratings.items() if who == user}


def plant() -> World:
    chance = np.random.default_rng(7)
    ratings = {}
    for user in range(N_USERS):
        own = np.arange(user % 2, N_MOVIES, 2)
        other = np.arange(1 - user % 2, N_MOVIES, 2)
        for movie in chance.choice(own, 7, replace=False):
            ratings[f"u{user:02}", f"m{movie:02}"] = 5.0
        for movie in chance.choice(other, 2, replace=False):
            ratings[f"u{user:02}", f"m{movie:02}"] = 1.0
    return World(ratings)


@pytest.fixture(scope="session")
def world() -> World:
    return plant()


def train(data_dir: Path, *, publish: bool = True, seed: int = 0, attributes: bool = True) -> int:
    """Train on what the store holds and write a generation; return its number."""
    from app.movie_attributes import attributes_of
    from app.store import open_store
    from recommender.attributes import LearnedAttributes
    from recommender.attributes.learned import with_bias
    from recommender.data.ratings import Ratings
    from recommender.generations import publish as publish_generation
    from recommender.generations import write_generation
    from recommender.models.biased_als import BiasedALS
    from recommender.models.implicit_als import ImplicitALS
    from recommender.trending import Trend

    with open_store(None, data_dir, read_only=True) as store:
        snapshot = store.snapshot()
        movies = {movie.movie_id: movie for movie in store.all_movies()}
    ratings = Ratings.from_frame(snapshot.ratings, timestamp="timestamp")
    ranking = ImplicitALS(factors=2, regularization=0.01, seed=seed, threads=1).fit(ratings)
    stars = BiasedALS(factors=3, seed=seed, threads=1).fit(ratings)
    described = attributes_of([movies.get(str(item)) for item in ratings.items.ids])
    vectors = [with_bias(m.item_factors, m.item_biases) for m in (ranking, stars)]
    learned = LearnedAttributes.fit(described, np.full(ratings.n_items, 9), *vectors)
    number = write_generation(
        data_dir / "models",
        ranking,
        stars,
        attributes=learned if attributes else None,
        trend=Trend.of(ratings),
        watermark=snapshot.watermark,
        metrics={"ndcg_at_10": 0.5},
        options={"ranking": {"factors": 2}},
        trained_at="2026-11-23T10:00:00Z",
    )
    if publish:
        publish_generation(data_dir / "models", number)
    return number


@pytest.fixture(scope="session")
def trained_dir(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the planted world and one generation; copied, never used itself."""
    from app.store import open_store

    data_dir = tmp_path_factory.mktemp("planted") / "var"
    frame = pl.DataFrame(
        [(user, movie, stars, 1_600_000_000) for (user, movie), stars in world.ratings.items()],
        schema=["user", "item", "rating", "timestamp"],
        orient="row",
    )
    movies = pl.DataFrame(
        {
            "movie_id": world.movies,
            "title": [f"Film {movie}" for movie in world.movies],
            "year": [1980 + int(movie[1:]) for movie in world.movies],
            "genres": [
                ["Kids"] if world.taste(movie) else ["Art", "Noir"] for movie in world.movies
            ],
        }
    )
    with open_store(None, data_dir) as store:
        store.import_dataset(frame, movies)
        store.set_fact("notice", "Simulated ratings: no real person.").result()
    train(data_dir)
    return data_dir


@pytest.fixture
def data_dir(trained_dir: Path, tmp_path: Path) -> Path:
    """A data directory of the test's own, with the planted world and one generation."""
    return Path(shutil.copytree(trained_dir, tmp_path / "var"))


class RunningApp:
    """An application on an event loop of its own, asked over ASGI as a server would."""

    def __init__(self, app: Any, base_url: str) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._lifespan = app.router.lifespan_context(app)
        self.call(self._lifespan.__aenter__())
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url)

    def call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.call(self.http.request(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PUT", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.request("DELETE", path, **options)

    @property
    def rooms(self) -> Any:
        return self.app.state.rooms

    def look(self) -> None:
        """Let the loader look now, instead of waiting for its next round."""

        async def once() -> None:
            await self.rooms.loader.look()
            await self.rooms.loader.catch_up()

        self.call(once())

    def close(self) -> None:
        if self.loop.is_closed():
            return
        self.call(self.http.aclose())
        self.call(self._lifespan.__aexit__(None, None, None))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the developer's own settings out of the environment."""
    for name in list(os.environ):
        if name.startswith("PROJECTIONIST_"):
            monkeypatch.delenv(name)


@pytest.fixture
def start(no_settings: None, data_dir: Path):
    """Start applications over the planted world; they are stopped at the end."""
    from app.main import create_app
    from app.settings import Settings

    running: list[RunningApp] = []

    def starting(base_url: str = "http://127.0.0.1:8000", **overrides: Any) -> RunningApp:
        # Once an hour is never: tests say themselves when the loader looks.
        given = {"data_dir": data_dir, "model_poll_seconds": 3600.0, **overrides}
        app = RunningApp(create_app(Settings.load(**given)), base_url)
        running.append(app)
        return app

    yield starting
    for app in running:
        app.close()


@pytest.fixture(scope="module")
def shared_client(trained_dir: Path, tmp_path_factory: pytest.TempPathFactory):
    """One application for a whole file of tests that leave behind what they found."""
    from app.main import create_app
    from app.settings import Settings

    data_dir = Path(shutil.copytree(trained_dir, tmp_path_factory.mktemp("shared") / "var"))
    with pytest.MonkeyPatch.context() as environment:
        for name in list(os.environ):
            if name.startswith("PROJECTIONIST_"):
                environment.delenv(name)
        settings = Settings.load(data_dir=data_dir, model_poll_seconds=3600.0)
    app = RunningApp(create_app(settings), "http://127.0.0.1:8000")
    yield app
    app.close()


@pytest.fixture
def client(start) -> RunningApp:
    """The application over the planted world, on a loopback address, without a key."""
    return start()


@pytest.fixture
def retrain(data_dir: Path):
    """Train another generation of the test's own data directory."""
    return lambda **options: train(data_dir, **options)
