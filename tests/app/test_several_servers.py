"""Two real servers on one PostgreSQL database and one directory of models; the database may go."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time

import polars as pl
import pytest

from app.store import open_store
from tests.app.test_server import ROOT, SCRIPT, ask
from tests.postgres import Server, wait_until

SLACK = 1.0  # seconds, for a busy machine: the tests run beside others


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL server of these tests' own: they stop it."""
    with Server() as server:
        yield server


@pytest.fixture
def database(server, world):
    """The planted world, with the versions that the trained model knows."""
    url = server.url(server.new_database())
    rows = [(user, movie, stars, 1_600_000_000) for (user, movie), stars in world.ratings.items()]
    frame = pl.DataFrame(rows, schema=["user", "item", "rating", "timestamp"], orient="row")
    movies = pl.DataFrame({"movie_id": world.movies, "title": world.movies})
    with open_store(url, "unused") as store:
        store.import_dataset(frame, movies)
    return url


@contextlib.contextmanager
def serving(data_dir, url, name, **variables):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PROJECTIONIST_")}
    environment |= {
        "PROJECTIONIST_DATA_DIR": str(data_dir),
        "PROJECTIONIST_DATABASE_URL": url,
        **variables,
    }
    with (data_dir / f"log-{name}").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        try:
            yield lambda: process.stdout.readline().strip().removeprefix("http://")
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()


def movies_for(address, user, headers=None):
    response, found = ask(address, "GET", f"/v1/users/{user}/recommendations?n=24", headers=headers)
    assert response.status == 200, found
    return [movie["movie_id"] for movie in found["movies"]]


def stored(address):
    return ask(address, "GET", "/readyz")[1]["store"]


def test_one_server_knows_what_the_other_stored_within_a_second(data_dir, database):
    # Neither looks by itself for a minute: what they know of each other they were told.
    quiet = {"PROJECTIONIST_MODEL_POLL_SECONDS": "60"}
    with (
        serving(data_dir, database, "one", **quiet) as one,
        serving(data_dir, database, "other", **quiet) as other,
    ):
        one, other = one(), other()
        assert movies_for(one, "u00") == movies_for(other, "u00")
        for movie in movies_for(one, "u00")[:3]:
            began = time.monotonic()
            _, told = ask(one, "PUT", f"/v1/users/u00/ratings/{movie}", '{"rating": 5}')
            assert movie not in movies_for(one, "u00")  # at once
            assert wait_until(lambda movie=movie: movie not in movies_for(other, "u00"), 5)
            assert time.monotonic() - began < 1 + SLACK
        # Or at once, for whoever says what must be known.
        movie = movies_for(other, "u01")[0]
        _, told = ask(one, "PUT", f"/v1/users/u01/ratings/{movie}", '{"rating": 5}')
        assert movie not in movies_for(other, "u01", {"Min-Version": str(told["version"])})
        # The catalogue too.
        gone = movies_for(other, "u02")[0]
        body = '{"title": "Gone", "available": false}'
        assert ask(one, "PUT", f"/v1/movies/{gone}", body)[0].status == 200
        assert wait_until(lambda: gone not in movies_for(other, "u02"), 3)


def test_lists_go_on_without_the_database_and_writes_when_it_is_back(data_dir, server, database):
    with serving(data_dir, database, "one") as one:
        one = one()
        before = movies_for(one, "u00")
        assert stored(one) == "ok"
        answers, slow, done = [], [], threading.Event()

        def keep_asking():
            while not done.is_set():
                began = time.monotonic()
                answers.append(ask(one, "GET", "/v1/users/u01/recommendations")[0].status)
                slow.append(time.monotonic() - began)

        asking = threading.Thread(target=keep_asking)
        asking.start()
        server.stop("immediate")
        try:
            for movie in before[:3]:
                began = time.monotonic()
                response, problem = ask(
                    one, "PUT", f"/v1/users/u00/ratings/{movie}", '{"rating": 5}'
                )
                assert (response.status, problem["type"]) == (503, "/problems/store-unavailable")
                assert "retry-after" in {name.lower() for name, _ in response.getheaders()}
                assert time.monotonic() - began < 2 + SLACK
            assert movies_for(one, "u00") == before
            assert stored(one) == "unavailable"
        finally:
            server.start()
        assert wait_until(lambda: stored(one) == "ok", 10)
        response, _ = ask(one, "PUT", f"/v1/users/u00/ratings/{before[0]}", '{"rating": 5}')
        assert response.status == 200
        assert before[0] not in movies_for(one, "u00")
        done.set()
        asking.join()
        assert set(answers) == {200}
        assert max(slow) < 2 + SLACK


def test_a_server_that_starts_before_its_database_waits_for_it(data_dir, server, database):
    server.stop("immediate")
    try:
        with serving(data_dir, database, "one") as one:
            log = data_dir / "log-one"
            assert wait_until(lambda: "waiting for the database" in log.read_text(), 30)
            assert "s3cret" not in log.read_text()
            server.start()
            assert len(movies_for(one(), "u00")) > 5
    finally:
        if not (server.data / "postmaster.pid").exists():
            server.start()
