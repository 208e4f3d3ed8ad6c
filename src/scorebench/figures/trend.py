"""Values over time → whether they rise, and by how much, with bounds. Pure statistics.

Mann-Kendall's test needs no distribution, but values that don't depend on each other. So medians of stretches
are tested, and what dependence is left widens the variance (Yue and Wang, The Mann-Kendall test modified by
effective sample size, Water Resources Management 18, 2004). The slope is that of Theil and Sen (P.K. Sen,
JASA 63, 1968), which no outlier moves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

STRETCHES = 24
START_SHARE = 0.2
"""Of the run that is left out: caches fill, pools grow."""
CONFIDENCE = 0.95
MOST_ERRORS = 4.0
"""Of a slope, more than chance makes: in simulations of chains it accuses no more runs than the ranks do."""
MOST_DEPENDENT = 0.95
"""Beyond it a chain wanders so far that a stretch of it can't be told from a trend."""


@dataclass(frozen=True)
class Trend:
    """Slope a second with bounds (95 % sure), and p: how often chance alone looks so much like a trend."""

    per_s: float
    low_per_s: float
    high_per_s: float
    p: float
    over_s: float
    """How long it was watched, without its start."""

    def rises(self, alpha: float) -> bool:
        """Whether it is shown to rise; wrong in a share of `alpha` of all runs where nothing does.

        The test of ranks alone is blind to what bends: a leak that speeds up or slows down leaves distances
        from its line that hang together, and with that dependence 24 ranks in perfect order are no evidence.
        So a slope of `MOST_ERRORS` times its own error counts too.
        """
        if self.low_per_s <= 0:
            return False
        error = (self.high_per_s - self.low_per_s) / 2 / NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
        return self.p < alpha or self.per_s > MOST_ERRORS * error


def trend(points: Sequence[tuple[float, float]]) -> Trend | None:
    """Of (seconds, value), which ascend in time; None where they are fewer than two a stretch."""
    if not points:
        return None
    begin_s = points[0][0] + START_SHARE * (points[-1][0] - points[0][0])
    kept = [(at, value) for at, value in points if at >= begin_s]
    if len(kept) < 2 * STRETCHES:
        return None
    from scipy.stats import theilslopes

    parts = np.array_split(np.array(kept, np.float64), STRETCHES)
    at, values = (np.array([float(np.median(part[:, column])) for part in parts]) for column in (0, 1))
    found = theilslopes(values, at, alpha=CONFIDENCE)
    slope = float(found[0])
    inflation = _inflation(values - slope * at)
    wider = math.sqrt(inflation)
    low, high = (slope + wider * (float(bound) - slope) for bound in (found[2], found[3]))
    return Trend(slope, low, high, _p(values, inflation), kept[-1][0] - kept[0][0])


def _p(values: NDArray[np.float64], inflation: float) -> float:
    """Two-sided, by the normal approximation, corrected for dependence."""
    count = len(values)
    signs = np.sign(values[None, :] - values[:, None])
    score = float(np.triu(signs).sum())
    _, ties = np.unique(values, return_counts=True)
    variance = count * (count - 1) * (2 * count + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())
    variance = variance / 18 * inflation
    if variance <= 0 or score == 0:
        return 1.0
    return 2 * (1 - NormalDist().cdf((abs(score) - 1) / math.sqrt(variance)))


def _inflation(detrended: NDArray[np.float64]) -> float:
    """(1 + r) / (1 - r) of a chain where each value keeps r of the last one; 1 where r is not above 0.

    r of a short series without its trend is estimated too low: (n r + 2) / (n - 4) corrects it (Hamed,
    Enhancing the effectiveness of prewhitening, Journal of Hydrology 368, 2009).
    """
    count = len(detrended)
    centred = detrended - detrended.mean()
    power = float(centred @ centred)
    if power == 0:
        return 1.0
    r = min((count * float(centred[:-1] @ centred[1:]) / power + 2) / (count - 4), MOST_DEPENDENT)
    return (1 + r) / (1 - r) if r > 0 else 1.0
