"""What every metric promises: a denominator in its first line, and an example that runs."""

import inspect

import pytest

from recommender.evaluation import metrics

METRICS = sorted(set(metrics.__all__) - {"rank_sums"})


STEPS = {"bins_of", "gini_of"}
"""Steps of a metric that other rooms take too; no metrics themselves."""


def test_all_metrics_of_the_rooms_are_behind_the_door():
    from recommender.evaluation import list_metrics, pair_metrics, ranked_metrics, star_metrics

    written = {
        name
        for room in (list_metrics, pair_metrics, ranked_metrics, star_metrics)
        for name, thing in inspect.getmembers(room, inspect.isfunction)
        if thing.__module__ == room.__name__ and not name.startswith("_")
    }
    assert written == set(metrics.__all__) | STEPS


@pytest.mark.parametrize("name", METRICS)
def test_the_first_line_names_the_denominator(name):
    document = inspect.getdoc(getattr(metrics, name))
    assert " over " in document.splitlines()[0]
    assert f">>> {name}(" in document
    assert f":func:`{name}`" in metrics.__doc__
