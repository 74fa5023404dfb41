"""Figures that anyone can measure again: time, peak memory and score, peers in the same run."""
