"""The whole server is killed while clients write: what was acknowledged is there afterwards.

Each client keeps an oracle of its own users: of every movie what was acknowledged last, and what
it has sent since without an answer. After the kill the database may hold either, and nothing else.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import sqlite3
import threading
import time

import pytest

from tests.app.test_server import ask, running

pytestmark = pytest.mark.chaos

CLIENTS = 6
READY_SECONDS = 3.0 if "PROJECTIONIST_TEST_KILLS" in os.environ else 15.0
"""From the start of the process to its first list; beside other tests it gets more."""

GONE = None
"""What stands in the oracle for a rating that is not there."""


class Client(threading.Thread):
    """Rates, changes its mind and deletes, over one connection, until the server is gone."""

    def __init__(self, number, rng, movies):
        super().__init__(daemon=True)
        self.users = [f"client-{number}-{user}" for user in range(3)]
        self.rng = random.Random(rng.random())
        self.movies = movies
        self.acknowledged = {}
        self.sent = {}
        self.writes = 0
        self.wrong = []

    def begin(self, address):
        """Return a client that goes on with this one's oracle."""
        again = Client.__new__(Client)
        threading.Thread.__init__(again, daemon=True)
        again.__dict__.update({k: v for k, v in self.__dict__.items() if not k.startswith("_")})
        again.address, again.sent = address, {}
        again.start()
        return again

    def run(self):
        connection = http.client.HTTPConnection(self.address, timeout=20)
        try:
            while True:
                self.write(connection)
        except (OSError, http.client.HTTPException):
            pass
        except AssertionError as error:
            self.wrong.append(error)
        finally:
            connection.close()

    def write(self, connection):
        rows = self.choose()
        self.sent = rows
        if len(rows) > 1:
            body = [
                {"user_id": user, "movie_id": movie, "rating": stars}
                for (user, movie), stars in rows.items()
            ]
            request(connection, "POST", "/v1/ratings", body)
        else:
            (((user, movie), stars),) = rows.items()
            path = f"/v1/users/{user}/ratings/{movie}"
            if stars is GONE:
                request(connection, "DELETE", path)
            else:
                request(connection, "PUT", path, {"rating": stars})
        self.acknowledged |= rows
        self.writes += len(rows)
        self.sent = {}

    def choose(self):
        if self.rng.random() < 0.1:
            user = self.rng.choice(self.users)
            return {(user, movie): self.stars() for movie in self.rng.sample(self.movies, 20)}
        pair = self.rng.choice(self.users), self.rng.choice(self.movies)
        return {pair: GONE if self.rng.random() < 0.2 else self.stars()}

    def stars(self):
        return self.rng.randint(1, 10) / 2


def request(connection, method, path, body=None):
    payload = None if body is None else json.dumps(body)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    connection.request(method, path, payload, headers)
    response = connection.getresponse()
    answer = response.read()
    assert response.status in (200, 204, 404), (response.status, answer)
    assert method == "DELETE" or response.status == 200, answer


def stored(address, user):
    _, answer = ask(address, "GET", f"/v1/users/{user}/ratings?limit=500")
    return {line["movie_id"]: line["rating"] for line in answer.get("ratings", [])}


def check(client, address):
    """What is stored of each movie is what was acknowledged, or what was sent after it."""
    for user in client.users:
        found = stored(address, user)
        for movie in client.movies:
            pair = user, movie
            allowed = {client.acknowledged.get(pair, GONE)}
            if pair in client.sent:
                allowed.add(client.sent[pair])
            assert found.get(movie, GONE) in allowed, (pair, found.get(movie), allowed)
            client.acknowledged[pair] = found.get(movie, GONE)  # from here on it is known
        assert set(found) <= set(client.movies)


def whole(path):
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    (answer,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    return answer


def test_what_was_acknowledged_is_there_again(data_dir, world, kills, seed):
    rng = random.Random(seed)
    clients = [Client(number, rng, world.movies) for number in range(CLIENTS)]
    waits = []
    for cycle in range(kills):
        started = time.monotonic()
        with running(data_dir) as (process, address):
            response, answer = ask(address, "GET", "/v1/users/u00/recommendations?n=24")
            waits.append(time.monotonic() - started)
            assert response.status == 200
            assert answer["movies"]
            for client in clients:
                check(client, address)
            clients = [client.begin(address) for client in clients]
            time.sleep(rng.uniform(0.0, 0.3))
            process.send_signal(signal.SIGKILL)
            process.wait(20)
            for client in clients:
                client.join(20)
                assert not client.is_alive()
                assert client.wrong == []
        if cycle % 10 == 9:
            assert whole(data_dir / "projectionist.sqlite") == "ok"
    with running(data_dir) as (process, address):
        for client in clients:
            check(client, address)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert sum(client.writes for client in clients) > 20 * kills  # else nothing was at stake
    assert sorted(waits)[len(waits) // 2] < READY_SECONDS
