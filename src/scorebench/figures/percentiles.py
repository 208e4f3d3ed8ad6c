"""Percentiles: counted values → a percentile, its bounds, the calls it takes. Statistics; knows no histogram.

`values` ascend and `counts` says how often each was seen, as a histogram's buckets give them. All bounds
come from order statistics alone: no distribution is assumed. But they hold for calls that don't depend on
each other, and calls that queue behind one another do: at 85 % load of an M/M/1 queue a p99 has its "99 %
bound" below the truth in more than half of all runs. `clumping` says how many calls count as one, from how
the slow ones cluster in time; as `clumps` uses it the bounds hold there too, or say that there are none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
"""The percentiles that every output holds, by their names."""
HEADLINE = ("p50", "p95", "p99")
"""The few that are shown where space is short."""
CONFIDENCE = 0.99
FEWEST_BATCHES, MOST_BATCHES = 6, 12
"""Slow calls are counted in this many stretches of time, long enough to be independent of each other."""
MOST_ADDED = 32
"""The bounds of so few calls are found without scipy."""
Values = Sequence[float] | NDArray[np.float64] | NDArray[np.int64]
Counts = Sequence[int] | NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """A percentile as far as `calls` support it: `value` is None when they are fewer than `needed`.

    Each bound is there as soon as the calls support it: a slow model's lower bound comes with few.
    """

    q: float
    value: float | None
    low: float | None
    high: float | None
    needed: int
    calls: int

    @property
    def needs(self) -> str:
        """Shown instead of the value: `needs 662 calls`."""
        return f"needs {self.needed:,} calls"

    @property
    def bounds(self) -> list[float] | None:
        """[low, high] where both are known."""
        return None if self.low is None or self.high is None else [self.low, self.high]


@dataclass(frozen=True, eq=False)
class Sample:
    """Counted values of one run and how they clump; None when that is not known, and so no bound."""

    values: Values
    counts: Counts
    clumping: float | None = 1.0

    def upper_bound(self, q: float) -> float | None:
        if self.clumping is None:
            return None
        return upper_bound(self.values, self.counts, q, clumping=self.clumping)

    def lower_bound(self, q: float) -> float | None:
        if self.clumping is None:
            return None
        return estimate(self.values, self.counts, q, clumping=self.clumping).low


def pooled(samples: Sequence[Sample]) -> Sample:
    """Several runs as one; they clump as the worst of them does."""
    values = np.concatenate([sample.values for sample in samples])
    counts = np.concatenate([sample.counts for sample in samples])
    order = np.argsort(values, kind="stable")
    known = [sample.clumping for sample in samples if sample.clumping is not None]
    return Sample(values[order], counts[order], max(known) if len(known) == len(samples) else None)


def percentile(values: Values, counts: Counts, q: float) -> float | None:
    """The smallest value that a share `q` of all don't exceed: nearest rank, so always a value that was seen.

    None when nothing was counted. `q` lies between 0 and 1.
    """
    _checked(q)
    upto = np.cumsum(counts)
    return _at_rank(values, upto, _rank(q, _total(upto)))


def at_least(finished: Sample, waited: Sample, q: float) -> float | None:
    """What the percentile of all calls is at least, where some had no answer yet.

    A call that had waited so long takes that long or longer: it is right-censored. With each at the time that
    it had waited, a percentile is a lower bound of that of all calls. None where too few calls support it.
    """
    together = pooled([finished, waited])
    found = estimate(together.values, together.counts, q, clumping=finished.clumping or 1.0)
    return found.low if found.value is None and finished.clumping is not None else found.value


def estimate(
    values: Values, counts: Counts, q: float, *, confidence: float = CONFIDENCE, clumping: float = 1.0
) -> Estimate:
    """The percentile with a two-sided interval that holds the true one with at least `confidence`.

    Ranks l and u such that P(B < l) and P(B ≥ u) are each at most (1 - confidence) / 2, B binomial(n, q):
    David and Nagaraja, Order Statistics (3rd ed., 2003), section 7.1.
    """
    upto = np.cumsum(counts)
    calls, needed = _total(upto), calls_needed(q, confidence)
    tail = (1 - confidence) / 2
    alone = max(1, int(calls / clumping))
    low = _binomial_quantile(tail, alone, q) * calls // alone
    high = -(-(_binomial_quantile(1 - tail, alone, q) + 1) * calls // alone)
    value = _at_rank(values, upto, _rank(q, calls)) if calls >= needed else None
    return Estimate(q, value, _at_rank(values, upto, low), _at_rank(values, upto, high), needed, calls)


def upper_bound(
    values: Values, counts: Counts, q: float, *, confidence: float = CONFIDENCE, clumping: float = 1.0
) -> float | None:
    """With at least `confidence` the true percentile is at most this; None when the calls can't support one.

    The order statistic of the smallest rank u with P(B ≥ u) ≤ 1 - confidence, B binomial(n, q).
    """
    _checked(q)
    upto = np.cumsum(counts)
    calls = _total(upto)
    alone = max(1, int(calls / clumping))
    return _at_rank(values, upto, -(-(_binomial_quantile(confidence, alone, q) + 1) * calls // alone))


def clumping(beyond: Sequence[int], calls: Sequence[int]) -> float | None:
    """How many calls count as one, from `beyond` of `calls` that were slower than the percentile, by the
    second.

    The design effect of cluster sampling: the variance of the share of slow calls between stretches of the
    run, over that of independent calls (Kish, Survey Sampling, 1965, section 5.4); never below 1. It is
    estimated from few stretches, for which Student's t replaces the normal quantile. None when there
    are too few seconds to tell, or no call was slow.
    """
    batches = min(len(calls), MOST_BATCHES)
    if batches < FEWEST_BATCHES or not sum(beyond):
        return None
    from scipy.special import ndtri, stdtrit

    ends = [len(calls) * batch // batches for batch in range(batches + 1)]
    slow = np.array([sum(beyond[first:last]) for first, last in pairwise(ends)])
    all_ = np.array([sum(calls[first:last]) for first, last in pairwise(ends)])
    share = slow.sum() / all_.sum()
    if share >= 1:
        return None
    between = float(np.sum((slow - share * all_) ** 2)) / (batches - 1)
    effect = between / (share * (1 - share) * float(all_.mean()))
    few = float(stdtrit(batches - 1, CONFIDENCE) / ndtri(CONFIDENCE)) ** 2
    return float(max(1.0, 1 + (effect - 1) * few))


@lru_cache(maxsize=256)
def calls_needed(q: float, confidence: float = CONFIDENCE) -> int:
    """The fewest calls that say anything about percentile `q`: 662 for p99, 6,636 for p99.9, at 99 %.

    MLPerf LoadGen's early stopping (loadgen/early_stopping.cc, `MinPassingQueriesFinder` with one query
    over the latency and no tolerance): the smallest n with P(at most 1 of n beyond the percentile) < 1 -
    confidence. Below p50 the rare side is the lower one, and p10 needs what p90 needs.
    """
    _checked(q)
    beyond = min(q, 1 - q)
    few, enough = 1, 2
    while _at_most_one(enough, beyond) >= 1 - confidence:
        few, enough = enough, enough * 2
    while enough - few > 1:
        middle = (few + enough) // 2
        if _at_most_one(middle, beyond) >= 1 - confidence:
            few = middle
        else:
            enough = middle
    return enough


def _at_most_one(calls: int, share: float) -> float:
    """P(binomial(calls, share) ≤ 1), by its two terms."""
    none = math.exp((calls - 1) * math.log1p(-share))
    return none * (1 - share + calls * share)


def _checked(q: float) -> None:
    if not 0 < q < 1:
        raise ValueError(f"percentile {q}: a share between 0 and 1, such as 0.99")


def _total(upto: NDArray[np.int64]) -> int:
    return int(upto[-1]) if upto.size else 0


def _rank(q: float, calls: int) -> int:
    # As the decimal that was written: 0.07 · 100 is 7.000000000000001 in floats, and its ceiling one too
    # high.
    share = _decimal(float(q))
    return -(-share.numerator * calls // share.denominator)


@lru_cache(maxsize=256)
def _decimal(q: float) -> Fraction:
    return Fraction(str(q))


def _at_rank(values: Values, upto: NDArray[np.int64], rank: int) -> float | None:
    """The value of the rank-th call, counted from 1; None outside of what was seen."""
    if not 1 <= rank <= _total(upto):
        return None
    return float(values[int(np.searchsorted(upto, rank))])


def _binomial_quantile(share: float, calls: int, q: float) -> int:
    """The smallest k with P(binomial(calls, q) ≤ k) ≥ share."""
    upto = _binomial(calls, q)
    below, reached = -1, calls
    while reached - below > 1:
        middle = (below + reached) // 2
        if upto(middle) >= share:
            reached = middle
        else:
            below = middle
    return reached


def _binomial(calls: int, q: float) -> Callable[[int], float]:
    """P(binomial(calls, q) ≤ k), of k: the terms of a few calls are added, as scipy takes long to load."""
    if calls <= MOST_ADDED:
        terms = [math.comb(calls, k) * q**k * (1 - q) ** (calls - k) for k in range(calls + 1)]
        return list(accumulate(terms)).__getitem__
    from scipy.special import bdtr

    return lambda k: float(bdtr(k, calls, q))
