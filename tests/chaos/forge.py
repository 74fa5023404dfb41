"""Runs one operation in a process of its own and kills it at its n-th change of the disk.

A program of its own: ``python -m tests.chaos.forge``. It imports everything once and forks a child
for each line that it reads, since hundreds of moments are to be tried; ``strace`` kills the child
where it is about to make its n-th call of :data:`CALLS`. What the child says comes back.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import alembic.command  # noqa: F401 - so that no child has to
import polars as pl

from app.store import Movie, open_store
from recommender.generations import (
    current_number,
    generation_path,
    load_generation,
    publish,
    sweep_unfinished,
    write_generation,
)

CALLS = (
    "write,pwrite64,pwritev,fsync,fdatasync,ftruncate,fallocate,rename,renameat,renameat2,link,"
    "unlink,unlinkat,rmdir,mkdir"
)
"""All by which a program changes a disk, and by which it makes sure of it."""

RATINGS = [("ann", "1", 4.0), ("ann", "2", 1.0), ("bob", "1", 2.5), ("ann", "1", 5.0)]
"""What is rated one after the other; the last takes the place of the first."""

IMPORTED = 500
"""So many ratings are imported at once."""


def rate(folder, say):
    """Rate, one after the other, each acknowledged before the next."""
    with open_store(None, folder) as store:
        for number, (user, movie, stars) in enumerate(RATINGS):
            say(f"sent {number}")
            store.put_rating(user, movie, stars, number).result()
            say(f"done {number}")


def import_dataset(folder, say):
    """Import a data set with its movies."""
    rows = [(f"user-{row // 20}", f"{row % 20}", 1.0 + row % 9 / 2) for row in range(IMPORTED)]
    frame = pl.DataFrame(rows, schema=["user", "item", "rating"], orient="row")
    movies = pl.DataFrame({"movie_id": [f"{movie}" for movie in range(20)], "title": "A film"})
    with open_store(None, folder) as store:
        say("sent")
        store.import_dataset(frame, movies)
        say("done")


def migrate(folder, say):
    """Open a database, which brings its tables to the newest revision."""
    say("sent")
    with open_store(None, folder):
        say("done")


def publish_generation(folder, say):
    """Write the current generation once more, and publish it."""
    models = folder / "models"
    old = load_generation(generation_path(models, current_number(models)))
    sweep_unfinished(models)
    number = write_generation(
        models,
        old.ranking,
        old.stars,
        watermark=old.manifest.watermark,
        metrics={},
        options={},
        trained_at="2026-11-24T05:00:00Z",
        parent=old.number,
    )
    say(f"sent {number}")
    publish(models, number)
    say(f"done {number}")


OPERATIONS = {
    "rate": rate,
    "import": import_dataset,
    "migrate": migrate,
    "publish": publish_generation,
}


def fill(folder):
    """Make a store with two movies, in which `rate` can rate."""
    with open_store(None, folder) as store:
        for movie in ("1", "2"):
            store.put_movie(Movie(movie, f"Film {movie}")).result()


def run(name, folder, when):
    """Run an operation; return whether it was killed, and what it said until then."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        _work(name, Path(folder), theirs)
    theirs.close()
    inject = f"inject={CALLS}:signal=SIGKILL:when={when}"
    tracer = subprocess.Popen(
        [
            *("strace", "-f", "-qq", "-o", "/dev/null", "-p", str(child)),
            *("-e", f"trace={CALLS}", "-e", inject),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = b""
    while piece := ours.recv(65536):
        said += piece
    ours.close()
    _, status = os.waitpid(child, 0)
    trouble = tracer.communicate()[1]
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if not killed and status != 0:
        return {"error": f"status {status}: {trouble} {said.decode()}"}
    return {"killed": killed, "said": said.decode().splitlines()}


def _work(name, folder, pipe):
    """Be the child: wait for the tracer, work, and end without what a fork has inherited."""
    status = 1
    try:
        until = time.monotonic() + 10
        while "TracerPid:\t0\n" in Path("/proc/self/status").read_text():
            if time.monotonic() > until:
                raise TimeoutError("nobody traces this process")
            time.sleep(0.0005)
        OPERATIONS[name](folder, lambda line: pipe.send(f"{line}\n".encode()))
        status = 0
    except BaseException as error:  # told to who asked
        pipe.send(f"{type(error).__name__}: {error}".encode())
    finally:
        os._exit(status)


def main():
    """Read what to do, a JSON object a line, and answer each with one."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(**json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
