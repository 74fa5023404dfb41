"""A real server, a real browser, and a page that may reach nothing but that server.

The tests of this room need Chromium (Debian: ``apt install chromium``) and are skipped by name
without it. Other rooms may use the fixtures: ``server`` (read only by convention: give your own
user ids), ``new_server`` (one to stop or to start without a model), ``open_page``.
"""

from __future__ import annotations

import csv
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
N_USERS = 400
START_SECONDS = 60.0


@dataclass
class Server:
    """A server process of this checkout."""

    url: str
    process: subprocess.Popen[bytes]
    client: httpx.Client

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, params=query).raise_for_status().json()

    def put(self, path: str, body: Any) -> Any:
        return self.client.put(path, json=body).raise_for_status().json()

    def recommended(self, user_id: str, n: int = 24) -> list[dict[str, Any]]:
        answer = self.get(f"/v1/users/{user_id}/recommendations", n=n, explain="true")
        return list(answer["movies"])

    def ratings(self, user_id: str) -> dict[str, dict[str, Any]]:
        answer = self.client.get(f"/v1/users/{user_id}/ratings", params={"limit": 500})
        if answer.status_code == 404:
            return {}
        return {rating["movie_id"]: rating for rating in answer.json()["ratings"]}

    def stop(self) -> None:
        """Stop it and wait until it is gone; nothing if it is stopped already."""
        self.process.terminate()
        self.process.wait(timeout=30)


def command(*arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PROJECTIONIST_")
    }
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", *arguments],
        cwd=ROOT,
        env={**environment, **variables},
        stdin=subprocess.DEVNULL,
    )


def finish(*arguments: str) -> None:
    assert command(*arguments).wait(timeout=300) == 0, arguments


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(data_dir: Path, port: int | None = None, **variables: str) -> Server:
    port = free_port() if port is None else port
    process = command("serve", "--data-dir", str(data_dir), "--port", str(port), **variables)
    key = variables.get("PROJECTIONIST_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30)
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client.get("/livez").raise_for_status()
            return Server(f"http://127.0.0.1:{port}", process, client)
        except httpx.HTTPError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                client.close()
                raise
            time.sleep(0.1)


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the first users of the demo, imported and trained on."""
    folder = tmp_path_factory.mktemp("browser")
    source, target = folder / "demo", folder / "var"
    shutil.copytree(ROOT / "data" / "demo", source, ignore=shutil.ignore_patterns("*.py"))
    for name in ("ratings.csv", "users.csv"):
        with (source / name).open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file))
        kept = [row for row in rows if int(row[0]) <= N_USERS]
        with (source / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *kept])
    finish("import", str(source), "--data-dir", str(target))
    shutil.copytree(target, folder / "untrained")
    finish("train", "--no-evaluate", "--data-dir", str(target))
    return target


@pytest.fixture(scope="session")
def server(data_dir: Path) -> Iterator[Server]:
    """The server that all tests share."""
    running = serve(data_dir)
    yield running
    running.client.close()
    running.stop()


@pytest.fixture
def new_server(data_dir: Path, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers over copies of the data: ``new_server("untrained", PROJECTIONIST_…="…")``."""
    with ExitStack() as stack:

        def start(kind: str = "var", port: int | None = None, **variables: str) -> Server:
            copy = tmp_path / kind
            if not copy.exists():
                shutil.copytree(data_dir.with_name(kind), copy)
            running = serve(copy, port, **variables)
            stack.callback(running.client.close)
            stack.callback(running.stop)
            return running

        yield start


# One browser per module, not per session: while Playwright runs, its event loop occupies the
# thread, and tests of other rooms that use asyncio could not.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium; never a browser that Playwright downloads."""
    names = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("chromium is not installed (Debian: apt install chromium)")
    playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is missing")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    # No name but this computer's is ever resolved, whoever in the browser asks.
    flags.append("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost")
    with playwright_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=flags)
        yield launched
        launched.close()


@dataclass
class Watch:
    """What a page did that it must not do, unless the test says that it will."""

    elsewhere: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def expect(self, *parts: str) -> None:
        """Name parts of console errors that this test provokes."""
        self.expected.extend(parts)

    def check(self) -> None:
        assert self.elsewhere == [], "the page reached for another host"
        surprises = [
            line for line in self.console if not any(part in line for part in self.expected)
        ]
        assert surprises == [], "the console has errors or violations of the security policy"


def is_here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"data", "blob", "about"} or parts.hostname in {"127.0.0.1", "localhost"}


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Checked after each test: no other host, no console error, no policy violation."""
    watch = Watch()
    yield watch
    watch.check()


@pytest.fixture
def open_page(browser: Any, watch: Watch) -> Iterator[Callable[..., Any]]:
    """Open an address in a fresh context: ``open_page(url, width=400, color_scheme="dark")``."""
    contexts = []

    def open_one(url: str, width: int = 1400, height: int = 1000, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.set_default_timeout(10_000)

        context.on(
            "request",
            lambda request: None if is_here(request.url) else watch.elsewhere.append(request.url),
        )
        page = context.new_page()
        page.on("pageerror", lambda error: watch.console.append(f"exception: {error}"))
        page.on(
            "console",
            lambda message: (
                watch.console.append(f"{message.text} {message.location.get('url')}")
                if message.type in {"error", "warning"}
                else None
            ),
        )
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()


class HomePage:
    """The home page in words."""

    CARD = "#cards .card"

    def __init__(self, page: Any) -> None:
        self.page = page

    def wait_for_list(self, movies: list[dict[str, Any]]) -> None:
        """Wait until the cards are exactly these movies, in this order."""
        self.page.wait_for_function(
            "ids => JSON.stringify([...document.querySelectorAll('#cards .card')]"
            ".map(card => card.dataset.movie)) === JSON.stringify(ids)",
            arg=[movie["movie_id"] for movie in movies],
        )

    def slider(self, movie_id: str) -> Any:
        return self.page.locator(f'#cards [data-movie="{movie_id}"] [role=slider]')

    def rate(self, control: Any, *keys: str) -> None:
        """Rate by keyboard, and wait until the page says what changed."""
        control.focus()
        for key in (*keys, "Enter"):
            self.page.keyboard.press(key)
        self.page.locator("#undo").wait_for()

    def undo(self) -> None:
        self.page.locator("#undo").click()
        self.page.locator("#undo").wait_for(state="detached")

    def said(self) -> str:
        return str(self.page.locator("#change").inner_text())

    def focused_movie(self) -> str | None:
        movie_id: str | None = self.page.evaluate(
            "document.activeElement.closest('[data-movie]')?.dataset.movie ?? null"
        )
        return movie_id

    def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        return int(
            self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )


@pytest.fixture
def open_home(open_page: Callable[..., Any]) -> Callable[..., HomePage]:
    """Open the home page of a server: ``open_home(server, "42", width=400)``."""

    def open_one(server: Server, user_id: str = "", **options: Any) -> HomePage:
        query = f"?user={user_id}" if user_id else ""
        return HomePage(open_page(f"{server.url}/{query}", **options))

    return open_one
