"""Numbers → by how much they lie apart, with bounds that need no normal distribution. Pure statistics.

The estimates are Hodges' and Lehmann's, the bounds come from inverting a rank test (Hollander, Wolfe,
Chicken, Nonparametric Statistical Methods, 3rd ed., sections 3.3 and 4.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shift:
    """How far the second sample lies above the first, in the unit of the samples.

    `low` and `high` hold the true shift with the certainty that was asked for; None where no bounds can be
    that sure with so few values.
    """

    value: float
    low: float | None
    high: float | None


def paired(differences: Sequence[float], alpha: float) -> Shift:
    """The middle of differences of pairs, with bounds that miss it with a probability of `alpha` at most.

    Wilcoxon's signed ranks. They need no more than that a difference is as likely to be +x as -x around the
    middle, which a random order within each pair brings about.
    """
    values = np.asarray(differences, dtype=np.float64)
    first, second = np.triu_indices(len(values))
    averages = np.sort((values[first] + values[second]) / 2)
    return _bounded(averages, _rank(_signed_ranks(len(values)), alpha))


def unpaired(before: Sequence[float], after: Sequence[float], alpha: float) -> Shift:
    """How far `after` lies above `before`: the median of all differences, and bounds by Mann-Whitney's U."""
    apart = np.sort(np.subtract.outer(np.asarray(after), np.asarray(before)).ravel())
    return _bounded(apart, _rank(_u(len(before), len(after)), alpha))


def _bounded(ordered: Floats, rank: int | None) -> Shift:
    middle = float(median(ordered.tolist()))
    if rank is None:
        return Shift(middle, None, None)
    return Shift(middle, float(ordered[rank - 1]), float(ordered[len(ordered) - rank]))


def _rank(chances: Floats, alpha: float) -> int | None:
    """Which of the ordered values is the lower bound, counted from 1; None where even the least is unsure."""
    outside = np.cumsum(chances)
    inside = int(np.searchsorted(outside, alpha / 2, side="right"))
    return inside or None


@cache
def _signed_ranks(count: int) -> Floats:
    """The chance of each sum of the ranks 1 … `count` where each rank is taken or not, as by a coin."""
    chances = np.zeros(count * (count + 1) // 2 + 1)
    chances[0] = 1.0
    for rank in range(1, count + 1):
        chances[rank:] += chances[:-rank].copy()
        chances /= 2
    return chances


@cache
def _u(first: int, second: int) -> Floats:
    """The chance of each U: how many pairs are the wrong way round if all orders are equally likely.

    The rank sum of the first sample, less its least value; counted by dealing out the ranks one by one.
    """
    ways = np.zeros((first + 1, first * second + 1))
    ways[0, 0] = 1.0
    for place in range(first + second):
        for taken in range(min(place, first - 1), -1, -1):
            # The rank `place`, as the next of the first sample, has place - taken of the second below it.
            above = place - taken
            if above <= second:
                ways[taken + 1, above:] += ways[taken, : first * second + 1 - above]
    chances: Floats = ways[-1] / ways[-1].sum()
    return chances
