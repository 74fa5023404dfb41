"""The figures of a list: against loops over its pairs, and where there is nothing to measure."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recommender.errors import InvalidInputError
from recommender.reranking import Measures, Weights, divergence, measure, rerank


def cosine(one, other):
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / lengths if lengths else 0.0


@given(
    st.integers(2, 8).flatmap(
        lambda n: st.tuples(
            hnp.arrays(np.float32, n, elements=st.sampled_from([-1, 0, 2.5])),
            hnp.arrays(np.float32, (n, 3), elements=st.sampled_from([-2, 0, 0, 1])),
            hnp.arrays(np.float64, n, elements=st.sampled_from([0, 1, 6.5])),
        )
    )
)
def test_they_are_means_over_movies_and_over_pairs(case):
    scores, vectors, information = case
    found = measure(scores, vectors, information=information)
    pairs = list(itertools.combinations(vectors.tolist(), 2))
    apart = sum(1 - cosine(one, other) for one, other in pairs) / len(pairs)
    assert found.score == pytest.approx(sum(scores.tolist()) / len(scores))
    assert found.diversity == pytest.approx(apart, abs=1e-9)
    assert found.diversity >= 0
    assert found.novelty == pytest.approx(sum(information) / len(information))
    assert found.miscalibration is None


def test_the_ends_of_diversity():
    assert measure([1, 1], [[1, 0], [3, 0]]).diversity == 0
    assert measure([1, 1], [[1, 0], [0, 3]]).diversity == 1
    assert measure([1, 1], [[1, 0], [-3, 0]]).diversity == 2
    assert measure([1, 1], [[1, 0], [0, 0]]).diversity == 1  # a zero vector is similar to none


def test_miscalibration_is_the_divergence_of_the_mean():
    genres = np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.0, 0.0]])
    found = measure(np.ones(4), np.ones((4, 1)), genres=genres, taste=[0.25, 0.75])
    assert found.miscalibration == divergence([0.25, 0.75], [2.5 / 4, 0.5 / 4])


def test_where_there_is_nothing_to_measure_there_is_no_figure():
    assert measure([], np.empty((0, 2)), information=[], genres=np.empty((0, 2)), taste=[1, 0]) == (
        Measures(score=None, diversity=None, novelty=None, miscalibration=None)
    )
    assert measure([2.0], [[1.0]]) == Measures(2.0, None, None, None)
    genres = [[1.0, 0.0]]
    assert measure([2.0], [[1.0]], genres=genres).miscalibration is None
    assert measure([2.0], [[1.0]], taste=[1.0, 0.0]).miscalibration is None
    assert measure([2.0], [[1.0]], genres=genres, taste=[0.0, 0.0]).miscalibration is None


def test_each_weight_moves_its_own_figure_and_costs_score():
    random = np.random.default_rng(0)
    scores, vectors = -np.sort(-random.normal(size=200)), random.normal(size=(200, 4))
    extras = {
        "information": random.uniform(0, 10, 200),
        "genres": random.dirichlet(np.full(6, 0.2), 200),
        "taste": random.dirichlet(np.ones(6)),
    }

    def of(weights):
        rows = rerank(scores, vectors, 10, weights, **extras)
        listed = extras | {name: extras[name][rows] for name in ("information", "genres")}
        return measure(scores[rows], vectors[rows], **listed)

    plain = of(Weights())
    for weights in (Weights(diversity=0.7), Weights(novelty=0.7), Weights(calibration=0.7)):
        assert of(weights).score < plain.score
    assert of(Weights(diversity=0.7)).diversity > plain.diversity + 0.05
    assert of(Weights(novelty=0.7)).novelty > plain.novelty + 1
    assert of(Weights(calibration=0.7)).miscalibration < plain.miscalibration / 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": [1.0, math.nan]}, r"scores\[1\] is nan"),
        ({"vectors": [[1.0]]}, r"vectors must have the shape \(2, any\)"),
        ({"information": [1.0]}, r"information must have the shape \(2\)"),
        ({"genres": [[1.0], [3.0]], "taste": [1.0]}, "genres must be shares"),
        ({"genres": [[1.0], [1.0]], "taste": [3.0]}, "taste must be shares"),
        ({"genres": [[1.0], [1.0]], "taste": [0.5, 0.5]}, r"taste must have the shape \(1\)"),
    ],
)
def test_bad_input_is_told_what_and_where(change, message):
    asked = {"scores": [1.0, 2.0], "vectors": [[1.0], [2.0]]} | change
    with pytest.raises(InvalidInputError, match=message):
        measure(asked.pop("scores"), asked.pop("vectors"), **asked)
