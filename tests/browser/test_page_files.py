"""The files of the pages: small, plain, and without what the security policy forbids."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "app" / "web"
OURS = sorted(
    path
    for path in WEB.rglob("*")
    if path.suffix in {".js", ".css", ".html"} and "swagger" not in path.relative_to(WEB).parts
)


def name(path: Path) -> str:
    return path.relative_to(WEB).as_posix()


def loaded_by(page: Path) -> set[Path]:
    """Scripts and styles that a page loads, with all that they import; not the vendored ones."""
    text = page.read_text(encoding="utf-8")
    waiting = [
        WEB / used for used in re.findall(r'(?:src|href)="/static/([^"]+\.(?:js|css))"', text)
    ]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop().resolve()
        if path in found or path not in OURS:
            continue
        found.add(path)
        imports = re.findall(
            r'(?:from|import)\s*\(?"(\.{1,2}/[^"]+)"', path.read_text(encoding="utf-8")
        )
        waiting += [path.parent / used for used in imports]
    return found


@pytest.mark.parametrize(
    ("page", "budget"), [("index.html", 35_000), ("map.html", 60_000), ("docs.html", 15_000)]
)
def test_a_page_loads_few_kilobytes(page, budget):
    packed = {
        name(path): len(gzip.compress(path.read_bytes(), 9)) for path in loaded_by(WEB / page)
    }
    assert len(packed) > 3
    assert sum(packed.values()) <= budget, packed


def test_no_script_or_style_is_left_over():
    used = set().union(*(loaded_by(page) for page in OURS if page.suffix == ".html"))
    assert {name(path) for path in OURS if path.suffix != ".html"} == {name(path) for path in used}


@pytest.mark.parametrize("path", OURS, ids=name)
def test_files_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 300


@pytest.mark.parametrize("path", OURS, ids=name)
def test_no_file_names_another_host_or_writes_markup(path):
    text = path.read_text(encoding="utf-8")
    hosts = set(re.findall(r"(?:https?:)?//([a-z0-9-]+\.[a-z0-9.-]+)", text)) - {"www.w3.org"}
    assert hosts == set()
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
    )
    assert re.findall(forbidden, text) == []


@pytest.mark.parametrize("path", [p for p in OURS if p.suffix == ".html"], ids=name)
def test_pages_have_no_inline_script_or_style(path):
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=", text) == []
    for used in re.findall(r'(?:src|href)="/static/([^"]+)"', text):
        assert (WEB / used).is_file(), used
