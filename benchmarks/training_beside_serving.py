"""How long lists take while a training runs beside the server, and while models are swapped.

The server has all cores, as it has by default, and the training is one that it starts itself. Who
asks sits on the last core and does so at moments that do not wait for answers
(:mod:`benchmarks.serving.paced`). Targets on two cores: p99 at most 3 times that of an idle server
during a training, and 1.5 times during swaps.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.serving import paced
from benchmarks.serving.asked import call, path_of, random_users
from benchmarks.serving.servers import free_port, running, two_cores
from benchmarks.serving.world import World, write_data_directory
from benchmarks.serving.wrk import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

CONNECTIONS = 64
TARGETS = {"training": 3.0, "swaps": 1.5}
_PATIENCE = 600


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--like", default="ml-1m", help="the shape of the ratings")
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--rate", type=float, default=500, help="requests a second")
    parser.add_argument("--seconds", type=float, default=20, help="idle, and of swaps")
    parser.add_argument("--pause", type=float, default=2, help="seconds between swaps")
    parser.add_argument("--directory", type=Path, help="where the data directory is made")
    given = parser.parse_args()
    cores = two_cores()
    if isinstance(cores, str):
        sys.exit(f"not measured: {cores}")
    world = World.like(given.like, given.factors)
    with (
        tempfile.TemporaryDirectory(prefix="beside-", dir=given.directory) as name,
        ExitStack() as s,
    ):
        folder = Path(name)
        served = write_data_directory(world, folder / "data", world.ratings.n_users)
        port = free_port()
        command = [sys.executable, "-P", "-m", "app.cli", "serve"]
        command += ["--data-dir", str(folder / "data"), "--port", str(port)]
        page = f"http://127.0.0.1:{port}/readyz"
        s.enter_context(running(command, None, folder / "service.log", page))
        requests = [
            Request(path_of(user)).raw(f"127.0.0.1:{port}")
            for user in random_users(served, 5_000, seed=3)
        ]
        asking = Asking(port, requests, given.rate, cores.client)
        asking.run(2)  # one that does not count
        found = {"idle": asking.run(given.seconds)}
        found["training"], outcome = during_training(port, asking)
        found["swaps"], swaps = during_swaps(port, asking, given.seconds, given.pause)
    ratings = world.ratings
    print(
        f"\n{ratings.n_users:,} users, {ratings.n_items:,} movies, {ratings.n_ratings:,} ratings; "
        f"{given.rate:g} lists of 10 a second; the training: {outcome}; {swaps} swaps.\n"
    )
    print("| | lists | p50, ms | p99, ms | most, ms | p99 to idle | target |")
    print("|---|---|---|---|---|---|---|")
    idle = np.percentile(found["idle"], 99)
    for what, milliseconds in found.items():
        p99 = np.percentile(milliseconds, 99)
        target = f"≤ {TARGETS[what]:g}" if what in TARGETS else ""
        print(
            f"| {what} | {len(milliseconds):,} | {np.median(milliseconds):.2f} | {p99:.2f} "
            f"| {milliseconds.max():.2f} | {p99 / idle:.2f} | {target} |"
        )


class Asking:
    """Asks the same server at random moments, a stretch of time after the other."""

    def __init__(self, port: int, requests: Sequence[bytes], rate: float, core: int) -> None:
        self._port = port
        self._requests = requests
        self._rate = rate
        self._core = core
        self._seed = 0

    def run(self, seconds: float) -> NDArray[np.float64]:
        """Return the milliseconds of each answer."""
        self._seed += 1
        due = paced.moments(self._rate, seconds, self._seed)
        return paced.ask(self._port, self._requests, due, CONNECTIONS, self._core).milliseconds

    def while_true(self, goes_on: Callable[[], bool]) -> NDArray[np.float64]:
        """Ask until it does not go on."""
        found = [self.run(1)]
        until = monotonic() + _PATIENCE
        while goes_on():
            if monotonic() > until:
                sys.exit("it goes on and on; see the server's log")
            found.append(self.run(1))
        return np.concatenate(found)


def during_training(port: int, asking: Asking) -> tuple[NDArray[np.float64], str]:
    """Start a training, and ask until it has ended."""
    status, answer = call(port, Request("/v1/trainings", "POST"))
    if status != 202:
        sys.exit(f"no training was started: {answer.decode()}")
    training = json.loads(answer)["id"]

    def record() -> dict[str, object]:
        return dict(json.loads(call(port, Request(f"/v1/trainings/{training}"))[1]))

    found = asking.while_true(lambda: record()["state"] == "running")
    ended = record()
    return found, f"{ended['outcome']} after {ended['seconds']} s"


def during_swaps(
    port: int, asking: Asking, seconds: float, pause: float
) -> tuple[NDArray[np.float64], int]:
    """Activate two generations in turn while somebody asks."""
    stop, swaps, wrong = threading.Event(), 0, list[str]()

    def swap() -> None:
        nonlocal swaps
        while not stop.is_set():
            number = 1 + swaps % 2
            status, answer = call(port, Request(f"/v1/models/{number}/activate?force=true", "POST"))
            if status != 200:
                wrong.append(answer.decode())
                return
            swaps += 1
            sleep(pause)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        found = asking.run(seconds)
    finally:
        stop.set()
        thread.join()
    if wrong:
        sys.exit(f"a swap failed: {wrong[0]}")
    return found, swaps


if __name__ == "__main__":
    main()
