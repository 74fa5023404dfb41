"""The matrix that all programs train on: written once, read by every worker in the same way.

Only *who rated what* is stored, because all ratings weigh alike here. The ratings that judge the
rankings are held out first: a fifth of the ratings of up to 5,000 users, drawn with a fixed seed,
so that a matrix of 20 million ratings stays one.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

JUDGES = 5_000
HELD_OUT = 0.2
SEED = 20


@dataclass(frozen=True)
class About:
    """What the matrix is.

    Attributes
    ----------
    name, source
        As the tables write it, and where it came from.
    n_ratings, n_held_out
        How many ratings are trained on, and how many judge.
    """

    name: str
    source: str
    n_users: int
    n_items: int
    n_ratings: int
    n_held_out: int


@dataclass(frozen=True, eq=False)
class Stored:
    """A matrix in memory: plain arrays that belong to nobody else.

    Attributes
    ----------
    indptr, indices
        (n_users + 1,) and (n_ratings,): the items of each user, to train on.
    judges
        (n_judges,) the users whose rankings are judged.
    held_indptr, held_indices
        (n_judges + 1,) and (n_held_out,): their items that were held out.
    """

    about: About
    indptr: NDArray[Any]
    indices: NDArray[np.int32]
    judges: NDArray[np.int64]
    held_indptr: NDArray[np.int64]
    held_indices: NDArray[np.int32]

    def filled(self, value: float) -> csr_matrix:
        """(n_users, n_items) float32 with one value wherever there is a rating."""
        values = np.full(len(self.indices), value, dtype=np.float32)
        shape = (self.about.n_users, self.about.n_items)
        return csr_matrix((values, self.indices, self.indptr), shape=shape)


_ARRAYS = ("indptr", "indices", "judges", "held_indptr", "held_indices")


def load(folder: Path) -> Stored:
    """Read a stored matrix into memory (no mapping: implicit refuses read-only arrays)."""
    about = About(**json.loads((folder / "about.json").read_text()))
    return Stored(about, *(np.load(folder / f"{name}.npy") for name in _ARRAYS))


def load_about(folder: Path) -> About | None:
    """Read what a folder holds; ``None`` when there is no whole matrix."""
    path = folder / "about.json"
    return About(**json.loads(path.read_text())) if path.exists() else None


def write(folder: Path, stored: Stored) -> None:
    """Write the arrays, and last the description that says that all is there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "about.json").unlink(missing_ok=True)
    for name in _ARRAYS:
        np.save(folder / f"{name}.npy", getattr(stored, name))
    (folder / "about.json").write_text(json.dumps(asdict(stored.about), indent=2) + "\n")


def hold_out(whole: csr_matrix, name: str, source: str) -> Stored:
    """Take the ratings away that judge."""
    generator = np.random.default_rng(SEED)
    counts = np.diff(whole.indptr)
    share = np.floor(counts * HELD_OUT + 1e-9).astype(np.int64)
    able = np.flatnonzero(share)
    judges = np.sort(generator.choice(able, min(JUDGES, len(able)), replace=False))
    kept = np.ones(whole.nnz, dtype=np.bool_)
    for user in judges:
        chosen = generator.choice(counts[user], share[user], replace=False)
        kept[whole.indptr[user] + chosen] = False
    left = counts.copy()
    left[judges] -= share[judges]
    n_users, n_items = whole.shape
    n_held = int(share[judges].sum())
    about = About(name, source, n_users, n_items, int(left.sum()), n_held)
    return Stored(
        about,
        np.concatenate(([0], np.cumsum(left))).astype(whole.indptr.dtype),
        whole.indices[kept],
        judges,
        np.concatenate(([0], np.cumsum(share[judges]))),
        whole.indices[~kept],
    )


def read(path: Path) -> csr_matrix:
    """Read a MovieLens folder or archive, a CSV file, or an ``.npz`` with ``users`` and ``items``.

    Raises
    ------
    ProjectionistError
        When the file is none that is known.
    """
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return from_pairs(arrays["users"], arrays["items"])
    from recommender import Ratings
    from recommender.data.dataset import read_dataset

    ratings = Ratings.from_frame(read_dataset(path).ratings)
    return from_pairs(ratings.user_rows, ratings.indices)


def from_pairs(users: NDArray[Any], items: NDArray[Any]) -> csr_matrix:
    """Sort pairs of row numbers into a matrix; a pair that stands there twice counts once."""
    shape = (int(users.max()) + 1, int(items.max()) + 1)
    # SciPy adds up the ones of such a pair. Nobody reads the sum: see Stored.filled.
    return csr_matrix((np.ones(len(users), np.float32), (users, items)), shape=shape)


def generate(name: str) -> csr_matrix:
    """Plant who rates what, in the shape of a known data set, as ``projectionist generate`` does.

    Raises
    ------
    InvalidOptionError
        When there is no such shape.
    """
    from recommender.data.synthetic import PlantedWorld, named_shape

    shape = named_shape(name)
    items, counts = np.empty(shape.n_ratings, np.int32), np.zeros(shape.n_users, np.int64)
    end = 0
    for block in PlantedWorld.plant(shape).blocks(timestamps=False):  # by user, then by item
        begin, end = end, end + len(block.items)
        items[begin:end] = block.items
        counts += np.bincount(block.users, minlength=shape.n_users)
    indptr = np.concatenate(([0], np.cumsum(counts)))
    values = np.broadcast_to(np.float32(1), items.shape)
    return csr_matrix((values, items, indptr), shape=(shape.n_users, shape.n_items))


def main() -> None:
    """Write one matrix: a process of its own, so that what it needed is given back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", required=True)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--like", help="the shape of a known data set")
    source.add_argument("--data", type=Path)
    given = parser.parse_args()
    if given.like:
        whole, words = generate(given.like), f"generated like {given.like}"
    else:
        whole, words = read(given.data), f"read from {given.data.name}"
    write(given.folder, hold_out(whole, given.name, words))


if __name__ == "__main__":
    main()
