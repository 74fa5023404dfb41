"""The documents of this repository, and what can be found in them.

Three kinds of fenced blocks are held to what they say:

- ``console``: what a reader would type (lines that begin with ``$``) and see. It is run, in the
  order of the page, against a real server that is started for the page alone: see
  ``transcripts.py``.
- ``python``: interactive examples (``>>>``), run as doctests, in one namespace a page.
- ``sh``: commands that a test cannot run (they install, download, or never end). Their targets,
  subcommands and options must exist.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)>\s]+)>?\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line of the page that it begins on."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Document:
    """A Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """The text without what stands in code."""
        return re.sub(r"`[^`\n]+`", "", _FENCE.sub("", self.text))

    def blocks(self, *languages: str) -> list[Block]:
        return [
            Block(match[2], match[3], self.text.count("\n", 0, match.start(3)) + 1)
            for match in _FENCE.finditer(self.text)
            if not languages or match[2] in languages
        ]

    def links(self) -> list[tuple[bool, str]]:
        """Each target, and whether it is a picture."""
        return [(match[1] == "!", match[2]) for match in _LINK.finditer(self.prose)]

    def anchors(self) -> set[str]:
        """The anchors that a reader of the page can jump to, as GitHub makes them."""
        seen: dict[str, int] = {}
        anchors = set()
        for match in _HEADING.finditer(_FENCE.sub("", self.text)):
            heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1])
            anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            count = seen.get(anchor, 0)
            seen[anchor] = count + 1
            anchors.add(f"{anchor}-{count}" if count else anchor)
        return anchors


def documents() -> list[Document]:
    """The pages for people: at the root, in docs/, and beside the bundled data."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/*/*.md")]
    return [Document(path) for path in sorted(found)]


def tracked_files() -> list[Path]:
    """Every file that is part of the project: what git has, or would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout, so nobody can say which files belong to the project")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return sorted(ROOT / name for name in names if (ROOT / name).is_file())
