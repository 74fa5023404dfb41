"""The API docs: every route, drawn from files of this checkout alone."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

WEB = Path(__file__).parents[2] / "app" / "web"
METHODS = {"get", "put", "post", "delete", "patch"}


def test_every_route_is_drawn_offline(server, open_page):
    described = {
        (method.upper(), path)
        for path, operations in server.get("/openapi.json")["paths"].items()
        for method in operations
        if method in METHODS
    }
    assert len(described) > 10
    page = open_page(f"{server.url}/docs")
    page.wait_for_function(
        "n => document.querySelectorAll('.opblock').length >= n", arg=len(described)
    )
    drawn = page.locator(".opblock").evaluate_all(
        """all => all.map(one => [one.querySelector(".opblock-summary-method").textContent,
             one.querySelector("[data-path]").dataset.path])"""
    )
    assert {(method, path) for method, path in drawn} == described
    assert page.locator("header.house a[aria-current]").inner_text() == "API docs"


def test_a_route_can_be_tried(server, open_page):
    page = open_page(f"{server.url}/docs")
    page.locator('.opblock:has([data-path="/version"]) .opblock-summary-control').click()
    page.get_by_role("button", name="Execute").click()
    body = page.locator(".live-responses-table .response-col_description pre").first
    body.wait_for()
    assert server.get("/version")["version"] in body.inner_text()


def test_the_page_follows_the_theme_and_fits_a_phone(server, open_page):
    page = open_page(f"{server.url}/docs", width=400, color_scheme="dark")
    page.locator(".opblock").first.wait_for()
    room = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert room <= 0
    assert page.evaluate("document.documentElement.classList.contains('dark-mode')")
    page.get_by_role("button", name="Switch to the light theme").click()
    assert not page.evaluate("document.documentElement.classList.contains('dark-mode')")


def test_vendored_files_are_the_ones_that_the_readme_names():
    folder = WEB / "swagger"
    named = dict(
        re.findall(r"\| `([^`]+)` \| `([0-9a-f]{64})` \|", (folder / "README.md").read_text())
    )
    present = {path.name for path in folder.iterdir()} - {"README.md"}
    assert set(named) == present
    for name, digest in named.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
