"""BLAS is held to one thread while anybody needs it, and given back after the last."""

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from recommender.solvers.threads import available_threads, single_threaded_blas

np.ones((2, 2)) @ np.ones((2, 2))  # BLAS is loaded


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
