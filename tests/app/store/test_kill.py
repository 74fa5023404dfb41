"""The promise: an acknowledged rating is never lost. A writing process is killed, repeatedly."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.store import open_store

ROOT = Path(__file__).parents[3]
CYCLES = int(os.environ.get("PROJECTIONIST_TEST_KILLS", "10"))
SEED = 20261123

# Tells the pipe what it is about to send and what was acknowledged: one write(2) per line, which
# arrives whole, and which no buffer of the process can take along when it is killed.
WRITER = """
import os, sys, threading
from app.store import Movie, open_store

store = open_store(None, sys.argv[1])
cycle = sys.argv[2]
for movie in range(20):
    store.put_movie(Movie(str(movie), f"Movie {movie}")).result()

def rate(thread):
    for i in range(100_000):
        row = f"{cycle}-{thread}-{i // 20} {i % 20} {1 + i % 9 / 2}"
        user, movie, stars = row.split()
        os.write(1, f"sent {row}\\n".encode())
        record = store.put_rating(user, movie, float(stars), i).result()
        os.write(1, f"done {row} {record.version}\\n".encode())

for thread in range(8):
    threading.Thread(target=rate, args=(thread,)).start()
"""


@pytest.mark.chaos
def test_what_was_acknowledged_survives_kill_9(tmp_path):
    rng = random.Random(SEED)
    sent, acknowledged = set(), {}
    for cycle in range(CYCLES):
        output = _write_until_killed(tmp_path, cycle, rng.uniform(0.0, 0.25))
        lines = [line.split() for line in output.splitlines(keepends=True) if line.endswith("\n")]
        sent |= {tuple(rest) for word, *rest in lines if word == "sent"}
        acknowledged |= {tuple(rest[:3]): int(rest[3]) for word, *rest in lines if word == "done"}
        with open_store(None, tmp_path, read_only=cycle % 2 == 1) as store:
            recovered = _all_changes(store)
            assert set(acknowledged) <= set(recovered) <= sent
            assert all(recovered[row] == version for row, version in acknowledged.items())
            assert store.rating_count() == len(recovered) == store.snapshot().ratings.height
            assert store.version() == max(recovered.values()) == len(recovered)
        assert _integrity(tmp_path / "projectionist.sqlite") == "ok"
    assert len(acknowledged) > 50 * CYCLES  # else the kills came too early to mean anything


def _write_until_killed(directory, cycle, seconds):
    """Let a process write for so long after its first acknowledgement, then kill it."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(directory), str(cycle)],
        cwd=ROOT, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        killer = None
        output = b""
        while line := process.stdout.readline():
            output += line
            if killer is None and line.startswith(b"done"):
                killer = time.monotonic() + seconds
            if killer is not None and time.monotonic() >= killer:
                break
        process.send_signal(signal.SIGKILL)
        output += process.stdout.read()
    assert process.returncode == -signal.SIGKILL
    return output.decode()


def _all_changes(store):
    """Return version by (user, movie, stars), page by page."""
    changes, version = {}, 0
    while page := store.changes_since(version, 5000):
        changes |= {(c.user_id, c.movie_id, str(c.rating)): c.version for c in page}
        version = page[-1].version
    return changes


def _integrity(path):
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    (answer,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    return answer
