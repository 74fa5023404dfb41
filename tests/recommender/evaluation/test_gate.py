"""The gate's questions one by one, at their bounds."""

from __future__ import annotations

import pytest

from recommender.errors import InvalidOptionError
from recommender.evaluation.gate import (
    Thresholds,
    Verdict,
    below_popularity,
    below_served,
    fallen,
    lost,
)
from recommender.evaluation.significance import Difference, Interval

USUAL = Thresholds()


def difference(low, mean, high):
    return Difference(mean, low, high, 0.5)


@pytest.mark.parametrize(
    ("high", "refused"), [(-1e-9, True), (0.0, False), (0.01, False), (-0.2, True)]
)
def test_popularity_counts_beyond_the_interval_alone(high, refused):
    assert (below_popularity(difference(-0.3, -0.25, high)) is not None) is refused


@pytest.mark.parametrize(
    ("high", "refused"), [(-0.0079, False), (-0.0081, True), (0.0, False), (0.02, False)]
)
def test_the_served_recipe_counts_beyond_the_interval_and_the_tolerance(high, refused):
    told = below_served(difference(-0.1, -0.05, high), 0.4, Thresholds(tolerance=0.02))
    assert (told is not None) is refused


def test_the_reason_has_the_figures():
    told = below_served(difference(-0.1, -0.05, -0.02), 0.4, USUAL)
    assert "0.0500 (0.0200 to 0.1000) of 0.4000" in told


@pytest.mark.parametrize(
    ("before", "refused"),
    [
        ({"ndcg_at_10_low": 0.4}, True),
        ({"ndcg_at_10_low": 0.2}, False),
        ({}, False),
        ({"ndcg_at_10_low": None}, False),
        ({"ndcg_at_10_low": float("nan")}, False),
    ],
)
def test_a_figure_that_has_collapsed_since(before, refused):
    measured = Interval(0.12, 0.1, 0.15)
    assert (fallen(measured, before, Thresholds(kept_share=0.5)) is not None) is refused


@pytest.mark.parametrize(("left", "refused"), [(49, True), (50, False), (0, True), (100, False)])
def test_who_is_lost(left, refused):
    told = lost("users", left, 100, Thresholds(kept_share=0.5))
    assert (told is not None) is refused
    if refused:
        assert f"{left} of the 100 users" in told


def test_of_an_empty_model_nothing_is_lost():
    assert lost("items", 0, 0, USUAL) is None


@pytest.mark.parametrize("name", ["tolerance", "kept_share"])
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_thresholds_have_a_range(name, value):
    with pytest.raises(InvalidOptionError, match=name):
        Thresholds(**{name: value})


def test_a_verdict_refuses_for_reasons_not_for_notes():
    assert Verdict(("it is worse",)).is_refusal
    assert not Verdict(notes=("it is worse",)).is_refusal
