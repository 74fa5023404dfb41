"""Files of published experiments, as small ones of the same form, become plain CSV."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from benchmarks.published_files import _a_fifth_of_each, liang
from benchmarks.training.launch import ROOT


def convert(kind, source, target):
    command = [sys.executable, "-m", "benchmarks.published_files", kind, source, target]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_five_folds_of_movielens_100k(tmp_path):
    for fold in range(1, 6):
        (tmp_path / f"u{fold}.base").write_text(f"1\t{fold}\t5\t874965758\n2\t7\t3\t874965759\n")
        (tmp_path / f"u{fold}.test").write_text("1\t9\t4\t874965760\n")
    done = convert("movielens-100k", tmp_path, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").iterdir())) == 10
    written = (tmp_path / "out" / "u3.train.csv").read_text()
    assert written == "user,item,rating,timestamp\n1,3,5,874965758\n2,7,3,874965759\n"


def test_the_files_of_neural_collaborative_filtering(tmp_path):
    (tmp_path / "ml-1m.train.rating").write_text("0\t32\t4\t978824330\n0\t34\t4\t978824330\n")
    (tmp_path / "ml-1m.test.rating").write_text("0\t25\t5\t978824351\n")
    (tmp_path / "ml-1m.test.negative").write_text("(0,25)\t1064\t174\t2791\n")
    done = convert("ncf", tmp_path, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "negatives.csv").read_text() == "user,item\n0,1064\n0,174\n0,2791\n"
    assert (tmp_path / "out" / "test.csv").read_text().endswith("\n0,25,5,978824351\n")


def test_lines_of_a_user_and_all_items(tmp_path):
    (tmp_path / "train.txt").write_text("0 3 5 8\n1 3\n2\n")  # one user of Gowalla has no item
    (tmp_path / "test.txt").write_text("0 9\n")
    done = convert("lightgcn", tmp_path, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "train.csv").read_text() == "user,item\n0,3\n0,5\n0,8\n1,3\n"


def test_ninety_to_ten(tmp_path):
    rows = [
        f"{user}::{item}::{item % 5 + 1}::{user + item}"
        for user in range(1, 21)
        for item in range(1, 11)
    ]
    (tmp_path / "ratings.dat").write_text("\n".join(rows) + "\n")
    (tmp_path / "movies.dat").write_text("".join(f"{n}::A (1990)::Drama\n" for n in range(1, 11)))
    done = convert("random-90-10", tmp_path, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    train, test = (pl.read_csv(tmp_path / "out" / f"{part}.csv") for part in ("train", "test"))
    assert (train.height, test.height) == (180, 20)
    both = pl.concat([train, test]).sort("user", "item").rows()
    assert both == sorted(tuple(map(int, row.split("::"))) for row in rows)


@pytest.mark.parametrize(
    ("kind", "files", "said"),
    [
        ("ncf", {}, "should hold one file *.train.rating; it holds 0"),
        ("lightgcn", {}, "train.txt"),
        ("lightgcn", {"train.txt": "0 x\n"}, "'x'"),
        ("movielens-100k", {"u1.base": "1\t2\t3\n"}, "3 columns instead of user, item"),
        ("liang", {"ratings.csv": "userId,movieId,rating\n1,1,5\n"}, "too few"),
        ("ncf", {"a.train.rating": "1\t2\t3\t4\n", "a.test.rating": "1\t2\t3\t4\n",
                 "a.test.negative": "1,2\t3\n"}, "a.test.negative:1: expected (user,item)"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_form_is_refused(tmp_path, kind, files, said):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = convert(kind, tmp_path, tmp_path / "out")
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def liang_by_hand(rows, n_users):
    """Do what the notebook of the paper does, without a data frame."""
    liked = [(user, item) for user, item, rating in rows if rating > 3.5]
    counts = {user: sum(u == user for u, _ in liked) for user, _ in liked}
    liked = [(user, item) for user, item in liked if counts[user] >= 5]
    users = sorted({user for user, _ in liked})
    np.random.seed(98765)  # noqa: NPY002 - the published draws are of this generator
    users = [users[place] for place in np.random.permutation(len(users))]  # noqa: NPY002
    train = [row for row in liked if row[0] in users[: -2 * n_users]]
    known_items = {item for _, item in train}
    held = []
    np.random.seed(98765)  # noqa: NPY002
    for user in sorted(users[-n_users:]):
        own = [row for row in liked if row[0] == user and row[1] in known_items]
        if len(own) >= 5:
            size = int(0.2 * len(own))
            places = np.random.choice(len(own), size=size, replace=False)  # noqa: NPY002
            held += [own[place] for place in sorted(places)]
    return train, held


def test_users_are_held_out_as_in_the_paper(tmp_path):
    draws = np.random.default_rng(0)
    rows = [
        (user, int(item), float(draws.integers(1, 11)) / 2)
        for user in range(1, 61)
        for item in draws.choice(80, 30, replace=False)
    ]
    text = "".join(f"{user},{item},{rating},1\n" for user, item, rating in rows)
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + text)
    found = {name: table.rows() for name, table in liang(tmp_path, 0, n_users=15)}
    train, held = liang_by_hand(rows, 15)
    assert found["train.csv"] == train
    assert found["test.held.csv"] == held
    assert len(held) > 15
    assert not set(found["test.known.csv"]) & set(held)
    assert not {user for user, _ in found["train.csv"]} & {user for user, _ in held}


def test_who_has_fewer_than_five_keeps_all():
    held = _a_fifth_of_each(np.repeat([3, 4, 9], [4, 5, 25]))
    assert [int(held[:4].sum()), int(held[4:9].sum()), int(held[9:].sum())] == [0, 1, 5]
