"""A histogram of durations → mean, extremes and any percentile with its bounds. Statistics; knows no run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from scorebench.figures.percentiles import QUANTILES, Estimate, Sample, estimate, percentile

if TYPE_CHECKING:
    import numpy as np
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
    """How slow calls cluster; None where that was not recorded, and percentiles have no bounds."""

    @cached_property
    def percentiles(self) -> dict[str, Estimate]:
        """`QUANTILES` by name."""
        return {name: self.percentile(q) for name, q in QUANTILES.items()}

    def percentile(self, q: float) -> Estimate:
        """Any percentile, `q` between 0 and 1, with its bounds; no value where too few calls support it.

        The bounds allow for calls that queue behind one another: see `percentiles.clumping`.
        """
        naive = estimate(self.values_s, self.counts, q)
        if naive.value is None:
            return naive
        clumping = None if self.clumps is None else self.clumps.at(naive.value)
        if clumping is None:
            return replace(naive, low=None, high=None)
        return estimate(self.values_s, self.counts, q, clumping=clumping)

    def sample(self, q: float) -> Sample:
        """The counted values and how they clump at percentile `q`, for bounds over several runs."""
        value_s = percentile(self.values_s, self.counts, q)
        if self.clumps is None or value_s is None:
            return Sample(self.values_s, self.counts, None)
        return Sample(self.values_s, self.counts, self.clumps.at(value_s))

    def figure(self, what: str, q: float | None = None) -> float | None:
        """`mean`, `min` or `max`; with `q` that percentile, None where too few calls support it."""
        if q is not None:
            return self.percentile(q).value
        return {"mean": self.mean_s, "min": self.min_s, "max": self.max_s}[what]

    def at(self, q: float) -> float | None:
        """The percentile of what was seen, however few the calls; None without any."""
        return percentile(self.values_s, self.counts, q)

    def to_dict(self) -> dict[str, float | None]:
        """mean, min, max and the percentiles, in seconds."""
        exact = {"mean": self.mean_s, "min": self.min_s, "max": self.max_s}
        return {**exact, **{name: found.value for name, found in self.percentiles.items()}}

    def intervals(self) -> dict[str, list[float] | None]:
        """The bounds that hold each true percentile with 99 % certainty, in seconds."""
        return {name: _bounds(found) for name, found in self.percentiles.items()}


def times_of(histogram: Histogram, clumps: Clumps | None) -> Times:
    """A histogram's figures. `clumps` are those of the response times, and stand in for other times' too."""
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


def _bounds(found: Estimate) -> list[float] | None:
    return None if found.low is None or found.high is None else [found.low, found.high]
