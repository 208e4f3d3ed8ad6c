"""A histogram of durations → mean, extremes and any percentile with its bounds. Statistics; knows no run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from scorebench.figures.percentiles import QUANTILES, Estimate, Sample, at_least, estimate, percentile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scorebench.figures.clumps import Clumps
    from scorebench.recordings.histogram import Histogram


@dataclass(frozen=True)
class Times:
    """Durations in seconds: exact count, mean, least and greatest, and any percentile on demand."""

    count: int
    mean_s: float | None
    min_s: float | None
    max_s: float | None
    sum_s: float
    values_s: NDArray[np.float64] = field(compare=False, repr=False)
    """The middles of the histogram's buckets that hold a call, ascending."""
    counts: NDArray[np.int64] = field(compare=False, repr=False)
    clumps: Clumps | None = field(compare=False, repr=False)
    """How slow calls cluster; None if that was not recorded, and then percentiles have no bounds."""

    @cached_property
    def percentiles(self) -> dict[str, Estimate]:
        """`QUANTILES` by name."""
        return {name: self.percentile(q) for name, q in QUANTILES.items()}

    @cached_property
    def std_s(self) -> float | None:
        """The sample standard deviation, within the histogram's 0.1 %; None for fewer than two calls."""
        if self.count < 2 or self.mean_s is None:
            return None
        deviations = float((self.counts * (self.values_s - self.mean_s) ** 2).sum())
        return math.sqrt(deviations / (self.count - 1))

    def percentile(self, q: float) -> Estimate:
        """Any percentile, `q` between 0 and 1, with its bounds; no value where too few calls support it.

        The bounds allow for calls that queue behind one another: see `percentiles.clumping`. No percentile is
        below a lower one, and so a lower one's lower bound bounds it too, as a higher one's upper bound does.
        """
        found, others = self._alone(q), self._listed
        lows = [found.low, *(other.low for other in others if other.q < q)]
        highs = [found.high, *(other.high for other in others if other.q > q)]
        return replace(
            found,
            low=max((low for low in lows if low is not None), default=None),
            high=min((high for high in highs if high is not None), default=None),
        )

    @cached_property
    def _listed(self) -> list[Estimate]:
        return [self._alone(q) for q in QUANTILES.values()]

    def _alone(self, q: float) -> Estimate:
        value_s = self.at(q)
        if self.clumps is None or value_s is None:
            return replace(estimate(self.values_s, self.counts, q), low=None, high=None)
        clumping = self.clumps.at(value_s)
        if clumping is not None:
            return estimate(self.values_s, self.counts, q, clumping=clumping)
        # How calls clump is not known: all calls of a second count as one, and the bounds are not too tight.
        by_second = estimate(self.values_s, self.counts, q, clumping=self.clumps.calls_a_second)
        return replace(by_second, high=None)

    def sample(self, q: float) -> Sample:
        """The counted values and how they clump at percentile `q`, for bounds over several runs."""
        value_s = percentile(self.values_s, self.counts, q)
        if self.clumps is None or value_s is None:
            return Sample(self.values_s, self.counts, None)
        return Sample(self.values_s, self.counts, self.clumps.at(value_s))

    def figure(self, what: str, q: float | None = None) -> float | None:
        """`mean`, `min` or `max`; with `q` that percentile, None if the calls are too few."""
        if q is not None:
            return self.percentile(q).value
        return {"mean": self.mean_s, "min": self.min_s, "max": self.max_s}[what]

    def at(self, q: float) -> float | None:
        """The percentile of the calls that were seen, however few; None without calls."""
        return percentile(self.values_s, self.counts, q)

    def at_least(self, q: float, waits: Times) -> float | None:
        """What percentile `q` is at least, with calls that had no answer after `waits`.

        However few the calls are, it is not below the fastest of them. None without calls.
        """
        found = at_least(self.sample(q), Sample(waits.values_s, waits.counts), q) if waits.count else None
        return self.joined(waits).min_s if found is None else found

    def joined(self, other: Times) -> Times:
        """The durations of both, of which nobody knows how they clump."""
        values_s = np.concatenate([self.values_s, other.values_s])
        order = np.argsort(values_s, kind="stable")
        calls, sum_s = self.count + other.count, self.sum_s + other.sum_s
        return Times(
            count=calls,
            mean_s=sum_s / calls if calls else None,
            min_s=min((s for s in (self.min_s, other.min_s) if s is not None), default=None),
            max_s=max((s for s in (self.max_s, other.max_s) if s is not None), default=None),
            sum_s=sum_s,
            values_s=values_s[order],
            counts=np.concatenate([self.counts, other.counts])[order],
            clumps=None,
        )

    def by_name(self) -> dict[str, float | None]:
        """mean, min, max and the percentiles, in seconds."""
        exact = {"mean": self.mean_s, "min": self.min_s, "max": self.max_s}
        return {**exact, **{name: found.value for name, found in self.percentiles.items()}}

    def intervals(self) -> dict[str, list[float] | None]:
        """The bounds that hold each true percentile with 99 % certainty, in seconds."""
        return {name: found.bounds for name, found in self.percentiles.items()}


def times_of(histogram: Histogram, clumps: Clumps | None) -> Times:
    """The figures of a histogram. `clumps` are those of the response times, used for all times."""
    values_s, counts = histogram.table()
    return Times(
        count=histogram.count,
        mean_s=histogram.mean_s,
        min_s=histogram.min_s,
        max_s=histogram.max_s,
        sum_s=histogram.sum_s,
        values_s=values_s,
        counts=counts,
        clumps=clumps,
    )


NO_TIMES = Times(0, None, None, None, 0.0, np.empty(0), np.empty(0, dtype=np.int64), None)
"""Of nothing."""


def without_end(count: int) -> Times:
    """Of `count` calls, as if they took for ever."""
    counts = np.array([count], dtype=np.int64)
    return Times(count, math.inf, math.inf, math.inf, math.inf, np.array([math.inf]), counts, None)
