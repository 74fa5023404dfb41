"""Cursors of recommendations: one text for one place, in a list of one generation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.api import cursors
from app.problems import ProblemError
from app.serving.wanted import Position

LISTED = "recommendations user u00 True "
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def test_another_generation_under_the_same_number_has_other_lists(client):
    """As after the models directory was put back, or taken from another installation."""
    serving = client.rooms.current.take()
    cursor = cursors.encode_position(LISTED, serving, Position(0.5, "m01"))
    assert cursors.decode_position(LISTED, serving, cursor) == Position(0.5, "m01")
    generation = serving.generation
    manifest = replace(generation.manifest, trained_at="2026-11-24T10:00:00Z")
    other = replace(serving, generation=replace(generation, manifest=manifest))
    with pytest.raises(ProblemError) as refused:
        cursors.decode_position(LISTED, other, cursor)
    assert refused.value.problem.name == "expired-cursor"


def test_the_bits_that_base64_leaves_over_are_none_of_it(client):
    serving = client.rooms.current.take()
    cursor = cursors.encode_position(LISTED, serving, Position(0.5, "four"))
    assert len(cursor) % 4 == 2  # so that the last letter has four bits to spare
    spoilt = cursor[:-1] + LETTERS[LETTERS.index(cursor[-1]) + 1]
    assert cursors.decode_position(LISTED, serving, cursor) is not None
    with pytest.raises(ProblemError):
        cursors.decode_position(LISTED, serving, spoilt)
