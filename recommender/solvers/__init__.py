"""How one side is solved while the other stands still; pure functions over arrays."""
