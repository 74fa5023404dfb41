"""The service over HTTP, beside FastAPI endpoints that return one fixed JSON.

Everybody runs from the start, one process each on the same core, and is asked in turn; who asks
sits on another core. The bar is :mod:`benchmarks.serving.bare`; its JSON is an answer of ours.
wrk asks as often as there are answers, so its milliseconds are those of a server that has all it
can do. Half of that is asked by :mod:`benchmarks.serving.paced`, at moments that do not wait for
the server.
"""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.serving import bare, paced, wrk
from benchmarks.serving.asked import (
    BAR,
    SERVICE,
    WALKED,
    Asked,
    bare_path,
    call,
    first_answer,
    path_of,
    random_users,
    ratings_to_put,
    readers,
    start_bare,
    start_service,
)
from benchmarks.serving.servers import two_cores
from benchmarks.serving.world import write_data_directory
from benchmarks.serving.wrk import Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.serving.servers import Cores
    from benchmarks.serving.world import Served, World

WRITES = "projectionist, PUT one rating"
WRITTEN_BY = 64
SHOWN_TO = 200
SHOWN_WITHIN = 100
"""After so many lists without it, a rating counts as not shown."""


@dataclass(frozen=True)
class Plan:
    """How long and how often is measured.

    Attributes
    ----------
    runs
        How many count; one before them does not.
    seconds
        Of each run.
    connections
        Of those who read.
    stored_users
        Whose ratings are in the database too.
    directory
        Where the data directory is made; on the disk that is to be measured.
    """

    runs: int = 5
    seconds: float = 10
    connections: int = 16
    stored_users: int = 1_000
    directory: Path | None = None


def measure(world: World, plan: Plan) -> None:
    """Measure and print, or say why not."""
    cores = two_cores()
    reason = cores if isinstance(cores, str) else wrk.missing()
    if isinstance(cores, str) or reason is not None:
        print(f"\nNot measured over HTTP: {reason}.")
        return
    with tempfile.TemporaryDirectory(prefix="serving-", dir=plan.directory) as name:
        folder = Path(name)
        served = write_data_directory(world, folder / "data", plan.stored_users)
        with ExitStack() as stack:
            ours = start_service(stack, folder, cores)
            peers = start_bare(stack, folder, cores, first_answer(ours, served))
            print(conditions(served, plan, cores), flush=True)
            asked = readers(ours, peers, world.ranking, served, plan.connections)
            rates = throughput(asked, folder, cores, plan)
            half_load(ours, peers[bare.PLAIN], served, rates[SERVICE] / 2, cores, plan)
            # Last: from here on there are ratings that the model has not seen.
            throughput(
                {WRITES: Asked(ours, ratings_to_put(served), WRITTEN_BY)}, folder, cores, plan
            )
            shown(ours, served)


def throughput(
    asked: Mapping[str, Asked], folder: Path, cores: Cores, plan: Plan
) -> dict[str, float]:
    """Ask everybody in turn as often as they answer; print a table, return medians per second."""
    files = {
        name: wrk.write_requests(one.requests, folder / f"requests-{place}")
        for place, (name, one) in enumerate(asked.items())
    }
    found: dict[str, list[wrk.Run]] = {name: [] for name in asked}
    for place in range(plan.runs + 1):
        for name, one in asked.items():
            seconds = plan.seconds if place else min(plan.seconds, 2)
            result = wrk.run(one.port, files[name], cores, one.connections, seconds)
            if place:
                found[name].append(result)
    rates = {
        name: statistics.median(run.per_second for run in runs) for name, runs in found.items()
    }
    print("\n| asked | connections | requests/s | to the bar | p50, ms | p99, ms | bytes |")
    print("|---|---|---|---|---|---|---|")
    for name, runs in found.items():
        ratio = f"{rates[name] / rates[BAR]:.2f}" if BAR in rates else "–"
        print(line_of(name, asked[name].connections, runs, ratio), flush=True)
    return rates


def line_of(name: str, connections: int, runs: Sequence[wrk.Run], ratio: str) -> str:
    """Write one row of the table."""
    rates = [run.per_second for run in runs]
    p50 = statistics.median(run.p50 for run in runs)
    p99 = statistics.median(run.p99 for run in runs)
    size = statistics.median(run.bytes_each for run in runs)
    return (
        f"| {name} | {connections} | {statistics.median(rates):,.0f} "
        f"({min(rates):,.0f} to {max(rates):,.0f}) | {ratio} | {p50:.2f} | {p99:.2f} "
        f"| {size:,.0f} |"
    )


def half_load(ours: int, peer: int, served: Served, rate: float, cores: Cores, plan: Plan) -> None:
    """Ask at moments drawn beforehand, half as often as the service can answer; print a table."""
    users = random_users(served, WALKED, seed=6)
    asked = {
        SERVICE: (ours, [Request(path_of(user)) for user in users]),
        BAR: (peer, [Request(bare_path(bare.PLAIN, u)) for u in users]),
    }
    print(f"\nAt half of that load, {rate:,.0f} requests/s at random moments:\n")
    print("| asked | answered/s | p50, ms | p99, ms (each run) | most, ms |\n|---|---|---|---|---|")
    found: dict[str, list[paced.Paced]] = {name: [] for name in asked}
    for seed in range(plan.runs):
        for name, (port, requests) in asked.items():
            raw = [request.raw(f"127.0.0.1:{port}") for request in requests]
            due = paced.moments(rate, plan.seconds, seed)
            found[name].append(paced.ask(port, raw, due, 4 * plan.connections, cores.client))
    for name, runs in found.items():
        p99 = [run.percentile(99) for run in runs]
        print(
            f"| {name} | {statistics.median(run.answered for run in runs):,.0f} "
            f"| {statistics.median(run.percentile(50) for run in runs):.2f} "
            f"| {statistics.median(p99):.2f} ({', '.join(f'{one:.2f}' for one in p99)}) "
            f"| {max(float(run.milliseconds.max()) for run in runs):.2f} |"
        )


def shown(port: int, served: Served) -> None:
    """Rate the first movie of a list, and count the lists until it is gone from them; print."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    lists, seconds = [], []
    for user in random_users(served, SHOWN_TO, seed=7):
        _, answer = call(port, Request(path_of(user)), connection)
        movie = json.loads(answer)["movies"][0]["movie_id"]
        started = perf_counter()
        put = Request(f"/v1/users/{user}/ratings/{movie}", "PUT", {"rating": 5})
        status, _ = call(port, put, connection)
        if status != 200:
            raise SystemExit(f"a rating was refused with the status {status}")
        lists.append(lists_until_gone(port, user, movie, connection))
        seconds.append(perf_counter() - started)
    connection.close()
    both = statistics.median(seconds) * 1e3
    print(
        f"\n{SHOWN_TO} users rated the first movie of their list and asked again: it was gone by "
        f"list {max(lists)} at the latest. PUT and list take {both:.2f} ms together (median; one "
        "client)."
    )


def lists_until_gone(
    port: int, user: str, movie: str, connection: http.client.HTTPConnection
) -> int:
    """Ask for lists until one is without the movie; return how many that took.

    Raises
    ------
    SystemExit
        When it stays.
    """
    for asked in range(1, SHOWN_WITHIN + 1):
        _, answer = call(port, Request(path_of(user)), connection)
        body = json.loads(answer)
        if body["model"]["fresh_ratings"] and movie not in [m["movie_id"] for m in body["movies"]]:
            return asked
    raise SystemExit(f"{SHOWN_WITHIN} lists after its rating {movie} is still in user {user}'s")


def conditions(served: Served, plan: Plan, cores: Cores) -> str:
    """Say what the figures hold for."""
    ratings = served.ratings
    packages = ", ".join(f"{name} {version(name)}" for name in ("fastapi", "uvicorn", "uvloop"))
    return (
        f"\nOver HTTP: a model of {ratings.n_users:,} users, {ratings.n_items:,} movies and "
        f"{ratings.n_ratings:,} ratings; SQLite holds every movie and the ratings of "
        f"{served.stored_users:,} users ({served.stored_ratings:,}), which the model knows. "
        f"Servers on core {cores.server}, one process each, who asks on core {cores.client}; "
        f"wrk {wrk.version()}, one thread, {plan.seconds:g} s a run, medians of {plan.runs} "
        f"in turn (least to most). {packages}."
    )
