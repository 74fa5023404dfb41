"""BLAS is held to one thread while anybody needs it, and given back after the last."""

import os

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from recommender.solvers import threads
from recommender.solvers.threads import (
    available_threads,
    deal_rows,
    run_shares,
    single_threaded_blas,
)

np.ones((2, 2)) @ np.ones((2, 2))  # BLAS is loaded


@pytest.fixture(autouse=True)
def _libraries_are_looked_for_now():
    """Another test may have loaded a second BLAS, SciPy's, since they were looked for."""
    threads._controller.cache_clear()


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_blocks_that_overlap_share_one_limit():
    with threadpool_limits(limits=3, user_api="blas"):
        before = blas_threads()
        assert before == {3}
        first, second = single_threaded_blas(), single_threaded_blas()
        first.__enter__()
        second.__enter__()
        assert blas_threads() == {1}
        first.__exit__(None, None, None)
        assert blas_threads() == {1}  # the second still needs it
        second.__exit__(None, None, None)
        assert blas_threads() == before


def test_an_error_inside_gives_it_back():
    with threadpool_limits(limits=3, user_api="blas"):
        try:
            with single_threaded_blas():
                raise RuntimeError
        except RuntimeError:
            pass
        assert blas_threads() == {3}


def test_there_is_a_thread():
    assert available_threads() >= 1


@pytest.mark.parametrize("threads", [1, 3, 150])
def test_rows_are_dealt_once_each_and_evenly(threads):
    indptr = np.concatenate(([0], np.cumsum(np.arange(100))))
    shares = deal_rows(indptr, threads)
    assert len(shares) == threads
    assert sorted(np.concatenate(shares).tolist()) == list(range(100))
    loads = [np.diff(indptr)[share].sum() for share in shares]
    assert max(loads) - min(loads) <= 99


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_the_order_of_the_shares_and_errors_come_out(threads):
    shares = [np.array([share]) for share in range(threads)]
    assert run_shares(lambda rows: int(rows[0]), shares) == list(range(threads))
    with pytest.raises(ZeroDivisionError):
        run_shares(lambda rows: 1 // int(rows[0]), shares)


def test_a_child_that_was_forked_while_blas_was_held_holds_it_for_itself():
    """Otherwise it would compute with BLAS's own threads, which a fork does not copy: it hangs."""
    with single_threaded_blas():
        child = os.fork()
        if child == 0:
            with threadpool_limits(limits=2, user_api="blas"):  # as it is before anybody holds it
                with single_threaded_blas():
                    held = blas_threads() == {1}
                os._exit(0 if held and blas_threads() == {2} else 1)
        assert os.waitpid(child, 0)[1] == 0
