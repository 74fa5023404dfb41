"""The one function that every program minimizes here, and which options make it theirs.

All ratings weigh alike, c = 1. Ours, with α0 the weight of all pairs, rated or not:

    L(W, H) = Σ_observed (w_u·h_i - 1)² + α0 Σ_all (w_u·h_i)²
              + λ Σ_u (n_u + α0·|I|)^ν ‖w_u‖² + λ Σ_i (n_i + α0·|U|)^ν ‖h_i‖²

**irspack** (``loss_type="IALSPP"``) minimizes L/2 for stored values of 1, with the same α0, the
same λ (``reg``) and any ν (``nu``): the options pass unchanged. Its other loss,
``loss_type="ORIGINAL"``, adds α0 to each stored value and is not used.

**implicit** counts an unrated pair with the weight 1, a rated one with the stored value C *in
place of* that and not in addition, and never scales λ, so ν = 0:

    M(X, Y) = Σ_observed C (x_u·y_i - 1)² + Σ_unobserved (x_u·y_i)² + μ (Σ‖x_u‖² + Σ‖y_i‖²)

In L a rated pair contributes ``(1 + α0)(ŷ - 1/(1 + α0))² + α0/(1 + α0)``: relative to an unrated
one, (1 + α0)/α0 as much, and drawn to 1/(1 + α0) where implicit draws it to 1. With s = 1 + α0,

    C = s/α0,   μ = λ·s/α0,   x = √s·w,   y = √s·h

the two are one function but for a factor and a constant, for n ratings:

    L(W, H) = (α0/s²)·M(√s·W, √s·H) + n·α0/s

So implicit's factors, divided by √s, are compared in L like everybody's, and its rankings are
untouched by the division.

This file computes no loss (``loss.py`` does): a worker reads it while a peer's memory is measured,
and must not load our compiler for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

REGULARIZATION = 0.003
"""λ at ν = 1: the default of ``ImplicitALS``."""

UNOBSERVED_WEIGHT = 0.1
"""α0: the default of ``ImplicitALS``."""


@dataclass(frozen=True)
class Objective:
    """L, for one choice of its three numbers.

    Attributes
    ----------
    regularization, unobserved_weight, frequency_scaling
        λ, α0 and ν.
    """

    regularization: float = REGULARIZATION
    unobserved_weight: float = UNOBSERVED_WEIGHT
    frequency_scaling: float = 1.0

    @classmethod
    def for_matrix(cls, n_users: int, n_items: int, n_ratings: int, scaling: float) -> Objective:
        """Return L at ν = 0 or ν = 1 with the same regularization in total.

        ``λ Σ_r (n_r + α0·m)^ν`` over the rows of both sides shall not depend on ν: then one
        number suits both (Rendle, Krichene, Zhang, Koren 2021, section 3.3, on ν*).
        """
        if scaling == 1.0:
            return cls()
        if scaling != 0.0:
            raise ValueError(f"the scaling must be 0 or 1; found {scaling}")
        total = 2 * n_ratings + 2 * UNOBSERVED_WEIGHT * n_users * n_items
        return cls(REGULARIZATION * total / (n_users + n_items), UNOBSERVED_WEIGHT, 0.0)

    @property
    def implicit_stretch(self) -> float:
        """s: what implicit's scores are in units of ours."""
        return 1 + self.unobserved_weight

    @property
    def implicit_confidence(self) -> float:
        """C: the value that implicit has to find in the matrix."""
        return self.implicit_stretch / self.unobserved_weight

    @property
    def implicit_regularization(self) -> float:
        """μ."""
        return self.regularization * self.implicit_stretch / self.unobserved_weight

    def ridge(self, counts: NDArray[np.int64], n_columns: int) -> NDArray[np.float64]:
        """(n,) float64 ``λ (n_r + α0·m)^ν``."""
        mass = counts + self.unobserved_weight * n_columns
        scaled: NDArray[np.float64] = self.regularization * np.power(mass, self.frequency_scaling)
        return scaled
