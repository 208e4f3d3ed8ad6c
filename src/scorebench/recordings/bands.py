"""Bands of durations, so coarse that a second or a run holds few of them. Knows numpy; no histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

COARSE_BITS = 6
"""64 bands a power of two: within 0.8 % of the truth."""


def coarse_us(durations_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """The lowest microsecond of each duration's band: its leading seven bits, the rest zero."""
    microseconds = np.rint(np.maximum(durations_s, 0.0) * 1e6).astype(np.int64)
    exponent = np.frexp(np.maximum(microseconds, 1).astype(np.float64))[1] - 1
    shift = np.maximum(exponent - COARSE_BITS, 0)
    coarse: NDArray[np.int64] = np.left_shift(np.right_shift(microseconds, shift), shift)
    return coarse


def width_us(lowest_us: int) -> int:
    """How many microseconds the band that begins with `lowest_us` holds."""
    return int(1 << max(lowest_us.bit_length() - 1 - COARSE_BITS, 0))
