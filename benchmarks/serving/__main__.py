"""How quickly lists come: in process, and over HTTP.

Run as ``python -m benchmarks.serving [--like ml-20m] [--factors 64] [--runs 5] [--parts …]``. A
planted world of that shape is factorized once. ``in-process`` ranks with these vectors beside
implicit; ``http`` asks the service for lists with titles, beside FastAPI endpoints that return one
fixed JSON, then at half of that load, and writes ratings. It needs two cores and wrk.

``--like ml-latest-small --runs 1 --seconds 2`` is a quick try.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import machine
from benchmarks.serving import in_process, over_http
from benchmarks.serving.servers import stop_when_told
from benchmarks.serving.world import World
from recommender.data.synthetic import SHAPES

PARTS = ("in-process", "http")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serving", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("--like", default="ml-20m", choices=SHAPES, help="shape of the ratings")
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    http = parser.add_argument_group("over HTTP")
    http.add_argument("--seconds", type=float, default=10, help="of each run")
    http.add_argument("--connections", type=int, default=16, help="of those who read")
    http.add_argument("--stored-users", type=int, default=1_000, help="whose ratings are stored")
    http.add_argument("--directory", type=Path, help="where the database lies meanwhile")
    given = parser.parse_args()
    stop_when_told()
    world = World.like(given.like, given.factors)
    print(f"{world.ranking} · {machine.in_one_line()}\n", flush=True)
    if "in-process" in given.parts:
        in_process.measure(world.ranking, given.runs)
    if "http" in given.parts:
        plan = over_http.Plan(
            given.runs, given.seconds, given.connections, given.stored_users, given.directory
        )
        over_http.measure(world, plan)


if __name__ == "__main__":
    main()
