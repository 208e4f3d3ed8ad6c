"""Percentiles: counted values → a percentile, its bounds, the calls it takes. Statistics; knows no histogram.

`values` ascend and `counts` says how often each was seen, as a histogram's buckets give them. All bounds
come from order statistics alone: no distribution is assumed, but that the calls are independent of each
other. Calls that queue behind one another are not, so near saturation the bounds are too narrow; repeated
runs are the cure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.99
Values = Sequence[float] | NDArray[np.float64] | NDArray[np.int64]
Counts = Sequence[int] | NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """A percentile as far as `calls` support it: value and bounds are None when fewer than `needed`."""

    q: float
    value: float | None
    low: float | None
    high: float | None
    needed: int
    calls: int


def percentile(values: Values, counts: Counts, q: float) -> float | None:
    """The smallest value that a share `q` of all don't exceed: nearest rank, so always a value that was seen.

    None when nothing was counted. `q` lies between 0 and 1.
    """
    _checked(q)
    upto = np.cumsum(counts)
    return _at_rank(values, upto, _rank(q, _total(upto)))


def estimate(values: Values, counts: Counts, q: float, confidence: float = CONFIDENCE) -> Estimate:
    """The percentile with a two-sided interval that holds the true one with at least `confidence`.

    Ranks l and u such that P(B < l) and P(B ≥ u) are each at most (1 - confidence) / 2, B binomial(n, q):
    David and Nagaraja, Order Statistics (3rd ed., 2003), section 7.1.
    """
    upto = np.cumsum(counts)
    calls, needed = _total(upto), calls_needed(q, confidence)
    if calls < needed:
        return Estimate(q, None, None, None, needed, calls)
    tail = (1 - confidence) / 2
    low, high = _binomial_quantile(tail, calls, q), _binomial_quantile(1 - tail, calls, q) + 1
    return Estimate(
        q,
        _at_rank(values, upto, _rank(q, calls)),
        _at_rank(values, upto, low),
        _at_rank(values, upto, high),
        needed,
        calls,
    )


def upper_bound(values: Values, counts: Counts, q: float, confidence: float = CONFIDENCE) -> float | None:
    """With at least `confidence` the true percentile is at most this; None when the calls can't support one.

    The order statistic of the smallest rank u with P(B ≥ u) ≤ 1 - confidence, B binomial(n, q).
    """
    _checked(q)
    upto = np.cumsum(counts)
    calls = _total(upto)
    return _at_rank(values, upto, _binomial_quantile(confidence, calls, q) + 1) if calls else None


@lru_cache(maxsize=256)
def calls_needed(q: float, confidence: float = CONFIDENCE) -> int:
    """The fewest calls that say anything about percentile `q`: 662 for p99, 6,636 for p99.9, at 99 %.

    MLPerf LoadGen's early stopping (loadgen/early_stopping.cc, `MinPassingQueriesFinder` with one query
    over the latency and no tolerance): the smallest n with P(at most 1 of n beyond the percentile) < 1 -
    confidence. Below p50 the rare side is the lower one, and p10 needs what p90 needs.
    """
    from scipy.special import bdtr

    _checked(q)
    beyond = min(q, 1 - q)
    few, enough = 1, 2
    while bdtr(1, enough, beyond) >= 1 - confidence:
        few, enough = enough, enough * 2
    while enough - few > 1:
        middle = (few + enough) // 2
        if bdtr(1, middle, beyond) >= 1 - confidence:
            few = middle
        else:
            enough = middle
    return enough


def _checked(q: float) -> None:
    if not 0 < q < 1:
        raise ValueError(f"percentile {q}: a share between 0 and 1, such as 0.99")


def _total(upto: NDArray[np.int64]) -> int:
    return int(upto[-1]) if upto.size else 0


def _rank(q: float, calls: int) -> int:
    # As the decimal that was written: 0.07 · 100 is 7.000000000000001 in floats, and its ceiling one too
    # high.
    return math.ceil(Fraction(str(float(q))) * calls)


def _at_rank(values: Values, upto: NDArray[np.int64], rank: int) -> float | None:
    """The value of the rank-th call, counted from 1; None outside of what was seen."""
    if not 1 <= rank <= _total(upto):
        return None
    return float(values[int(np.searchsorted(upto, rank))])


def _binomial_quantile(share: float, calls: int, q: float) -> int:
    """The smallest k with P(binomial(calls, q) ≤ k) ≥ share."""
    from scipy.special import bdtr

    below, reached = -1, calls
    while reached - below > 1:
        middle = (below + reached) // 2
        if bdtr(middle, calls, q) >= share:
            reached = middle
        else:
            below = middle
    return reached
