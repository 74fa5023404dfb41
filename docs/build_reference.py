"""Write the generated pages of docs/ from the tables that the program itself reads.

Run as ``make docs``, or ``python docs/build_reference.py [--check]``. ``docs/reference.md`` is
generated as a whole. In other pages, what stands between ``<!-- generated: NAME -->`` and
``<!-- end: NAME -->`` is. With ``--check`` nothing is written: the exit status says whether all
is up to date.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer.main

from app.cli import cli
from app.commands.options import SECRETS
from app.doctor import CHECKS
from app.limits import LIMITS, LIMITS_HELP
from app.main import create_app
from app.problems import PROBLEMS
from app.settings import Settings, settings_table
from app.telemetry.metrics import METRICS, PROCESS_METRICS
from recommender import errors
from recommender.models.options import BIASED_ALS, IMPLICIT_ALS
from recommender.models.sizing import RANGES
from recommender.training import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from recommender.models.options import Option

DOCS = Path(__file__).resolve().parent
WIDTH = 80

HEAD = """\
# Reference

<!-- This page is generated: change the tables in the code, then run `make docs`. -->

Everything that has a name: settings, commands, routes, metrics, problems, limits, hyper-parameters
and errors. The program reads the same tables that this page is made from.
"""

SETTINGS = """\
Each is an environment variable and, except where the second column is empty, an option of the
commands that need it. An option goes before a variable. A variable that begins with
`PROJECTIONIST_` and is none of these is an error.
"""

COMMANDS = """\
Progress goes to standard error, the result to standard output: with `--json` as one JSON document.
What can be mended is told in one line, with exit status 1.
"""

ROUTES = "The same as JSON: `/openapi.json` of a running server, with `/docs` to try them.\n"

METRICS_TEXT = """\
What `GET /metrics` tells Prometheus; [operations.md](operations.md#metrics) says how to ask. Those
that begin with `process_` are told on Linux alone.
"""

PROBLEMS_TEXT = """\
An error is an `application/problem+json` document (RFC 9457). Its `type` is one of these
addresses; a running server explains each there.
"""

LIMITS_TEXT = "What a client can make grow has an upper bound.\n"

HYPERPARAMETERS = (
    "Arguments of the constructors. What is out of range is an `InvalidOptionError`.\n"
)

ERRORS = (
    "What `recommender` raises on purpose. In brackets: Python's own error that catches it too.\n"
)


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    head = list(columns)
    lines = [head, ["---"] * len(head)]
    lines += [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def code(text: object) -> str:
    """Return the text as code, nothing as nothing."""
    return f"`{text}`" if str(text) else ""


def settings() -> str:
    """Tabulate the settings."""
    rows = (
        (
            code(row.variable),
            "" if row.name in SECRETS else code("--" + row.name.replace("_", "-")),
            code(row.default),
            row.help,
        )
        for row in settings_table()
    )
    return table(("variable", "option", "default", "meaning"), rows)


def hyperparameters() -> str:
    """Tabulate the options of both models, and what the service trains with."""
    recipe = Recipe()
    parts = []
    for name, options, trained in (
        ("ImplicitALS", IMPLICIT_ALS, recipe.ranking.options()),
        ("BiasedALS", BIASED_ALS, recipe.stars.options()),
    ):
        model = "implicit-als" if options is IMPLICIT_ALS else "biased-als"
        rows = (
            (code(o.name), code(o.default), o.allowed, o.meaning + _in_service(model, o, trained))
            for o in options
        )
        parts.append(f"### {name}\n\n{table(('name', 'default', 'allowed', 'meaning'), rows)}")
    return "\n".join(parts)


def _in_service(model: str, option: Option, trained: Mapping[str, Any]) -> str:
    if option.name == "regularization":
        low, high = RANGES[model]
        return f" `projectionist train` takes `{low}` to `{high}`, by the size of the data."
    value = trained[option.name]
    return "" if value == option.default else f" `projectionist train` starts from `{value}`."


def limits() -> str:
    """Tabulate the limits."""
    rows = ((code(name), f"{getattr(LIMITS, name):,}", LIMITS_HELP[name]) for name in LIMITS_HELP)
    return table(("limit", "at most", "of"), rows)


def problems() -> str:
    """Tabulate the problems, and which errors of the mathematics are told as each."""
    rows = (
        (
            code(f"/problems/{problem.name}"),
            problem.status,
            problem.title,
            problem.detail,
            ", ".join(code(error.__name__) for error in problem.errors),
        )
        for problem in PROBLEMS.values()
    )
    return table(("type", "status", "title", "detail", "told for"), rows)


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """List every route as method, path and its OpenAPI operation."""
    # Defaults alone: what is set on this machine must not show.
    document = create_app(Settings.model_construct()).openapi()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def routes() -> str:
    """Tabulate the routes."""
    rows = ((code(f"{m} {path}"), _first_paragraph(o)) for m, path, o in operations())
    return table(("route", "does"), rows)


def _first_paragraph(operation: Mapping[str, Any]) -> str:
    return " ".join(str(operation["description"]).split("\n\n")[0].split())


def parameters() -> str:
    """Tabulate the query parameters: those of several routes that mean the same, once."""
    routes_of: dict[tuple[str, ...], list[str]] = {}
    for method, path, operation in operations():
        for parameter in operation.get("parameters", ()):
            if parameter["in"] != "query":
                continue
            row = (
                code(parameter["name"]),
                _default(parameter["schema"]),
                _allowed(parameter["schema"]),
                parameter.get("description", ""),
            )
            routes_of.setdefault(row, []).append(code(f"{method} {path}"))
    rows = [(*row, "<br>".join(listed)) for row, listed in routes_of.items()]
    return table(("parameter", "default", "allowed", "meaning", "of"), rows)


def metrics() -> str:
    """Tabulate the metrics."""
    rows = (
        (code(metric.name), metric.kind, ", ".join(map(code, metric.labels)), metric.help)
        for metric in (*METRICS.values(), *PROCESS_METRICS.values())
    )
    return table(("metric", "kind", "labels", "meaning"), rows)


def _default(schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    if default is None:
        return ""
    return code(str(default).lower() if isinstance(default, bool) else default)


def _allowed(schema: Mapping[str, Any]) -> str:
    """Say in words what a schema of OpenAPI allows."""
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    kind = kinds[0]
    if "enum" in kind:
        return " or ".join(code(word) for word in kind["enum"])
    if kind.get("type") == "boolean":
        return "`true` or `false`"
    if kind.get("type") in {"integer", "number"}:
        return f"{kind['minimum']} to {kind['maximum']}"
    shortest = f"{kind['minLength']} to " if "minLength" in kind else "up to "
    return f"{shortest}{kind['maxLength']:,} characters"


def commands() -> str:
    """Return the help of every command, as the program prints it."""
    plain: dict[str, Any] = dict.fromkeys(("terminal_width", "max_content_width"), WIDTH)
    plain["resilient_parsing"] = True
    group = typer.main.get_command(cli)
    context = group.make_context("projectionist", [], **plain)
    parts = [_console("projectionist --help", group.get_help(context))]
    listed = getattr(group, "commands")  # noqa: B009 - a group has them, its type does not say so
    for name, command in listed.items():
        inner = command.make_context(name, [], parent=context, **plain)
        help_text = _console(f"projectionist {name} --help", command.get_help(inner))
        parts.append(f"### projectionist {name}\n\n{help_text}")
    return "\n".join(parts)


def _console(command: str, output: str) -> str:
    lines = "\n".join(line.rstrip() for line in output.strip().splitlines())
    return f"```text\n$ {command}\n{lines}\n```\n"


def checks() -> str:
    """Tabulate what the doctor looks for."""
    return table(("check", "finds"), ((code(check.name), check.finds) for check in CHECKS))


def error_family() -> str:
    """Return the family tree of errors, as their module draws it."""
    drawn = inspect.getdoc(errors) or ""
    tree = re.search(r"::\n\n((?: {4}.*\n)+)", drawn)
    if tree is None:
        raise LookupError("recommender/errors.py has no family tree in its docstring")
    return f"```text\n{textwrap.dedent(tree[1])}```\n"


PARTS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "commands": commands,
    "routes": routes,
    "parameters": parameters,
    "metrics": metrics,
    "checks": checks,
    "problems": problems,
    "limits": limits,
    "hyper-parameters": hyperparameters,
    "errors": error_family,
}
"""What can be generated, by name."""


def reference() -> str:
    """Return the whole reference."""
    sections = (
        ("Settings", SETTINGS, ("settings",)),
        ("Commands", COMMANDS, ("commands",)),
        ("Routes", ROUTES, ("routes", "parameters")),
        ("Metrics", METRICS_TEXT, ("metrics",)),
        ("Problems", PROBLEMS_TEXT, ("problems",)),
        ("Limits", LIMITS_TEXT, ("limits",)),
        ("Hyper-parameters", HYPERPARAMETERS, ("hyper-parameters",)),
        ("Errors", ERRORS, ("errors",)),
    )
    parts = [HEAD]
    for title, introduction, names in sections:
        parts.append(f"## {title}\n\n{introduction}")
        parts += [PARTS[name]() for name in names]
    return "\n".join(parts)


def filled(text: str) -> str:
    """Return a page with its generated parts made anew."""

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        return f"<!-- generated: {name} -->\n\n{PARTS[name]()}\n<!-- end: {name} -->"

    pattern = r"<!-- generated: ([a-z-]+) -->\n.*?<!-- end: \1 -->"
    return re.sub(pattern, fill, text, flags=re.DOTALL)


def pages() -> dict[Path, str]:
    """Return every page with generated parts as it should be."""
    by_hand = {path: path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md"))}
    wanted = {path: filled(text) for path, text in by_hand.items() if "<!-- generated: " in text}
    return wanted | {DOCS / "reference.md": reference()}


def main(check: bool) -> int:
    """Write what has changed, or say so."""
    status = 0
    for path, text in pages().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        name = path.relative_to(DOCS.parent)
        if check:
            sys.stderr.write(f"{name} is not up to date: run `make docs`\n")
            status = 1
        else:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{name}\n")
    return status


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
