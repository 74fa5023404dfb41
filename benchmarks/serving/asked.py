"""Who is asked over HTTP, and what: the service, the bar beside it, and the requests."""

from __future__ import annotations

import http.client
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.serving import bare
from benchmarks.serving.servers import free_port, running
from benchmarks.serving.world import STRANGERS, strangers
from benchmarks.serving.wrk import Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import ExitStack
    from pathlib import Path

    from benchmarks.serving.servers import Cores
    from benchmarks.serving.world import Served
    from recommender import FactorModel

BAR = bare.VARIANTS[bare.PLAIN]
SERVICE = "projectionist, 10 movies for a user"
ANONYMOUS = f"projectionist, 10 movies for {STRANGERS} ratings in the body"
WALKED = 20_000
"""How many requests are drawn before they repeat."""


@dataclass(frozen=True)
class Asked:
    """Who is asked what, over how many connections."""

    port: int
    requests: Sequence[Request]
    connections: int


def start_service(stack: ExitStack, folder: Path, cores: Cores) -> int:
    """Start the service as it is by default, its log in a file; return its port."""
    port = free_port()
    command = [sys.executable, "-P", "-m", "app.cli", "serve"]
    command += ["--data-dir", str(folder / "data"), "--port", str(port)]
    page = f"http://127.0.0.1:{port}/readyz"
    stack.enter_context(running(command, cores.server, folder / "service.log", page))
    return port


def start_bare(stack: ExitStack, folder: Path, cores: Cores, answer: bytes) -> dict[str, int]:
    """Start each variant of the bar; return their ports."""
    file = folder / "answer.json"
    file.write_bytes(answer)
    ports = {}
    for variant in bare.VARIANTS:
        ports[variant] = port = free_port()
        command = [sys.executable, "-m", "benchmarks.serving.bare", variant]
        command += ["--answer", str(file), "--port", str(port)]
        page = f"http://127.0.0.1:{port}{bare_path(variant, '1')}"
        log = folder / f"{variant}.log"
        stack.enter_context(running(command, cores.server, log, page))
    return ports


def bare_path(variant: str, user_id: str) -> str:
    """Return what a variant is asked for."""
    if variant in (bare.NO_PARAMETERS, bare.READY):
        return bare.BARE_PATH
    return bare.PATH.format(user_id=user_id)


def first_answer(port: int, served: Served) -> bytes:
    """Return a list of the service, after a look whether it is one of those to be measured."""
    status, answer = call(port, Request(path_of(str(served.ratings.users.id(0)))))
    body = json.loads(answer)
    if status != 200 or "fallback" in body or body["model"]["fresh_ratings"]:
        raise SystemExit(f"this is not the list of a known user: {answer.decode()}")
    if not all(line["title"] and line["predicted_rating"] for line in body["movies"]):
        raise SystemExit(f"something is missing in this list: {answer.decode()}")
    return answer


def call(
    port: int, request: Request, over: http.client.HTTPConnection | None = None
) -> tuple[int, bytes]:
    """Send one request; return the status and the body."""
    connection = over or http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = None if request.body is None else json.dumps(request.body)
    headers = {} if body is None else {"Content-Type": "application/json"}
    connection.request(request.method, request.path, body, headers)
    response = connection.getresponse()
    answer = response.read()
    if over is None:
        connection.close()
    return response.status, answer


def path_of(user_id: str) -> str:
    """Return the address of a user's list."""
    return f"/v1/users/{user_id}/recommendations"


def random_users(served: Served, n: int, seed: int) -> list[str]:
    """Draw users, each as likely as any other."""
    rows = np.random.default_rng(seed).integers(0, served.ratings.n_users, n)
    return [str(user) for user in served.ratings.users.ids[rows]]


def readers(
    ours: int, peers: Mapping[str, int], model: FactorModel, served: Served, connections: int
) -> dict[str, Asked]:
    """List everybody who is asked for lists, and what they are asked."""
    users = random_users(served, WALKED, seed=3)
    asked = {
        name: Asked(
            peers[variant],
            [Request(bare_path(variant, user)) for user in users],
            connections,
        )
        for variant, name in bare.VARIANTS.items()
    }
    asked[SERVICE] = Asked(ours, [Request(path_of(user)) for user in users], connections)
    items = served.ratings.items
    visitors = [
        Request(
            "/v1/recommendations",
            "POST",
            {
                "ratings": [
                    {"movie_id": str(items.id(row)), "rating": stars}
                    for row, stars in zip(rows.tolist(), values.tolist(), strict=True)
                ]
            },
        )
        for rows, values in strangers(model)
    ]
    asked[ANONYMOUS] = Asked(ours, visitors, connections)
    return asked


def ratings_to_put(served: Served) -> list[Request]:
    """Draw ratings to store: random users, random movies."""
    draws = np.random.default_rng(4)
    movies = served.ratings.items.ids[draws.integers(0, served.ratings.n_items, WALKED)]
    stars = (draws.integers(1, 11, WALKED) / 2).tolist()
    users = random_users(served, WALKED, seed=5)
    return [
        Request(f"/v1/users/{user}/ratings/{movie}", "PUT", {"rating": rating})
        for user, movie, rating in zip(users, movies, stars, strict=True)
    ]
