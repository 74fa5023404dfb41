"""The stored matrix: nothing lost, nothing twice, and the same for whoever reads it."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from benchmarks.training import matrix
from benchmarks.training.launch import ROOT
from recommender.data.synthetic import SHAPES, planted_ratings


def random_matrix(seed, n_users=30, n_items=40):
    rated = np.random.default_rng(seed).random((n_users, n_items)) < 0.3
    rated[0] = False
    rated[-1, -1] = True
    return csr_matrix(rated.astype(np.float32))


def dense(n_users, n_items, indptr, indices, rows=None):
    found = np.zeros((n_users, n_items), dtype=int)
    rows = np.arange(n_users) if rows is None else rows
    np.add.at(found, (np.repeat(rows, np.diff(indptr)), indices), 1)
    return found


@given(st.integers(0, 10_000))
def test_held_out_and_kept_are_the_whole(seed):
    whole = random_matrix(seed)
    stored = matrix.hold_out(whole, "some", "made up")
    kept = dense(*whole.shape, stored.indptr, stored.indices)
    held = dense(*whole.shape, stored.held_indptr, stored.held_indices, stored.judges)
    assert ((kept + held) == whole.toarray()).all()
    assert (held.sum(axis=1) == np.floor(np.diff(whole.indptr) / 5)).all()
    assert (stored.about.n_ratings, stored.about.n_held_out) == (kept.sum(), held.sum())
    assert (np.diff(stored.held_indptr) > 0).all()


def test_no_more_judges_than_are_wanted(monkeypatch):
    monkeypatch.setattr(matrix, "JUDGES", 4)
    stored = matrix.hold_out(random_matrix(1), "some", "made up")
    assert len(stored.judges) == 4
    assert len(stored.held_indptr) == 5


def test_what_is_written_is_read(tmp_path):
    stored = matrix.hold_out(random_matrix(2), "some", "made up")
    assert matrix.load_about(tmp_path / "here") is None
    matrix.write(tmp_path / "here", stored)
    again = matrix.load(tmp_path / "here")
    assert again.about == stored.about == matrix.load_about(tmp_path / "here")
    for name in ("indptr", "indices", "judges", "held_indptr", "held_indices"):
        assert (getattr(again, name) == getattr(stored, name)).all(), name
    handed = again.filled(11.0)
    assert handed.dtype == np.float32
    assert handed.indices.dtype == handed.indptr.dtype == np.int32, (
        "what the peers are compiled for"
    )
    assert set(handed.data) == {11.0}
    assert handed.indices.flags.writeable, "implicit refuses arrays that are read-only"
    assert np.shares_memory(handed.indices, again.indices), "nobody pays for a copy"


def test_pairs_that_stand_twice_count_once():
    found = matrix.from_pairs(np.array([2, 0, 2, 2]), np.array([1, 3, 1, 0]))
    assert found.shape == (3, 4)
    assert [list(row) for row in np.split(found.indices, found.indptr[1:-1])] == [[3], [], [0, 1]]


def test_the_generated_matrix_is_the_one_that_everybody_generates():
    found = matrix.generate("ml-1m")  # more than one block
    planted = planted_ratings(SHAPES["ml-1m"])
    assert found.shape == (6_040, 3_706)
    assert found.nnz == 1_000_209
    assert (found != matrix.from_pairs(planted.users, planted.items)).nnz == 0


@pytest.mark.parametrize("form", ["npz", "csv"])
def test_files_are_read_in_a_process_of_their_own(tmp_path, form):
    users, items = np.nonzero(random_matrix(5).toarray())
    file = tmp_path / f"given.{form}"
    if form == "npz":
        np.savez(file, users=users, items=items)
    else:
        rows = [f"{user},{item},3.5" for user, item in zip(users, items, strict=True)]
        file.write_text("\n".join(["user,item,rating", *rows]) + "\n")
    module = [sys.executable, "-m", "benchmarks.training.matrix", tmp_path / "out"]
    subprocess.run([*module, "--name", "some", "--data", file], check=True, cwd=ROOT)
    stored = matrix.load(tmp_path / "out")
    assert stored.about.n_ratings + stored.about.n_held_out == len(users)
    assert stored.about.name == "some"
