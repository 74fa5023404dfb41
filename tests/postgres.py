"""A real PostgreSQL server for the tests, in a temporary directory, and databases on it.

A conftest that needs it imports the fixtures ``postgres`` and ``postgres_url``. The server has a
free port on loopback and a Unix socket; it is started once for all tests of a process, without
fsync. ``Server`` starts others: with fsync, to be stopped and started by a test.
"""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

PASSWORD = "s3cret/pass word"
_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
_numbers = itertools.count()


class Server:
    """One server; ``with`` stops it and removes everything."""

    def __init__(self, *, fsync=False, max_connections=60):
        if not _BINARIES:
            pytest.skip("PostgreSQL is not installed: no /usr/lib/postgresql/*/bin")
        self.bin = _BINARIES[-1]
        self.directory = Path(tempfile.mkdtemp(prefix="pg-"))
        self.port = _free_port()
        # PostgreSQL refuses to run as root.
        self._as = {"user": "postgres", "group": "postgres", "extra_groups": []}
        if os.geteuid() != 0:
            self._as = {}
        else:
            shutil.chown(self.directory, "postgres", "postgres")
        self.log = self.directory / "log"
        password = self.directory / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        try:
            self._run("initdb", "-D", self.data, "-U", "tester", "--auth-host=scram-sha-256",
                      "--auth-local=trust", f"--pwfile={password}", "--no-sync", "-E", "UTF8",
                      "--locale=C.UTF-8")  # fmt: skip
            with (self.data / "postgresql.conf").open("a") as config:
                config.write(
                    f"port = {self.port}\nlisten_addresses = '127.0.0.1'\n"
                    f"unix_socket_directories = '{self.directory}'\n"
                    f"max_connections = {max_connections}\nfsync = {'on' if fsync else 'off'}\n"
                    "shared_buffers = 64MB\nmax_wal_size = 2GB\nautovacuum = on\n"
                    f"full_page_writes = {'on' if fsync else 'off'}\nlog_min_messages = warning\n"
                )
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def data(self):
        return self.directory / "data"

    def url(self, database="postgres"):
        password = PASSWORD.replace("/", "%2F").replace(" ", "%20")
        return f"postgresql://tester:{password}@127.0.0.1:{self.port}/{database}"

    def socket_url(self, database):
        """Through the Unix socket, without a password: faster."""
        return f"postgresql://tester@/{database}?host={self.directory}&port={self.port}"

    def start(self):
        self._run("pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", "60", "start")

    def stop(self, mode="immediate"):
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", "60", "stop")

    def execute(self, statement, database="postgres"):
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else None

    def new_database(self, template=None):
        """Create a database without tables, or a copy of another one, and return its name."""
        name = f"db{next(_numbers)}"
        source = f" TEMPLATE {template} STRATEGY wal_log" if template else ""
        self.execute(f"CREATE DATABASE {name}{source}")
        return name

    def empty(self, database):
        """Bring a database of ours back to where its migrations left it: cheaper than another."""
        tables = self.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
            "AND tablename <> 'alembic_version'",
            database,
        )
        names = ", ".join(name for (name,) in tables)
        self.execute(f"TRUNCATE {names}", database)
        self.execute("INSERT INTO progress (id, version, n_ratings) VALUES (1, 0, 0)", database)

    def close(self):
        if (self.data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _run(self, program, *arguments):
        done = subprocess.run(
            [self.bin / program, *map(str, arguments)],
            cwd=self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, timeout=120, check=False, **self._as,
        )  # fmt: skip
        if done.returncode:
            log = self.log.read_text()[-2000:] if self.log.exists() else ""
            raise RuntimeError(f"{program}: {done.stderr}\n{log}")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def postgres():
    """A running server without fsync, with migrated databases ``ours`` and ``template_of_ours``."""
    from app.store import open_store

    with Server() as server:
        server.execute("CREATE DATABASE template_of_ours")
        open_store(server.socket_url("template_of_ours"), "unused").close()
        server.execute("CREATE DATABASE ours TEMPLATE template_of_ours STRATEGY wal_log")
        yield server


@pytest.fixture
def postgres_url(postgres):
    """The URL of a database that is migrated and empty; of one test at a time."""
    yield postgres.socket_url("ours")
    postgres.empty("ours")


def wait_until(condition, seconds=10.0):
    """Wait for a condition; return whether it came true."""
    until = time.monotonic() + seconds
    while not (answer := condition()) and time.monotonic() < until:
        time.sleep(0.02)
    return answer


if __name__ == "__main__":  # a server to play with: python -m tests.postgres
    with Server(fsync=True) as running:
        sys.stdout.write(running.url() + "\n")
        sys.stdout.flush()
        sys.stdin.readline()
