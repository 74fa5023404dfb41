"""What is installed for whom: the pins, the verbs that install them, and what CI runs."""

import importlib.util
import re
import subprocess
import tomllib
from importlib.metadata import version

import pytest

from tests.packaging.installed import ROOT

SETS = ("run", "postgres", "tune", "dev", "bench")
SMALLER = {"postgres": ("run",), "tune": ("run",), "dev": ("postgres", "tune"), "bench": ("dev",)}


def pins(name):
    """(name, version) of everything that a constraints file pins; some have two, by platform."""
    text = (ROOT / "constraints" / f"{name}.txt").read_text(encoding="utf-8")
    return re.findall(r"^([a-z0-9][\w.-]*)==([^\s;]+)", text, re.MULTILINE)


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_each_set_stands_on_the_smaller_one():
    for larger, smaller in SMALLER.items():
        for name in smaller:
            missing = set(pins(name)) - set(pins(larger))
            assert not missing, f"constraints/{larger}.txt differs from {name}.txt"


@pytest.mark.parametrize("extra", ["postgres", "tune"])
def test_an_extra_is_pinned_for_those_who_ask_for_it(extra):
    names = {
        re.split(r"[\[<>=!~ ]", needed)[0] for needed in project()["optional-dependencies"][extra]
    }
    assert names
    assert names <= dict(pins(extra)).keys()
    assert not names & dict(pins("run")).keys(), "who does not use it need not install it"


def test_everything_that_is_pinned_has_a_hash():
    for name in SETS:
        text = (ROOT / "constraints" / f"{name}.txt").read_text(encoding="utf-8")
        blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
        assert len(blocks) == len(pins(name))
        assert all("--hash=sha256:" in block for block in blocks)


def test_the_tests_run_with_the_pinned_optuna():
    assert ("optuna", version("optuna")) in pins("dev")


def test_the_lock_makes_the_files_that_are_there():
    spec = importlib.util.spec_from_file_location("lock", ROOT / "constraints" / "lock.py")
    lock = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lock)
    assert list(lock.SETS) == [f"{name}.txt" for name in SETS]
    assert {path.name for path in (ROOT / "constraints").glob("*.txt")} == set(lock.SETS)


@pytest.mark.parametrize(
    ("verb", "installed"),
    [
        ("run", ["run"]),
        (".venv/installed-postgres", ["run", "postgres"]),
        (".venv/installed-tune", ["run", "tune"]),
        ("test", ["run", "dev"]),
        ("check", ["run", "dev"]),
        (".venv/installed-bench", ["run", "dev", "bench"]),
    ],
)
def test_what_a_verb_installs_on_a_clean_machine(verb, installed):
    """Asked of make itself, which prints what it would do if nothing had been done."""
    answer = subprocess.run(
        ["make", "--always-make", "--dry-run", verb],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = re.findall(r"-r constraints/(\w+)\.txt", answer.stdout)
    assert sorted(found, key=SETS.index) == installed


def test_ci_runs_the_tests_with_the_extra_and_lets_none_be_skipped():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"^make --silent \.venv/installed-bench$", script, re.MULTILINE)
    assert re.search(r"^REQUIRE_ALL=1 make test$", script, re.MULTILINE)
    assert {"optuna"} <= dict(pins("dev")).keys() & dict(pins("bench")).keys()
