"""What the mere set of someone's ratings says of him, as a few numbers.

SVD++ (Koren, "Factorization Meets the Neighborhood", 2008) gives each user, beside the vector of
his own, ``Σ_{i rated} s_i / √n``: a linear map of the row ``1/√n`` where he has rated. Here the
rows are first brought to their leading singular directions. What is left out weighs little, and
with directions that are orthogonal the map is drawn exactly, one direction at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import SparseRows

DIRECTIONS = 64
"""How many are kept: between 16 and 256 it hardly mattered (docs/decisions/0012)."""


def implicit_features(rows: SparseRows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the leading left singular vectors of the rows ``1/√n`` where there is an entry.

    Parameters
    ----------
    rows
        (n, m) sparse; values are not looked at.

    Returns
    -------
    (n, r) orthonormal columns and (r,) singular values, largest first; r is at most
    :data:`DIRECTIONS`, and less than n and m.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.linalg import svds

    counts = np.diff(rows.indptr)
    shape = rows.n_rows, rows.n_columns
    values = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts)
    matrix = csr_matrix((values, rows.indices.astype(np.int32), rows.indptr), shape=shape)
    # A start of its own: the answer is then the same every time.
    start = np.random.default_rng(0).standard_normal(min(shape))
    left, sizes, _ = svds(matrix, min(DIRECTIONS, min(shape) - 1), v0=start)
    kept = np.argsort(-sizes)
    kept = kept[sizes[kept] > 1e-6 * max(sizes.max(), 1e-300)]
    return np.ascontiguousarray(left[:, kept]), sizes[kept]
