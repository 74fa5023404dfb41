"""A ``console`` block: commands, what they print, and how the two are compared.

- A line that begins with ``$`` is a command; it goes on in the next line after a backslash, or
  while a quotation is open. What follows, up to the next command, is its output: both streams, as
  on a terminal.
- When the output is JSON it may be wrapped as is best to read. ``…`` stands for further keys of an
  object, further entries of an array, or any one value; where it does not stand, nothing may be
  added or missing. Numbers with a decimal point agree within 0.02 (a model differs in the last
  digits from one processor to another), and any two RFC 3339 times agree.
- In other output ``…`` stands for any text, of one or of many lines; how many blanks stand between
  two words does not count.
- A command that fails must show what it prints.
"""

from __future__ import annotations

import json
import math
import re
import shlex
from dataclasses import dataclass

TOLERANCE = 0.02
MORE = "…"
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|…|[^\s\[\]{}:,…]+')
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class Step:
    """One command with the output that the page shows."""

    command: str
    expected: str
    line: int


def steps(text: str, first_line: int = 1) -> list[Step]:
    """Take a block apart."""
    found: list[Step] = []
    lines = text.splitlines()
    place = 0
    while place < len(lines):
        start = place
        assert lines[place].startswith("$ "), f"line {first_line + place}: no command"
        command = [lines[place][2:]]
        while _goes_on("\n".join(command)):
            place += 1
            command.append(lines[place])
        place += 1
        output = []
        while place < len(lines) and not lines[place].startswith("$ "):
            output.append(lines[place])
            place += 1
        found.append(Step("\n".join(command), "\n".join(output).strip(), first_line + start))
    return found


def _goes_on(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:  # a quotation is open, or a backslash stands at the end
        return True
    return False


def difference(expected: str, actual: str) -> str | None:
    """Say where the output is not the one shown; ``None`` when it is."""
    actual = actual.strip()
    try:
        found = json.loads(actual)
    except ValueError:
        return _text_difference(expected, actual)
    if not isinstance(found, dict | list):
        return _text_difference(expected, actual)
    try:
        shown = json.loads(_spell_out(expected))
    except ValueError as error:
        return f"the page shows no JSON where the answer is JSON ({error})"
    return _json_difference(shown, found, "answer")


def _spell_out(expected: str) -> str:
    """Turn ``…`` into JSON: a key of its own in an object, an entry in an array, or a value."""
    tokens = _TOKEN.findall(expected)
    open_brackets: list[str] = []
    out = []
    for before, token in zip(["", *tokens], tokens, strict=False):
        if token in "[{":
            open_brackets.append(token)
        elif token in "]}":
            open_brackets.pop()
        elif token == MORE:
            is_key = bool(open_brackets) and open_brackets[-1] == "{" and before != ":"
            token = f'"{MORE}": 0' if is_key else f'"{MORE}"'
        out.append(token)
    return " ".join(out)


def _json_difference(shown: object, found: object, where: str) -> str | None:
    if shown == MORE:
        return None
    if isinstance(shown, dict) and isinstance(found, dict):
        return _object_difference(shown, found, where)
    if isinstance(shown, list) and isinstance(found, list):
        return _array_difference(shown, found, where)
    if _same_value(shown, found):
        return None
    return f"{where} is {json.dumps(found, ensure_ascii=False)}, the page shows {shown!r}"


def _object_difference(shown: dict, found: dict, where: str) -> str | None:
    named = [key for key in shown if key != MORE]
    for key in named:
        if key not in found:
            return f"{where} has no {key!r}"
        inner = _json_difference(shown[key], found[key], f"{where}.{key}")
        if inner:
            return inner
    hidden = [key for key in found if key not in named]
    return f"{where} has also {', '.join(hidden)}" if hidden and MORE not in shown else None


def _array_difference(shown: list, found: list, where: str) -> str | None:
    has_more = bool(shown) and shown[-1] == MORE
    entries = shown[:-1] if has_more else shown
    if len(found) < len(entries) or (len(found) > len(entries) and not has_more):
        return f"{where} has {len(found)} entries, the page shows {len(entries)}"
    for place, entry in enumerate(entries):
        inner = _json_difference(entry, found[place], f"{where}[{place}]")
        if inner:
            return inner
    return None


def _same_value(shown: object, found: object) -> bool:
    if isinstance(shown, float) and isinstance(found, float):
        return math.isclose(shown, found, rel_tol=0, abs_tol=TOLERANCE)
    if isinstance(shown, str) and isinstance(found, str) and _TIME.fullmatch(shown):
        return bool(_TIME.fullmatch(found))
    return type(shown) is type(found) and shown == found


def _text_difference(expected: str, actual: str) -> str | None:
    pattern = re.escape(_single_blanks(expected)).replace(re.escape(MORE), ".*?")
    if re.fullmatch(pattern, _single_blanks(actual), re.DOTALL):
        return None
    return "the output is not the one that the page shows"


def _single_blanks(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.splitlines())
