"""What must, and what must not, stand in the text files of this repository."""

import re
import shlex

import pytest
import typer.main

from app.cli import cli
from recommender.version import __version__
from tests.docs.documents import ROOT, documents, tracked_files

INDEX_HOSTS = re.compile(
    r"\b(?:pypi|pythonhosted|npmjs|yarnpkg|conda|anaconda)\.(?:org|com|io)\b"
    r"|--(?:extra-)?index-url[ =]\S*://"
    r"|https?://\S*/simple/"
)
MACHINE_PATHS = re.compile(
    r"(?<![\w.:/~*-])/(?:home|Users|mnt|work)/[\w.-]+|(?<![\w.:/=-])/root/\w[\w.-]*"
)
# An example of what must not be shown, and no path of anybody's machine.
ALLOWED = {"tests/app/test_contract.py": "home/me"}


def texts():
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content:
            yield path.relative_to(ROOT).as_posix(), content.decode("utf-8", errors="replace")


def test_no_address_of_a_package_index_and_no_path_of_a_machine():
    seen = 0
    for name, text in texts():
        seen += 1
        rest = text.replace("/" + ALLOWED[name], "") if name in ALLOWED else text
        for pattern in (INDEX_HOSTS, MACHINE_PATHS):
            found = pattern.search(rest)
            assert found is None, f"{name}: {found[0]}"
    assert seen > 50


# With a gap, so that this file does not hold what it looks for.


@pytest.mark.parametrize(
    "text",
    ["see https://py_pi.org/x", "--index-_url=https://a.b/c", "https://mirror/sim_ple/numpy"],
)
def test_the_pattern_finds_package_indexes(text):
    assert INDEX_HOSTS.search(text.replace("_", ""))


@pytest.mark.parametrize("text", ["open /ho_me/ann/x", "(/Us_ers/ann)", '"/ro_ot/x"'])
def test_the_pattern_finds_paths_of_machines(text):
    assert MACHINE_PATHS.search(text.replace("_", ""))


def test_the_changelog_has_a_section_for_what_is_current():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[?([\w.]+)\]?", changelog, re.MULTILINE)
    assert "Unreleased" in headings or __version__ in headings
    assert __version__ in changelog


SHELL = [(page, block) for page in documents() for block in page.blocks("sh", "bash", "shell")]
TARGETS = set(
    re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
)
GROUP = typer.main.get_command(cli)


@pytest.mark.parametrize(
    ("page", "block"), SHELL, ids=[f"{page.name}:{block.line}" for page, block in SHELL]
)
def test_commands_that_are_not_run_exist(page, block):
    assert block.language == "sh", "one name for one thing"
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if words[0] == "make":
            wanted = [word for word in words[1:] if "=" not in word]
            assert set(wanted) <= TARGETS, line
        if "projectionist" in words[:1]:
            check_projectionist(words[1:], line)


def check_projectionist(words, line):
    assert words[0] in GROUP.commands, line
    command = GROUP.commands[words[0]]
    options = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    for word in words[1:]:
        if word.startswith("-"):
            assert word.partition("=")[0] in options, line


def test_there_is_something_to_check():
    lines = [line for _, block in SHELL for line in block.text.splitlines()]
    assert "make run" in lines
    assert any(line.startswith("projectionist download") for line in lines)


def test_inline_commands_exist():
    """``projectionist x`` and ``make x`` in running text."""
    seen = 0
    for page in documents():
        for program, word in re.findall(r"`(projectionist|make) ([a-z]\w*)", page.text):
            seen += 1
            known = GROUP.commands if program == "projectionist" else TARGETS
            assert word in known, f"{page.name}: {program} {word}"
    assert seen > 10
