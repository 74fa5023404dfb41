"""One side of a Bayesian factorization while it is drawn: vectors, biases, and their prior.

The vector of a row and its bias come from one normal distribution N(m + xβ, Λ⁻¹), where x are the
row's features. Mean, precision and β have priors of their own that say next to nothing, and are
drawn as well: nobody has to choose a regularization. The bias is one more coordinate, which meets
a 1 on the other side.

Sources: Salakhutdinov, Mnih, "Bayesian Probabilistic Matrix Factorization using Markov Chain Monte
Carlo" (2008); Simm, Arany, Zakeri, Haber, Wegner, Chupakhin, Ceulemans, Moreau, "Macau: Scalable
Bayesian Factorization with High-Dimensional Side Information Using MCMC" (2017) for the features.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from recommender.solvers.instructions import padded
from recommender.solvers.sampling import Linked, draw

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

_CERTAINTY = 2.0
"""β0 of the prior: the mean is believed to be 0 as if that many rows had said so."""


@dataclass(eq=False)
class Prior:
    """N(mean + features · slopes, precision⁻¹), with everything in it drawn.

    Attributes
    ----------
    features, sizes
        (n, r) orthonormal columns and (r,) how long each is; r may be 0.
    mean, precision, slopes, tightness
        (d,), (d, d), (r, d) and one number: the newest draws.
    """

    features: NDArray[np.float64]
    sizes: NDArray[np.float64]
    mean: NDArray[np.float64]
    precision: NDArray[np.float64]
    slopes: NDArray[np.float64]
    tightness: float = 5.0

    @classmethod
    def begin(cls, features: NDArray[np.float64], sizes: NDArray[np.float64], d: int) -> Prior:
        """Return the prior that the first draw of the rows is made with."""
        return cls(features, sizes, np.zeros(d), 10 * np.eye(d), np.zeros((len(sizes), d)))

    def means(self) -> NDArray[np.float64]:
        """(n, d) the mean of each row."""
        return self._shifts() + self.mean

    def _shifts(self) -> NDArray[np.float64]:
        """(n, d) what the features of each row add to the mean."""
        shifts: NDArray[np.float64] = self.features @ (self.sizes[:, None] * self.slopes)
        return shifts

    def draw(self, rows: NDArray[np.float64], random: Generator) -> None:
        """Draw the prior anew, given the rows."""
        n, d = rows.shape
        left = rows - self._shifts()
        average = left.mean(axis=0)
        centred = left - average
        # The normal-Wishart distribution of mean and precision, and of the slopes as in Macau.
        scale = np.eye(d) + centred.T @ centred
        scale += _CERTAINTY * n / (_CERTAINTY + n) * np.outer(average, average)
        scale += self.tightness * self.slopes.T @ self.slopes
        root = np.linalg.cholesky(np.linalg.inv(scale))
        self.precision = wishart(d + n + len(self.sizes), root, random)
        self.mean = n * average / (_CERTAINTY + n)
        self.mean += self._normal(1, random)[0] / np.sqrt(_CERTAINTY + n)
        if len(self.sizes):
            self._draw_slopes(rows - self.mean, random)

    def _draw_slopes(self, centred: NDArray[np.float64], random: Generator) -> None:
        r, d = self.slopes.shape
        certainty = (np.square(self.sizes) + self.tightness)[:, None]
        self.slopes = self.sizes[:, None] * (self.features.T @ centred) / certainty
        self.slopes += self._normal(r, random) / np.sqrt(certainty)
        length = float(np.einsum("rd,de,re->", self.slopes, self.precision, self.slopes))
        self.tightness = float(random.gamma(1 + 0.5 * r * d, 1 / (1 + 0.5 * length)))

    def _normal(self, n: int, random: Generator) -> NDArray[np.float64]:
        """(n, d) draws of N(0, precision⁻¹)."""
        root = np.linalg.cholesky(self.precision)
        draws: NDArray[np.float64] = np.linalg.solve(
            root.T, random.standard_normal((len(root), n))
        ).T
        return draws


def wishart(degrees: int, root: NDArray[np.float64], random: Generator) -> NDArray[np.float64]:
    """Draw from the Wishart distribution of the scale ``root·rootᵀ`` (Bartlett 1933)."""
    d = len(root)
    lower = np.tril(random.standard_normal((d, d)), -1)
    lower[np.diag_indices(d)] = np.sqrt(random.chisquare(degrees - np.arange(d)))
    half = root @ lower
    drawn: NDArray[np.float64] = half @ half.T
    return drawn


@dataclass(eq=False)
class Side:
    """The users, or the items.

    Attributes
    ----------
    linked
        Who rated what, and what the products should be.
    prior
        Where the rows come from.
    drawn
        (n, k') float32: k factors, the bias, and zeros up to a multiple of the vector width.
    k
        How many factors there are.
    """

    linked: Linked
    prior: Prior
    k: int
    drawn: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        self.drawn = np.zeros((self.linked.matrix.n_rows, padded(self.k + 1)), np.float32)

    @property
    def factors(self) -> NDArray[np.float32]:
        """(n, k) a view."""
        return self.drawn[:, : self.k]

    @property
    def biases(self) -> NDArray[np.float32]:
        """(n,) a view."""
        return self.drawn[:, self.k]

    def met(self) -> NDArray[np.float32]:
        """(n, k') the rows as the other side meets them: 1 in the place of the bias."""
        seen = self.drawn.copy()
        seen[:, self.k] = 1
        return seen

    def draw(self, other: Side, noise_precision: float, random: Generator) -> None:
        """Draw each row, given the other side and the prior."""
        d, width = self.k + 1, self.drawn.shape[1]
        precision = np.eye(width, dtype=np.float32)
        precision[:d, :d] = self.prior.precision / noise_precision
        self.drawn[:, :d] = self.prior.means() @ (self.prior.precision / noise_precision)
        noise = np.zeros_like(self.drawn)
        noise[:, :d] = random.standard_normal((len(noise), d), dtype=np.float32)
        noise *= np.float32(1 / np.sqrt(noise_precision))
        ridge = np.zeros(len(noise), np.float32)
        draw(self.linked, other.met(), other.biases.copy(), precision, ridge, noise, self.drawn)
