"""What is asked, and how a row is written."""

from contextlib import ExitStack

import pytest

from benchmarks.serving import asked, bare, over_http
from benchmarks.serving.servers import two_cores
from benchmarks.serving.world import Served, as_text
from benchmarks.serving.wrk import Request, Run
from recommender import Ratings


@pytest.fixture(scope="module")
def served():
    ratings = Ratings.from_arrays(range(50), [1] * 50, [3] * 50)
    return Served(as_text(ratings), 0, 0)


def test_a_row_holds_medians_and_how_far_runs_spread():
    runs = [Run(rate, rate / 100, rate / 10, 999, 700) for rate in (120.0, 100.0, 170.0)]
    row = over_http.line_of("ours", 16, runs, "0.75")
    assert row == "| ours | 16 | 120 (100 to 170) | 0.75 | 1.20 | 12.00 | 700 |"


def test_users_are_drawn_the_same_each_time_and_all_of_them(served):
    drawn = asked.random_users(served, 2_000, seed=1)
    assert drawn == asked.random_users(served, 2_000, seed=1)
    assert drawn != asked.random_users(served, 2_000, seed=2)
    assert set(drawn) == {f"{user:02}" for user in range(1, 51)}


def test_ratings_to_put_are_on_the_scale(served):
    requests = asked.ratings_to_put(served)
    assert {request.method for request in requests} == {"PUT"}
    assert {request.body["rating"] for request in requests} == {half / 2 for half in range(1, 11)}
    assert requests[0].path.startswith("/v1/users/")
    assert requests[0].path.endswith("/ratings/1")


def test_every_variant_of_the_bar_answers_with_the_very_json(tmp_path):
    answer = '{"movies":[{"title":"Été"}]}'.encode()  # compact, as the service writes it
    cores = two_cores()
    if isinstance(cores, str):
        pytest.skip(cores)
    with ExitStack() as stack:
        ports = asked.start_bare(stack, tmp_path, cores, answer)
        for variant, port in ports.items():
            found = asked.call(port, Request(asked.bare_path(variant, "42")))
            assert found == (200, answer), variant
    assert list(ports) == list(bare.VARIANTS)
