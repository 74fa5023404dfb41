"""Which generations stay, against a few lines that say so, and what a kill leaves."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender import ImplicitALS
from recommender.errors import DamagedGenerationError, InvalidInputError
from recommender.generations import (
    generation_numbers,
    generation_path,
    kept,
    load_generation,
    publish,
    sweep,
    sweep_unfinished,
    write_generation,
)
from tests.recommender.worlds import checkerboard

MODEL = ImplicitALS(factors=2, epochs=1, threads=1).fit(checkerboard(6))


def write(folder, *, parent=None, reason=None):
    return write_generation(
        folder, MODEL, None, watermark=1, metrics={}, options={}, parent=parent, reason=reason,
        trained_at="2026-11-24T00:00:00Z",
    )  # fmt: skip


@pytest.fixture
def models(tmp_path):
    """Six; the second and the fifth were refused, the first is the parent of the third."""
    for number in range(1, 7):
        reason = "worse" if number in (2, 5) else None
        write(tmp_path, parent=1 if number == 3 else None, reason=reason)
    return tmp_path


@pytest.mark.parametrize(
    ("current", "keep", "stay"),
    [
        (None, 1, {5, 6}),
        (3, 1, {1, 3, 5, 6}),  # the current, its parent, the newest refused, the newest
        (6, 2, {4, 5, 6}),
        (2, 3, {2, 3, 4, 5, 6}),  # a refused one that somebody activated
        (6, 5, {1, 3, 4, 5, 6}),
        (6, 99, {1, 3, 4, 5, 6}),  # only the newest refused one stays
    ],
)
def test_who_stays(models, current, keep, stay):
    if current is not None:
        publish(models, current)
    assert kept(models, keep) == stay
    removed = sweep(models, keep)
    assert removed == sorted({1, 2, 3, 4, 5, 6} - stay)
    assert set(generation_numbers(models)) == stay
    assert sweep(models, keep) == []


@given(
    st.lists(st.booleans(), min_size=1, max_size=8),
    st.integers(1, 4),
    st.integers(0, 8),
)
@settings(max_examples=15, deadline=None)
def test_it_is_the_loop(tmp_path_factory, refused, keep, current):
    folder = tmp_path_factory.mktemp("models")
    for number, is_refused in enumerate(refused, start=1):
        write(folder, parent=number - 1 or None, reason="worse" if is_refused else None)
    n = len(refused)
    if 1 <= current <= n:
        publish(folder, current)
    stay = set()
    for number in range(1, n + 1):
        later = refused[number:]
        newest_of_its_kind = later.count(refused[number - 1])
        always = number in (current, n) or (current <= n and number == current - 1)
        if always or newest_of_its_kind < (1 if refused[number - 1] else keep):
            stay.add(number)
    assert kept(folder, keep) == stay


def test_the_number_of_a_swept_generation_is_not_given_out_again(models):
    publish(models, 3)
    sweep(models, 1)
    assert write(models) == 7


def test_what_is_open_stays_readable(models):
    publish(models, 6)
    opened = load_generation(generation_path(models, 1))
    before = np.array(opened.ranking.item_factors)
    assert 1 in sweep(models, 1)
    np.testing.assert_array_equal(opened.ranking.item_factors, before)


def test_damaged_ones_are_swept_too_but_for_the_newest(models):
    publish(models, 4)
    for number in (1, 6):
        (generation_path(models, number) / "manifest.json").write_text("{")
    sweep(models, 2)
    assert generation_numbers(models) == [3, 4, 5, 6]


def test_nothing_is_swept_while_nobody_knows_what_serves(models):
    (models / "CURRENT").write_text("x")
    with pytest.raises(DamagedGenerationError):
        sweep(models, 1)
    assert len(generation_numbers(models)) == 6


@pytest.mark.parametrize("keep", [0, -1, True, 1.5])
def test_none_is_too_few(models, keep):
    with pytest.raises(InvalidInputError, match="keep"):
        sweep(models, keep)


def test_what_a_killed_sweep_leaves_is_swept(models):
    shutil.move(generation_path(models, 1), models / ".sweeping-gen-000001")
    sweep_unfinished(models)
    assert not (models / ".sweeping-gen-000001").exists()
    assert len(generation_numbers(models)) == 5


def test_manifests_of_earlier_versions_are_accepted(models):
    path = generation_path(models, 1) / "manifest.json"
    document = json.loads(path.read_text())
    for name in ("state", "reason", "tuned"):
        del document[name]
    path.write_text(json.dumps(document))
    manifest = load_generation(generation_path(models, 1)).manifest
    assert (manifest.state, manifest.reason, manifest.tuned) == ("accepted", None, False)
    document["state"] = "loud"
    path.write_text(json.dumps(document))
    with pytest.raises(DamagedGenerationError, match="state"):
        load_generation(generation_path(models, 1))
