"""Epochs that carry on in the direction of the last one: half as many are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(eq=False)
class Momentum:
    """Carry the items on in the direction in which they moved, as long as the loss falls.

    Nesterov's sequence with a restart when a step went too far; that step is then undone, so
    that the loss never rises. Mitchell, Ye, De Sterck, "Nesterov acceleration of alternating
    least squares for canonical tensor decomposition" (2020).
    """

    step: int = 1
    newest: NDArray[np.float32] | None = None
    carried: bool = False

    def carry(self, items: NDArray[np.float32]) -> None:
        """Move the items, in place, beyond where the last epoch brought them."""
        previous, self.newest = self.newest, items.copy()
        if previous is None:
            return
        self.step += 1
        np.subtract(items, previous, out=previous)
        previous *= np.float32((self.step - 1) / (self.step + 2))
        items += previous
        self.carried = True

    def undo(self, items: NDArray[np.float32]) -> None:
        """Put the items back where the last epoch brought them, and start slowly again."""
        items[:] = self.newest
        self.step, self.carried = 1, False
