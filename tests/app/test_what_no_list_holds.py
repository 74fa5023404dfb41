"""Seen and unavailable movies come back through no list, whatever happens in whatever order."""

from __future__ import annotations

import random

import orjson
import pytest

WEIGHTS = ({}, {"diversity": 0.5}, {"novelty": 0.9, "calibration": 0.5})


class Story:
    """What happens to the planted world, and what it means for lists."""

    def __init__(self, client, world, draws, retrain):
        self.client, self.draws, self.retrain = client, draws, retrain
        self.users = [*world.users[:4], "new"]
        self.ratings = {user: set(world.seen(user)) for user in world.users[:4]} | {"new": set()}
        self.movies = dict.fromkeys(world.movies, True)  # whether each may appear

    def happen(self):
        {
            0: self.rate,
            1: self.rate,
            2: self.unrate,
            3: self.put_movie,
            4: self.put_movie,
            5: self.delete_movie,
            6: self.learn,
        }[self.draws.choices(range(7), [4, 4, 2, 2, 2, 1, 1])[0]]()

    def rate(self):
        user, movie = self.draws.choice(self.users), self.draws.choice(list(self.movies))
        stars = {"rating": self.draws.randint(1, 5)}
        self.send("PUT", f"/v1/users/{user}/ratings/{movie}", stars)
        self.ratings[user].add(movie)

    def unrate(self):
        user = self.draws.choice(self.users)
        if self.ratings[user]:
            movie = self.draws.choice(sorted(self.ratings[user]))
            self.send("DELETE", f"/v1/users/{user}/ratings/{movie}")
            self.ratings[user].discard(movie)

    def put_movie(self):
        movie = self.draws.choice([*self.movies, "m50", "m51", "m52"])
        available = self.draws.random() < 0.4
        body = {"title": movie, "genres": ["Kids"], "available": available}
        self.send("PUT", f"/v1/movies/{movie}", body)
        self.movies[movie] = available

    def delete_movie(self):
        movie = self.draws.choice(list(self.movies))
        self.send("DELETE", f"/v1/movies/{movie}")
        del self.movies[movie]
        for seen in self.ratings.values():
            seen.discard(movie)

    def learn(self):
        self.retrain()
        self.client.look()

    def send(self, method, path, body=None):
        options = {} if body is None else {"json": body}
        response = self.client.request(method, path, **options)
        assert response.status_code in {200, 201, 204}, (method, path, response.text)

    # What is asked:

    def listed(self, path, body=None, **params):
        if body is None:
            response = self.client.get(path, params=params)
        else:
            response = self.client.post(path, json=body)
        assert response.status_code == 200, response.text
        return response

    def ids(self, *given, **params):
        return [line["movie_id"] for line in self.listed(*given, **params).json()["movies"]]

    def check(self, found, users=()):
        assert len(found) == len(set(found))
        shown = {movie for movie, available in self.movies.items() if available}
        assert set(found) <= shown, "a movie that is gone or not available"
        for user in users:
            assert not set(found) & self.ratings[user], f"{user} has seen it"

    def check_all(self):
        for user in self.users:
            path = f"/v1/users/{user}/recommendations"
            for weights in WEIGHTS:
                self.check(self.ids(path, n=500, **weights), [user])
            self.check(self.ids(path, n=500, exclude_seen="false"))
            self.check(self.ids(path, n=500, filter='"Kids" in genres'), [user])
            self.check(self.pages(path), [user])
            self.check(self.ids(f"/v1/users/{user}/trace", n=500), [user])
            changed = {"user_id": user, "set": [{"movie_id": "m01", "rating": 5}], "n": 500}
            self.check(self.ids("/v1/recommendations/what-if", changed), [user])
        known = [user for user in self.users if self.ratings[user]]
        for strategy in ("average", "least_misery", "fair"):
            body = {"user_ids": self.users, "strategy": strategy, "n": 500}
            self.check(self.ids("/v1/recommendations/group", body), known)
        batch = self.listed("/v1/recommendations/batch", {"user_ids": self.users, "n": 500})
        for user, line in zip(self.users, batch.content.splitlines(), strict=True):
            answer = orjson.loads(line)
            self.check([movie["movie_id"] for movie in answer["movies"]], [user])
        for by in ("count", "trend"):
            self.check(self.ids("/v1/movies/popular", n=500, by=by))
        for movie in self.movies:
            found = self.ids(f"/v1/movies/{movie}/similar", n=500)
            self.check(found)
            assert movie not in found
        rated = [{"movie_id": movie, "rating": 4} for movie in list(self.movies)[:5]]
        found = self.ids("/v1/recommendations", {"ratings": rated, "n": 500})
        self.check(found)
        assert not set(found) & {line["movie_id"] for line in rated}

    def pages(self, path):
        found, params = [], {"n": 6}
        while True:
            answer = self.listed(path, **params).json()
            found += [line["movie_id"] for line in answer["movies"]]
            if answer["next_cursor"] is None:
                return found
            params["cursor"] = answer["next_cursor"]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens(client, world, retrain, seed):
    story = Story(client, world, random.Random(seed), retrain)
    for _ in range(6):
        for _ in range(4):
            story.happen()
        story.check_all()
