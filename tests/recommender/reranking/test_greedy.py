"""Lists chosen movie by movie: against double loops that read like the papers, and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recommender.reranking import Weights, genre_distribution, rerank

SIXTEENTHS = st.integers(0, 16).map(lambda part: part / 16)
WEIGHTS = st.builds(Weights, diversity=SIXTEENTHS, novelty=SIXTEENTHS, calibration=SIXTEENTHS)


@st.composite
def pools(draw, smallest=1):
    """Few distinct values, so that ties and zero vectors are the rule."""
    m, k, n_genres = (
        draw(st.integers(smallest, 9)),
        draw(st.integers(1, 3)),
        draw(st.integers(1, 4)),
    )
    scores = draw(hnp.arrays(np.float32, m, elements=st.sampled_from([-2, 0, 0.5, 1, 3])))
    vectors = draw(hnp.arrays(np.float32, (m, k), elements=st.sampled_from([-2, -1, 0, 1])))
    liked = draw(hnp.arrays(np.float64, n_genres, elements=st.sampled_from([0, 0, 1, 3])))
    extras = {
        "information": draw(hnp.arrays(np.float64, m, elements=st.sampled_from([0, 1, 2.5, 7]))),
        "genres": genre_distribution(draw(hnp.arrays(np.bool_, (m, n_genres)))),
        "taste": liked / (liked.sum() or 1),
    }
    return -np.sort(-scores), vectors, extras


def cosine(one, other):
    dot = sum(float(a) * float(b) for a, b in zip(one, other, strict=True))
    lengths = math.hypot(*map(float, one)) * math.hypot(*map(float, other))
    return dot / lengths if lengths else 0.0


def kl(p, q, alpha=0.01):
    smoothed = [(1 - alpha) * b + alpha * a for a, b in zip(p, q, strict=True)]
    return sum(a * math.log2(a / b) for a, b in zip(p, smoothed, strict=True) if a > 0)


def value(place, chosen, scores, vectors, weights, information, genres, taste):
    """What the docstring says, for one movie."""
    low, high = float(min(scores)), float(max(scores))
    score = (float(scores[place]) - low) / (high - low) if high > low else 1.0
    surprise = information[place] / (max(information) or 1)
    a = (1 - weights.novelty) * score + weights.novelty * surprise
    nearest = max((cosine(vectors[place], vectors[j]) for j in chosen), default=0.0)
    b = (1 - weights.diversity) * a - weights.diversity * nearest
    together = [genres[j] for j in [*chosen, place]]
    mean = [sum(one[g] for one in together) / len(together) for g in range(len(taste))]
    return (1 - weights.calibration) * b - weights.calibration * kl(taste, mean)


def naive_rerank(scores, vectors, n, weights, information, genres, taste):
    chosen = []
    while len(chosen) < min(n, len(scores)):
        values = {
            place: value(place, chosen, scores, vectors, weights, information, genres, taste)
            for place in range(len(scores))
            if place not in chosen
        }
        best = max(values.values())
        chosen.append(min(p for p in values if math.isclose(values[p], best, abs_tol=1e-9)))
    return chosen


@given(pools(), st.integers(1, 12), WEIGHTS)
def test_it_is_what_double_loops_choose(pool, n, weights):
    scores, vectors, extras = pool
    found = rerank(scores, vectors, n, weights, **extras)
    assert found.dtype == np.int64
    assert found.tolist() == naive_rerank(scores, vectors, n, weights, **extras)


@given(pools(), WEIGHTS)
def test_a_shorter_list_begins_a_longer_one(pool, weights):
    scores, vectors, extras = pool
    longest = rerank(scores, vectors, len(scores), weights, **extras)
    assert sorted(longest) == list(range(len(scores)))
    for n in range(1, len(scores)):
        assert rerank(scores, vectors, n, weights, **extras).tolist() == longest[:n].tolist()


@given(pools(), st.integers(1, 12))
def test_without_weights_the_order_stays(pool, n):
    scores, vectors, _ = pool
    expected = list(range(min(n, len(scores))))
    assert rerank(scores, vectors, n, Weights()).tolist() == expected


@given(pools(), WEIGHTS, st.sampled_from([0.25, 8]), st.sampled_from([-4, 2]))
def test_lengths_of_vectors_and_the_scale_of_scores_do_not_matter(pool, weights, factor, shift):
    scores, vectors, extras = pool
    found = rerank(scores * factor + shift, vectors * factor, 5, weights, **extras)
    assert found.tolist() == rerank(scores, vectors, 5, weights, **extras).tolist()


def test_an_empty_pool_gives_an_empty_list():
    found = rerank([], np.empty((0, 3)), 5, Weights(diversity=1))
    assert found.tolist() == []
    assert found.dtype == np.int64


def circle(*degrees):
    return np.array([[math.cos(math.radians(d)), math.sin(math.radians(d))] for d in degrees])


@pytest.mark.parametrize("diversity", [0.6, 1])
def test_of_two_clusters_diversity_takes_turns(diversity):
    scores, vectors = [4.0, 3.9, 3.8, 3.7], circle(0, 30, 180, 210)
    assert rerank(scores, vectors, 4, Weights()).tolist() == [0, 1, 2, 3]
    assert rerank(scores, vectors, 4, Weights(diversity=diversity)).tolist() == [0, 2, 1, 3]


def test_the_nearest_of_those_before_counts_and_not_their_mean():
    # 90 is far from 0 and 180 alike; 10 is next to 0, though its mean cosine to both is 0 as well.
    vectors = circle(0, 180, 10, 90)
    found = rerank([4.0, 3.9, 3.8, 3.7], vectors, 3, Weights(diversity=0.9))
    assert found.tolist() == [0, 1, 3]


@pytest.mark.parametrize("calibration", [0.9, 1])
@pytest.mark.parametrize(
    ("taste", "n", "parts"), [([0.5, 0.5], 6, (3, 3)), ([0.75, 0.25], 8, (6, 2))]
)
def test_calibration_gives_each_genre_its_part(calibration, taste, n, parts):
    is_first = np.arange(20) < 10  # the better half is all of one genre
    genres = genre_distribution(np.column_stack((is_first, ~is_first)))
    pool = np.linspace(2, 1, 20), np.ones((20, 1))
    assert rerank(*pool, n, Weights(), genres=genres, taste=taste).tolist() == list(range(n))
    found = rerank(*pool, n, Weights(calibration=calibration), genres=genres, taste=taste)
    assert (is_first[found].sum(), (~is_first[found]).sum()) == parts


def test_novelty_alone_is_the_order_of_what_few_people_know():
    information = [1.0, 4.0, 4.0, 9.0, 0.0]
    pool = [5.0, 4.0, 3.0, 2.0, 1.0], np.ones((5, 1))
    assert rerank(*pool, 5, Weights(novelty=1), information=information).tolist() == [3, 1, 2, 0, 4]
    # halves: .5 + .06, .375 + .22, .25 + .22, .125 + .5, 0
    found = rerank(*pool, 5, Weights(novelty=0.5), information=information)
    assert found.tolist() == [3, 1, 0, 2, 4]


def test_a_weight_of_one_leaves_nothing_else():
    scores, vectors = [4.0, 3.0, 2.0], circle(0, 0, 90)
    genres = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    others = {"information": [0.0, 1.0, 9.0], "genres": genres, "taste": [1.0, 0.0]}
    assert rerank(scores, vectors, 3, Weights(1, 1, 0), **others).tolist() == [0, 2, 1]
    assert rerank(scores, vectors, 3, Weights(1, 1, 1), **others).tolist() == [1, 0, 2]


def test_an_unknown_taste_and_movies_without_genres_are_no_obstacle():
    scores, vectors = [3.0, 2.0, 1.0], np.eye(3)
    nothing = np.zeros((3, 2))
    for taste in ([0.0, 0.0], [0.5, 0.5]):
        found = rerank(scores, vectors, 3, Weights(calibration=1), genres=nothing, taste=taste)
        assert found.tolist() == [0, 1, 2]


@pytest.mark.parametrize("seed", range(10))
def test_equal_movies_come_in_the_order_of_their_places(seed):
    # Each vector twice; a processor adds in another order for the second: the last bits differ.
    once = np.random.default_rng(seed).normal(size=(5, 16)).astype(np.float32)
    vectors = np.concatenate((once, once))
    found = rerank(np.ones(10), vectors, 10, Weights(diversity=0.5))
    at = np.argsort(found)
    assert (at[:5] < at[5:]).all()


def test_whether_anything_counts():
    assert not Weights().any
    assert Weights(diversity=0.1).any
    assert Weights(novelty=0.1).any
    assert Weights(calibration=np.float32(0.5)).any
