"""What a model minimizes, as one row of it sees it.

Both losses lead to the same kind of equation for a row r with the entries j,
``(gram + Σ_j w_j x_j x_jᵀ + ridge_r·I) y_r = Σ_j t_j x_j``; they differ in what w, t, gram and
ridge are. This file says what they are, once, for training, folding in and explaining alike.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from recommender.data.weighting import WEIGHTINGS, Weighting, confidence
from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Objective(Protocol):
    """What training, folding in and explaining ask of a loss."""

    @property
    def bias_unit(self) -> float:
        """What a user's bias is counted in: an item meets its coordinate with that number."""

    def gram(self, other: NDArray[np.float32]) -> NDArray[np.float32]:
        """(k, k) what every row shares, given the side that stands still."""

    def weights(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n,) w of each rating."""

    def goals(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n,) what score each rating asks for, biases included."""

    def targets(
        self, values: NDArray[np.float32], baselines: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """(n,) t of each rating, given what the other side's biases already say of it."""

    def ridge(self, counts: NDArray[np.int64] | int, n_columns: int) -> NDArray[np.float32]:
        """(n,) the regularization of rows with so many ratings."""


@dataclass(frozen=True)
class ImplicitObjective:
    """Rated movies score 1, all others 0 (Rendle, Krichene, Zhang, Koren 2021, equation 1).

    ``Σ_observed c(ŷ-1)² + α0·Σ_all ŷ²``
    ``+ λ Σ_u (n_u + α0·|I|)^ν ‖w_u‖² + λ Σ_i (n_i + α0·|U|)^ν ‖h_i‖²``

    The power is 2 where a manifest says none: it was once the only one.
    """

    regularization: float
    unobserved_weight: float
    frequency_scaling: float
    weighting: Weighting
    typical_value: float
    weight_power: float = 2.0

    @property
    def bias_unit(self) -> float:
        """1: there are no biases."""
        return 1.0

    def gram(self, other: NDArray[np.float32]) -> NDArray[np.float32]:
        """(k, k) ``α0·OᵀO``: what all pairs, rated or not, say."""
        gram: NDArray[np.float32] = np.float32(self.unobserved_weight) * (other.T @ other)
        return gram

    def weights(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n,) the confidence c of each rating."""
        return confidence(values, self.weighting, self.typical_value, self.weight_power)

    def goals(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n,) ones."""
        return np.ones(len(values), dtype=np.float32)

    def targets(
        self,
        values: NDArray[np.float32],
        baselines: NDArray[np.float32],  # noqa: ARG002 - there are no biases here
    ) -> NDArray[np.float32]:
        """(n,) ``c · 1``."""
        return self.weights(values)

    def ridge(self, counts: NDArray[np.int64] | int, n_columns: int) -> NDArray[np.float32]:
        """(n,) ``λ (n_r + α0·m)^ν``."""
        mass = np.asarray(counts) + self.unobserved_weight * n_columns
        scaled: NDArray[np.float32] = (
            self.regularization * np.power(mass, self.frequency_scaling)
        ).astype(np.float32)
        return scaled


class _Stars:
    """Every rating weighs alike, and its stars are what the score should be."""

    def weights(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n,) ones."""
        return np.ones(len(values), dtype=np.float32)

    def goals(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n,) the stars."""
        return values

    def targets(
        self, values: NDArray[np.float32], baselines: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """(n,) what is left of the stars when mean and the other side's bias are taken off."""
        return (values - baselines).astype(np.float32)


@dataclass(frozen=True)
class ExplicitObjective(_Stars):
    """Stars are predicted as mean + biases + dot product; only rated pairs speak.

    ``Σ_observed (μ + b_u + b_i + w_u·h_i - r)²``
    ``+ λ Σ_u n_u^ν (‖w_u‖² + b_u²) + λ Σ_i n_i^ν (‖h_i‖² + b_i²)``
    (Koren, Bell, Volinsky 2009; λ scaled by counts as in Zhou, Wilkinson, Schreiber, Pan 2008).
    """

    regularization: float
    frequency_scaling: float

    @property
    def bias_unit(self) -> float:
        """1: biases are in stars."""
        return 1.0

    def gram(self, other: NDArray[np.float32]) -> NDArray[np.float32]:
        """(k, k) zero: unrated pairs say nothing."""
        return np.zeros((other.shape[1], other.shape[1]), dtype=np.float32)

    def ridge(
        self,
        counts: NDArray[np.int64] | int,
        n_columns: int,  # noqa: ARG002 - unrated pairs say nothing
    ) -> NDArray[np.float32]:
        """(n,) ``λ n_r^ν``."""
        scaled: NDArray[np.float32] = (
            self.regularization * np.power(np.asarray(counts, np.float64), self.frequency_scaling)
        ).astype(np.float32)
        return scaled


@dataclass(frozen=True)
class GaussianObjective(_Stars):
    """Stars again, where users are N(0, I) and items are known up to a variance.

    ``Σ_observed [(μ + b_u + b_i + w_u·h_i - r)² + s ‖w_u‖²] + σ² ‖w_u‖² + σ²/σ_b² b_u²``: its
    minimum is the mean of the user's distribution. Without s, vectors of items that are means
    over draws would be trusted as if they were exact. What a bias meets is exact: it is counted
    in a unit so large that s, which is added for all coordinates alike, does not touch it.

    Attributes
    ----------
    noise_variance
        σ², in squared stars.
    item_variance
        s: the variance of a coordinate of an item, in squared stars.
    bias_variance
        σ_b²: that of a user's bias.
    bias_unit
        In stars, many times what stars differ by.
    """

    noise_variance: float
    item_variance: float
    bias_variance: float
    bias_unit: float

    def gram(self, other: NDArray[np.float32]) -> NDArray[np.float32]:
        """(k+1, k+1) zero but for the bias, which has a prior of its own width."""
        gram = np.zeros((other.shape[1], other.shape[1]), dtype=np.float32)
        widths = self.bias_unit**2 / self.bias_variance
        gram[-1, -1] = self.noise_variance * (widths - 1)
        return gram

    def ridge(
        self,
        counts: NDArray[np.int64] | int,
        n_columns: int,  # noqa: ARG002 - unrated pairs say nothing
    ) -> NDArray[np.float32]:
        """(n,) ``σ² + s n_r``."""
        scaled: NDArray[np.float32] = (
            self.noise_variance + self.item_variance * np.asarray(counts, np.float64)
        ).astype(np.float32)
        return scaled


AnyObjective: TypeAlias = ImplicitObjective | ExplicitObjective | GaussianObjective

_KINDS: dict[str, type[AnyObjective]] = {
    "implicit": ImplicitObjective,
    "explicit": ExplicitObjective,
    "gaussian": GaussianObjective,
}


def to_json(objective: AnyObjective) -> dict[str, Any]:
    """Return the objective as plain values, for a manifest."""
    kind = next(name for name, class_ in _KINDS.items() if isinstance(objective, class_))
    return {"kind": kind, **asdict(objective)}


def from_json(fields: dict[str, Any]) -> AnyObjective:
    """Read what :func:`to_json` gave.

    Raises
    ------
    InvalidInputError
        When the fields are not those of an objective, or one cannot be what it says.
    """
    given = dict(fields)
    kind = given.pop("kind", None)
    try:
        objective = _KINDS[kind](**given)
    except (KeyError, TypeError) as error:
        raise InvalidInputError(f"this is no objective: {fields!r} ({error})") from None
    for name, value in asdict(objective).items():
        _check_field(name, value)
    return objective


_DIVISORS = {"typical_value", "noise_variance", "bias_variance", "bias_unit"}


def _check_field(name: str, value: Any) -> None:
    if name == "weighting":
        if value not in WEIGHTINGS:
            raise InvalidInputError(f"weighting must be {' or '.join(WEIGHTINGS)}; found {value!r}")
        return
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (number and isfinite(value) and value >= 0):
        raise InvalidInputError(f"{name} must be a number of at least 0; found {value!r}")
    if name in _DIVISORS and value == 0:
        raise InvalidInputError(f"{name} must be a number above 0; found 0")
