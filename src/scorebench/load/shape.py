"""Shape: a rate over time made of straight pieces, its integral and the inverse of that. Knows no seed.

The integral, calls(t), counts the calls due by then; its inverse says when the k-th is due. Straight pieces
have a closed form for both, and constant, ramp, steps and spike are all made of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """From `start_s` on: a rate that starts at `rate_per_s` and changes by `slope_per_s2` each second."""

    start_s: float
    rate_per_s: float
    slope_per_s2: float = 0.0


@dataclass(frozen=True)
class Shape:
    """A rate over time in straight pieces; the first starts at 0, the last is level and has no end."""

    pieces: tuple[Piece, ...]

    def rate_at(self, at_s: float) -> float:
        piece = next(piece for piece in reversed(self.pieces) if piece.start_s <= at_s)
        return piece.rate_per_s + piece.slope_per_s2 * (at_s - piece.start_s)

    def calls(self, until_s: float) -> float:
        """The integral of the rate from 0 to `until_s`: how many calls are due by then, in the mean."""
        done = 0.0
        ends = [*(piece.start_s for piece in self.pieces[1:]), math.inf]
        for piece, end_s in zip(self.pieces, ends, strict=True):
            length_s = max(0.0, min(until_s, end_s) - piece.start_s)
            done += piece.rate_per_s * length_s + piece.slope_per_s2 * length_s**2 / 2
        return done

    def inverse(self, calls: Floats) -> Floats:
        """When `calls`, ascending, are due: for each the time in seconds at which calls(t) reaches it.

        In a piece with rate r and slope a, x seconds in: c = r·x + a·x²/2, so x = 2c / (r + √(r² + 2ac)),
        the form of the quadratic's root that stays exact when a is 0 (then x = c / r).
        """
        starts_s = np.array([piece.start_s for piece in self.pieces])
        before = np.array([self.calls(start_s) for start_s in starts_s])
        rates = np.array([piece.rate_per_s for piece in self.pieces])
        slopes = np.array([piece.slope_per_s2 for piece in self.pieces])
        at = np.searchsorted(before, calls, side="right") - 1
        inside, rate = calls - before[at], rates[at]
        root = np.sqrt(np.maximum(rate * rate + 2 * slopes[at] * inside, 0.0))
        due_s = starts_s[at] + 2 * inside / (rate + root)
        # Rounding may not turn two calls round.
        return np.asarray(np.maximum.accumulate(due_s), dtype=np.float64)

    def count_before(self, until_s: float) -> int:
        """How many calls are due before `until_s` when they come evenly, at inverse(0), inverse(1), …"""
        count = math.ceil(self.calls(until_s))
        # The integral is rounded, and the schedule is made by its inverse: the schedule has the last word.
        while count and self.inverse(np.array([count - 1.0]))[0] >= until_s:
            count -= 1
        while self.inverse(np.array([float(count)]))[0] < until_s:
            count += 1
        return count
