import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recommender.top_k import top_k

# Few distinct values, so that ties are the rule.
scores = hnp.arrays(np.float32, st.integers(0, 40), elements=st.sampled_from([-2, -1, 0, 0.5, 3]))


def full_sort(values, n, allowed):
    rows = [row for row in range(len(values)) if allowed is None or allowed[row]]
    return sorted(rows, key=lambda row: (-values[row], row))[:n]


@given(scores, st.integers(1, 50), st.data())
def test_it_is_the_head_of_a_full_stable_sort(values, n, data):
    allowed = data.draw(st.none() | hnp.arrays(np.bool_, len(values)))
    assert top_k(values, n, allowed).tolist() == full_sort(values, n, allowed)
