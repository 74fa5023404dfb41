"""Who may import whom: every file is parsed, and every arrow checked."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Lower rooms first; a file may import from its own room and from those before it.
# docs/decisions/0002-import-arrows.md says why.
CORE = [
    {"errors", "version", "compiling"},
    {"arrays", "counting"},
    {"data", "solvers"},
    {"top_k", "fold_in", "explanation", "reranking", "attributes", "trending"},
    {"models"},
    {"projection", "evaluation"},
    {"generations"},
    {"training", "tuning"},
    {"__init__"},
]


def imported(path):
    """All absolute modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def level_of(room):
    return next((level for level, rooms in enumerate(CORE) if room in rooms), None)


core_files = sorted((ROOT / "recommender").rglob("*.py"))
app_files = sorted((ROOT / "app").rglob("*.py"))


@pytest.mark.parametrize("path", core_files, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_mathematics_knows_nothing_of_the_service(path):
    relative = path.relative_to(ROOT / "recommender")
    room = relative.parts[0].removesuffix(".py")
    mine = level_of(room)
    assert mine is not None, f"{relative} is in no room that this test knows"
    for module in imported(path):
        root = module.split(".")[0]
        assert root not in {"app", "fastapi", "starlette", "sqlalchemy", "uvicorn", "pydantic"}
        if root != "recommender":
            continue
        # `from recommender import X` asks the top: only doctests of the top may.
        level = level_of(room_of(module))
        level = len(CORE) - 1 if level is None else level
        assert level <= mine, f"{relative} imports {module}, which stands above it"


def test_solvers_see_plain_arrays_only():
    for path in sorted((ROOT / "recommender" / "solvers").glob("*.py")):
        rooms = {room_of(m) for m in imported(path) if m.startswith("recommender.")}
        assert rooms <= {"arrays", "compiling", "solvers", "errors"}, path.name


def test_only_the_threads_file_knows_about_threads():
    for path in core_files:
        if path.name == "threads.py" or "data" in path.relative_to(ROOT).parts:
            continue
        names = {module.split(".")[0] for module in imported(path)}
        assert not names & {"threading", "concurrent", "threadpoolctl", "multiprocessing"}, path


@pytest.mark.parametrize("path", core_files + app_files, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_pickle_and_no_eval(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not {m.split(".")[0] for m in imported(path)} & {"pickle", "marshal", "shelve", "dill"}
    called = {
        n.func.id
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    assert not called & {"eval", "exec"}


@pytest.mark.parametrize("name", ["utils", "core", "common", "helpers", "manager"])
def test_no_room_without_an_idea(name):
    rooms = [p for top in ("recommender", "app") for p in (ROOT / top).rglob(name + "*")]
    assert not [p for p in rooms if p.suffix in {"", ".py"}]
