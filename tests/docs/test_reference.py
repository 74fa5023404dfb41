"""The reference is up to date, and nothing with a name is missing from it."""

import dataclasses
import importlib.util
import inspect
import re

import pytest
import typer.main

from app.cli import cli
from app.limits import LIMITS
from app.main import create_app
from app.problems import PROBLEMS
from app.settings import Settings
from recommender import BiasedALS, ImplicitALS, errors
from tests.docs.documents import ROOT, Document
from tests.docs.transcripts import steps

REFERENCE = Document(ROOT / "docs" / "reference.md").text
METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def build_reference():
    path = ROOT / "docs" / "build_reference.py"
    spec = importlib.util.spec_from_file_location("build_reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def section(title):
    found = re.search(rf"^## {title}$(.*?)(?=^## |\Z)", REFERENCE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/reference.md has no section {title}"
    return found[1]


def test_the_generated_pages_are_up_to_date(build_reference):
    pages = build_reference.pages()
    assert len(pages) >= 3
    for path, wanted in pages.items():
        assert path.read_text(encoding="utf-8") == wanted, f"{path.name}: run `make docs`"


def test_generating_does_not_depend_on_this_machines_settings(build_reference, monkeypatch):
    before = build_reference.pages()
    monkeypatch.setenv("PROJECTIONIST_HOST", "0.0.0.0")
    monkeypatch.setenv("PROJECTIONIST_RATING_MAXIMUM", "10")
    monkeypatch.setenv("COLUMNS", "40")
    assert build_reference.pages() == before


# What follows looks into the code itself, not into the tables that the page is made from.


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting(name):
    assert f"| `PROJECTIONIST_{name.upper()}` |" in section("Settings")


def operations():
    document = create_app(Settings.model_construct()).openapi()
    for path, methods in document["paths"].items():
        for method in METHODS & set(methods):
            yield method.upper(), path


def test_every_route_that_the_application_answers():
    app = create_app(Settings.model_construct())
    shown = section("Routes")
    answered = {
        (method, route.path)
        for route in app.routes
        if getattr(route, "include_in_schema", False)
        for method in route.methods - {"HEAD"}
    }
    assert len(answered) > 20
    listed = set(re.findall(r"^\| `([A-Z]+) (\S+)` \|", shown, re.MULTILINE))
    assert answered - {("GET", "/openapi.json")} == listed


def commands():
    group = typer.main.get_command(cli)
    return [(name, param) for name, c in group.commands.items() for param in c.params]


@pytest.mark.parametrize("name", sorted({name for name, _ in commands()}))
def test_every_command_with_its_options(name):
    found = re.search(rf"### projectionist {name}\n\n```text\n(.*?)```", REFERENCE, re.DOTALL)
    assert found
    for command, param in commands():
        if command == name and param.opts[0].startswith("-"):
            assert max(param.opts, key=len) in found[1]


@pytest.mark.parametrize("model", [ImplicitALS, BiasedALS])
def test_every_hyper_parameter_with_its_default(model):
    found = re.search(rf"### {model.__name__}\n(.*?)(?=^#|\Z)", REFERENCE, re.DOTALL | re.MULTILINE)
    for field in dataclasses.fields(model):
        assert f"| `{field.name}` | `{field.default}` |" in found[1]


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(LIMITS)])
def test_every_limit_with_its_value(name):
    assert f"| `{name}` | {getattr(LIMITS, name):,} |" in section("Limits")


@pytest.mark.parametrize("name", list(PROBLEMS))
def test_every_problem_with_its_status(name):
    assert f"| `/problems/{name}` | {PROBLEMS[name].status} |" in section("Problems")


def test_every_error():
    shown = section("Errors")
    family = [
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, errors.RecommenderError)
    ]
    assert len(family) > 10
    for error in family:
        assert error.__name__ in shown


def requests_of(page):
    """Method and path of every curl command that is run from a page."""
    for block in page.blocks("console"):
        for step in steps(block.text):
            found = re.search(r"http://localhost:8000(/[^\s'\"?]*)", step.command)
            if found is None:
                continue
            method = re.search(r"-X ([A-Z]+)", step.command)
            body = " -d " in step.command.replace("\n", " ")
            yield method[1] if method else "POST" if body else "GET", found[1]


def test_every_route_has_an_example_that_is_run():
    shown = set(requests_of(Document(ROOT / "docs" / "api.md")))
    for method, path in operations():
        pattern = re.sub(r"\{\w+\}", r"[^/]+", path)
        # A fixed address, such as /v1/movies/popular, is no example of /v1/movies/{movie_id}.
        fixed = {other for _, other in operations() if "{" not in other}
        hits = [p for m, p in shown if m == method and re.fullmatch(pattern, p)]
        assert [p for p in hits if p == path or p not in fixed], f"no example of {method} {path}"


def test_the_script_says_when_a_page_is_old(build_reference, tmp_path, monkeypatch, capsys):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "reference.md").write_text("old")
    (docs / "other.md").write_text("<!-- generated: limits -->\nold\n<!-- end: limits -->\n")
    (docs / "plain.md").write_text("by hand")
    monkeypatch.setattr(build_reference, "DOCS", docs)
    assert build_reference.main(check=True) == 1
    assert "docs/reference.md" in capsys.readouterr().err
    assert (docs / "reference.md").read_text() == "old"
    assert build_reference.main(check=False) == 0
    assert build_reference.main(check=True) == 0
    assert "| `bulk_rows` | 10,000 |" in (docs / "other.md").read_text()
    assert (docs / "plain.md").read_text() == "by hand"
