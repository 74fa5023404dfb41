"""What a reranking refuses: weights out of range, shapes that do not fit, what is missing."""

from __future__ import annotations

import math

import pytest

from recommender.errors import InvalidInputError, InvalidOptionError
from recommender.reranking import Weights, rerank


@pytest.mark.parametrize("name", ["diversity", "novelty", "calibration"])
@pytest.mark.parametrize("weight", [-0.01, 1.01, math.nan, math.inf, True, "1", None])
def test_a_weight_outside_its_range_is_refused(name, weight):
    with pytest.raises(InvalidOptionError, match=f"{name} must be a number from 0 to 1; found"):
        Weights(**{name: weight})


GOOD = {
    "scores": [3.0, 2.0],
    "vectors": [[1.0], [2.0]],
    "n": 2,
    "weights": Weights(0.5, 0.5, 0.5),
    "information": [1.0, 2.0],
    "genres": [[1.0, 0.0], [0.5, 0.5]],
    "taste": [0.5, 0.5],
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": [2.0, 3.0]}, r"best first; scores\[0\] is 2, scores\[1\] is 3"),
        ({"scores": [3.0, math.nan]}, r"scores\[1\] is nan; only finite numbers are allowed"),
        ({"scores": [[3.0, 2.0]]}, r"scores must have the shape \(any\); found \(1, 2\)"),
        ({"scores": ["good", "bad"]}, "scores must be numbers: could not convert"),
        ({"vectors": [[1.0]]}, r"vectors must have the shape \(2, any\); found \(1, 1\)"),
        ({"vectors": [[1.0], [math.inf]]}, r"vectors\[1, 0\] is inf"),
        ({"n": 0}, "n must be a whole number of at least 1; found 0"),
        ({"information": None}, "novelty counts 0.5 and needs information"),
        ({"information": [1.0]}, r"information must have the shape \(2\); found \(1,\)"),
        ({"information": [1.0, -1.0]}, r"information\[1\] is -1.0; .* of at least 0"),
        ({"genres": None}, "calibration counts 0.5 and needs genres and taste; found no genres"),
        ({"taste": None}, "calibration counts 0.5 and needs genres and taste; found no taste"),
        ({"taste": [1.0]}, r"taste must have the shape \(2\); found \(1,\)"),
        ({"taste": [3.0, 1.0]}, "taste must be shares that sum to at most 1; found the sum 4"),
        ({"genres": [[1.0, 1.0], [0.5, 0.5]]}, "genres must be shares .* found the sum 2"),
        ({"genres": [[-1.0, 1.0], [0.5, 0.5]]}, r"genres\[0, 0\] is -1.0"),
    ],
)
def test_bad_input_is_told_what_and_where(change, message):
    rerank(**GOOD)
    with pytest.raises(InvalidInputError, match=message):
        rerank(**(GOOD | change))
