"""Epochs that carry on in the direction of the last one: half as many are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


_AT_ONCE = 1024
"""Rows that are moved at a time."""


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
        if self.newest is None:
            self.newest = items.copy()
            return
        self.step += 1
        share = np.float32((self.step - 1) / (self.step + 2))
        for begin in range(0, len(items), _AT_ONCE):  # a second copy of all would be the peak
            rows, newest = items[begin : begin + _AT_ONCE], self.newest[begin : begin + _AT_ONCE]
            moved = rows - newest
            newest[:] = rows
            moved *= share
            rows += moved
        self.carried = True

    def undo(self, items: NDArray[np.float32]) -> None:
        """Put the items back where the last epoch brought them, and start slowly again."""
        items[:] = self.newest
        self.step, self.carried = 1, False
