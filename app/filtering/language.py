"""The filter language: a grammar, and the tree that an expression becomes.

A test compares one field with values: ``year >= 1990``, ``"Comedy" in genres``,
``title == "Memento"``, ``attributes.country in ["fr", "be"]``, ``year not in [1999, 2000]``. Tests
are joined by ``and``, ``or``, ``not`` and parentheses, of which ``not`` binds most and ``or``
least.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedEOF, UnexpectedToken
from lark.exceptions import VisitError

if TYPE_CHECKING:
    from collections.abc import Sequence

FIELDS = ("movie_id", "title", "year", "genres", "n_ratings")
"""What can be asked for, besides ``attributes.NAME``."""

ATTRIBUTES = "attributes"
DEEPEST = 50
"""Parentheses within each other, and how often ``not`` may stand."""

_NESTING = re.compile(r'"(?:[^"\\]|\\.)*"?|[()]|\bnot\b')
"""What counts for that; texts are taken whole, so that nothing in them counts."""

Value: TypeAlias = "str | float | bool | None"

_GRAMMAR = r"""
?either: both ("or" both)*                    -> either
?both: one ("and" one)*                       -> both
?one: "not" one                               -> negation
    | "(" either ")"
    | test
test: side COMPARISON side                    -> comparison
    | side "in" side                          -> membership
    | side "not" "in" side                    -> absence
?side: field | value | values
field: NAME ("." (NAME | STRING))?
values: "[" [value ("," value)*] "]"
value: STRING | NUMBER | TRUE | FALSE | NULL

COMPARISON: "==" | "!=" | "<=" | ">=" | "<" | ">"
TRUE.2: /true\b/
FALSE.2: /false\b/
NULL.2: /null\b/
NAME: /(?!(?:and|or|not|in|true|false|null)\b)[A-Za-z_][A-Za-z0-9_]*/
STRING: /"(?:[^"\\\x00-\x1f]|\\["\\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/
NUMBER: /-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,15})?/
%import common.WS
%ignore WS
"""

_SAID = {
    "COMPARISON": "one of == != < <= > >=",
    "NAME": "a field",
    "STRING": "a text in double quotes",
    "NUMBER": "a number",
    "TRUE": "true",
    "FALSE": "false",
    "NULL": "null",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "COMMA": ",",
    "DOT": ".",
    "AND": "and",
    "OR": "or",
    "NOT": "not",
    "IN": "in",
    "$END": "the end",
}


class FilterError(ValueError):
    """An expression that is not one of the language.

    Attributes
    ----------
    position
        Of the first character that does not fit, from 0.
    message
        What is allowed there; nothing of the expression itself.
    """

    def __init__(self, position: int, message: str) -> None:
        super().__init__(f"at character {position}: {message}")
        self.position = position
        self.message = message


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a movie; ``attribute`` is set for ``attributes.NAME``."""

    name: str
    attribute: str | None
    position: int


@dataclass(frozen=True, slots=True)
class Compare:
    """``field OPERATOR value``."""

    field: Field
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Holds:
    """``value in field``: one of several values, or a part of a text."""

    field: Field
    value: Value


@dataclass(frozen=True, slots=True)
class OneOf:
    """``field in [values]``."""

    field: Field
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Whatever the part is not true of."""

    part: Node


@dataclass(frozen=True, slots=True)
class Join:
    """All of the parts, or any of them."""

    parts: tuple[Node, ...]
    all_of: bool


Node: TypeAlias = Compare | Holds | OneOf | Not | Join


@dataclass(frozen=True, slots=True)
class _Value:
    value: Value
    position: int


@dataclass(frozen=True, slots=True)
class _Values:
    values: tuple[Value, ...]
    position: int


_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}


class _Tree(Transformer[Token, Any]):
    """Makes our tree of the parser's."""

    def either(self, parts: list[Node]) -> Node:
        return parts[0] if len(parts) == 1 else Join(tuple(parts), all_of=False)

    def both(self, parts: list[Node]) -> Node:
        return parts[0] if len(parts) == 1 else Join(tuple(parts), all_of=True)

    def negation(self, parts: list[Node]) -> Node:
        return Not(parts[0])

    def field(self, words: list[Token]) -> Field:
        name, *rest = words
        position = name.start_pos or 0
        if name.value == ATTRIBUTES and rest:
            word = rest[0]
            attribute = json.loads(word.value) if word.type == "STRING" else str(word.value)
            return Field(ATTRIBUTES, attribute, position)
        if rest or name.value not in FIELDS:
            allowed = ", ".join((*FIELDS, f"{ATTRIBUTES}.NAME"))
            raise FilterError(position, f"this is no field; fields are {allowed}")
        return Field(str(name.value), None, position)

    def value(self, words: list[Token]) -> _Value:
        (word,) = words
        found: Value = json.loads(word.value)
        if word.type == "NUMBER":
            found = float(word.value)
        return _Value(found, word.start_pos or 0)

    def values(self, parts: list[_Value | None]) -> _Values:
        given = [part for part in parts if part is not None]
        return _Values(tuple(part.value for part in given), given[0].position if given else 0)

    def comparison(self, parts: list[Any]) -> Node:
        left, operator, right = parts
        sign = str(operator)
        if isinstance(left, _Value) and isinstance(right, Field):
            left, sign, right = right, _FLIPPED[sign], left
        if not (isinstance(left, Field) and isinstance(right, _Value)):
            raise FilterError(
                operator.start_pos or 0,
                "compare a field with a text, a number, true, false or null",
            )
        if left.name == "genres":
            raise FilterError(
                left.position, 'genres are several; ask for one with "Comedy" in genres'
            )
        if sign not in {"==", "!="} and not isinstance(right.value, (str, float)):
            raise FilterError(right.position, f"{sign} needs a text or a number")
        if isinstance(right.value, bool) and left.name != ATTRIBUTES:
            raise FilterError(right.position, f"{left.name} is never true or false")
        return Compare(left, sign, right.value)

    def membership(self, parts: list[Any]) -> Node:
        left, right = parts
        if isinstance(left, Field) and isinstance(right, _Values):
            if left.name == "genres":
                raise FilterError(left.position, 'ask for each genre: "Comedy" in genres')
            return OneOf(left, right.values)
        if isinstance(left, _Value) and isinstance(right, Field):
            if right.name in {"year", "n_ratings"}:
                raise FilterError(right.position, f"nothing is in {right.name}: it is a number")
            if right.name != ATTRIBUTES and not isinstance(left.value, str):
                raise FilterError(left.position, f"{right.name} holds texts alone")
            return Holds(right, left.value)
        position = getattr(left, "position", 0)
        raise FilterError(position, 'write VALUE in FIELD, or FIELD in ["VALUE", …]')

    def absence(self, parts: list[Any]) -> Node:
        return Not(self.membership(parts))


_PARSER = Lark(_GRAMMAR, start="either", parser="lalr", propagate_positions=False)


def parse(text: str) -> Node:
    """Return the tree of an expression.

    Raises
    ------
    FilterError
        Where it is not one of the language; says where, and what is allowed there.

    Examples
    --------
    >>> parse('year >= 1990')
    Compare(field=Field(name='year', attribute=None, position=0), operator='>=', value=1990.0)
    """
    _check_nesting(text)
    try:
        tree: Node = _Tree().transform(_PARSER.parse(text))
    except VisitError as error:
        if isinstance(error.orig_exc, FilterError):
            raise error.orig_exc from None
        raise
    except UnexpectedEOF as error:
        raise FilterError(len(text), f"expected {_in_words(error.expected)}") from None
    except UnexpectedToken as error:
        start = error.token.start_pos
        position = len(text) if error.token.type == "$END" or start is None else start
        raise FilterError(position, f"expected {_in_words(sorted(error.expected))}") from None
    except UnexpectedCharacters as error:
        expected = _in_words(sorted(error.allowed or ()))
        position = cast("int", error.pos_in_stream)  # its declaration forgets that it is set
        raise FilterError(position, f"expected {expected}") from None
    return tree


def _check_nesting(text: str) -> None:
    """Refuse what closes nothing, and what would nest too deep for an evaluation to follow."""
    depth = negations = 0
    for found in _NESTING.finditer(text):
        word = found[0]
        depth += (word == "(") - (word == ")")
        negations += word == "not"
        if depth < 0:
            raise FilterError(found.start(), "there is no ( for this")
        if max(depth, negations) > DEEPEST:
            raise FilterError(found.start(), f"at most {DEEPEST} of ( within each other and of not")


def _in_words(expected: Sequence[str]) -> str:
    words = [_SAID.get(name, name.lower()) for name in expected if name != "WS"]
    *most, last = dict.fromkeys(words) or ["something else"]
    return f"{', '.join(most)} or {last}" if most else last
