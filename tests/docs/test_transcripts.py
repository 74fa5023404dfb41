"""The comparison itself: it lets pass what it should, and nothing else."""

import pytest

from tests.docs.transcripts import difference, steps

ANSWER = (
    '{"user_id":"1","n":2,"at":"2026-11-23T10:00:00Z",'
    '"movies":[{"id":"7","score":0.5},{"id":"8","score":0.25}]}'
)


@pytest.mark.parametrize(
    "shown",
    [
        '{"user_id": "1", …}',
        '{"user_id": "1", "n": 2, "at": "2020-01-01T00:00:00Z", "movies": […]}',
        '{"user_id": "1", "n": 2, "at": …,\n "movies": [{"id": "7", "score": 0.51}, …]}',
        '{"movies": [{"id": "7", …}, {"score": 0.25, …}], …}',
        "{…}",
    ],
)
def test_what_agrees(shown):
    assert difference(shown, ANSWER) is None


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        ('{"user_id": "2", …}', "user_id"),
        ('{"user_id": "1"}', "has also n, at, movies"),
        ('{"user": "1", …}', "has no 'user'"),
        ('{"n": 3, …}', "answer.n is 2"),
        ('{"n": 2.0, …}', "answer.n is 2"),
        ('{"at": "yesterday", …}', "answer.at"),
        ('{"movies": [{"id": "7", "score": 0.53}, …], …}', "movies[0].score"),
        ('{"movies": [{"id": "8", …}, …], …}', "movies[0].id"),
        ('{"movies": [{"id": "7", …}], …}', "has 2 entries"),
        ('{"movies": [{"id": "7", …}, {…}, {…}, …], …}', "has 2 entries"),
        ("[…]", "answer is"),
        ("all is well", "no JSON"),
        ("", "no JSON"),
    ],
)
def test_what_does_not(shown, reason):
    assert reason in difference(shown, ANSWER)


def test_text_agrees_line_by_line_and_dots_stand_for_any_of_it():
    assert difference("Stored 5 …\ndone", "Stored 5 ratings (2 new)\nand more\ndone\n") is None
    assert difference("a  b\nc", "a b  \nc") is None
    assert difference("Stored 5 ratings", "Stored 6 ratings") is not None
    assert difference("a", "a\nb") is not None
    assert difference("a b", "a\nb") is not None
    assert difference("", "surprise") is not None


def test_a_block_is_commands_and_what_they_print():
    found = steps("$ one \\\n    -x\n{\n}\n$ two 'a\nb'\n$ three\n", first_line=10)
    assert [(s.command, s.expected, s.line) for s in found] == [
        ("one \\\n    -x", "{\n}", 10),
        ("two 'a\nb'", "", 14),
        ("three", "", 16),
    ]
    with pytest.raises(AssertionError, match="no command"):
        steps("output without a command\n")
