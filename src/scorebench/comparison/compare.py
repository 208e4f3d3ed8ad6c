"""Sets of runs → what changed, and whether it is real. Pure statistics over summaries; no files, no wording.

In the manner of benchstat: a run is one observation, since calls within a run share its machine, its warm-up
and the noise of its moment. Medians with 95 % confidence intervals from order statistics; Mann-Whitney's U
between two sets; no difference is shown unless p < 0.05.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

from scorebench.comparison.shift import unpaired
from scorebench.figures.metric import SHARE
from scorebench.figures.metrics import every, find

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.verdicts.limits import Threshold

ALPHA = 0.05
CONFIDENCE = 0.95
MOST_COUNTED = 100
"""Up to this many runs in both sets the exact p is computed where values are equal."""


class Change(StrEnum):
    """How a metric changed."""

    BETTER = "better"
    WORSE = "worse"
    NOT_SHOWN = "not shown"
    TOO_FEW = "too few runs"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class RunSet:
    """Runs of the same thing, with a name."""

    name: str
    runs: tuple[Summary, ...]

    def values(self, metric: str) -> list[float]:
        """The figure of each run that has it, in SI units."""
        figures = (run.figure(metric) for run in self.runs)
        return [value for value in figures if value is not None]

    def within(self, metric: str) -> tuple[float, float] | None:
        """The bounds from the calls of a single run (99 % sure), which say nothing about other runs."""
        found = self.runs[0].estimate(metric) if len(self.runs) == 1 else None
        if found is None or found.low is None or found.high is None:
            return None
        return found.low, found.high


@dataclass(frozen=True)
class Middle:
    """A set's median; `low` and `high` hold the true one with 95 % certainty, None below six runs."""

    value: float
    low: float | None
    high: float | None
    runs: int
    within: tuple[float, float] | None = None
    """The bounds from the calls of a single run."""


@dataclass(frozen=True)
class Difference:
    """One metric of two sets. `ratio` is after / before - 1; `p` that of Mann-Whitney's U, two-sided."""

    metric: str
    before: Middle | None
    after: Middle | None
    ratio: float | None
    p: float | None
    change: Change


@dataclass(frozen=True)
class Gate:
    """A threshold and what changed. `failed` is None where the runs can't decide: the change that was seen
    may be chance, or a change beyond the threshold may be hidden by the noise."""

    threshold: Threshold
    difference: Difference
    failed: bool | None
    low: float | None = None
    """Bounds of after / before - 1, with 95 % certainty; None where there are none."""
    high: float | None = None


@dataclass(frozen=True)
class Comparison:
    """`after` against `before`."""

    before: RunSet
    after: RunSet
    differences: tuple[Difference, ...]
    geometric_mean: float | None
    """The geometric mean of the ratios after / before of the response times; None if one is missing."""
    gates: tuple[Gate, ...]


def compared() -> list[str]:
    """The metrics that are compared by default, in the order of the tables."""
    return [metric.name for metric in every() if metric.is_compared]


def compare(before: RunSet, after: RunSet, thresholds: Sequence[Threshold] = ()) -> Comparison:
    """Each metric that either set has, and each threshold."""
    differences = tuple(
        difference(metric, before, after)
        for metric in compared()
        if not _is_response_time(metric, before, after)
    )
    return Comparison(
        before=before,
        after=after,
        differences=tuple(d for d in differences if d.before or d.after),
        geometric_mean=_geometric_mean([d for d in differences if find(d.metric).is_averaged]),
        gates=tuple(_gate(threshold, before, after) for threshold in thresholds),
    )


def _is_response_time(metric: str, *sets: RunSet) -> bool:
    """Whether it is a service time that equals the response time, as in every closed loop."""
    response = metric.removeprefix("service_")
    return response != metric and all(one.values(metric) == one.values(response) for one in sets)


def difference(metric: str, before: RunSet, after: RunSet) -> Difference:
    """How one metric changed."""
    old, new = before.values(metric), after.values(metric)
    median_before, median_after = middle(old, before.within(metric)), middle(new, after.within(metric))
    if median_before is None or median_after is None:
        return Difference(metric, median_before, median_after, None, None, Change.NOT_MEASURED)
    ratio = median_after.value / median_before.value - 1 if median_before.value else None
    p = p_value(old, new)
    if p is None:
        return Difference(metric, median_before, median_after, ratio, None, Change.TOO_FEW)
    if p >= ALPHA or median_before.value == median_after.value:
        return Difference(metric, median_before, median_after, ratio, p, Change.NOT_SHOWN)
    worse = find(metric).is_worse(median_before.value, median_after.value)
    return Difference(metric, median_before, median_after, ratio, p, Change.WORSE if worse else Change.BETTER)


def middle(values: Sequence[float], within: tuple[float, float] | None = None) -> Middle | None:
    """The median and its interval: the order statistics that hold it with 95 % certainty (David, Nagaraja,
    Order Statistics, 3rd ed., section 7.1)."""
    if not values:
        return None
    ordered, count = sorted(values), len(values)
    rank = _rank(count)
    if rank is None:
        return Middle(median(ordered), None, None, count, within)
    return Middle(median(ordered), ordered[rank - 1], ordered[count - rank], count)


def _rank(count: int) -> int | None:
    """The greatest r with P(r-th ≤ median ≤ (n+1-r)-th) ≥ 95 %; None where the extremes are less sure."""
    outside, best = 0.0, None
    for rank in range(1, count // 2 + 1):
        outside += 2 * math.comb(count, rank - 1) / 2**count
        if 1 - outside >= CONFIDENCE:
            best = rank
    return best


def p_value(before: Sequence[float], after: Sequence[float]) -> float | None:
    """Two-sided p of Mann-Whitney's U; None where no outcome of so few runs could be below ALPHA.

    Equal values, as shares of valid calls have, make scipy fall back on the normal approximation, which
    calls a difference too soon for few runs (0.030 for an exact 0.077, 8 runs each): counted out instead.
    """
    arrangements = math.comb(len(before) + len(after), len(before))
    if not before or not after or 2 / arrangements >= ALPHA:
        return None
    distinct = len({*before, *after})
    if distinct == 1:
        return 1.0
    from scipy.stats import mannwhitneyu

    if distinct < len(before) + len(after) <= MOST_COUNTED:
        return _p_of_ties(before, after)
    return float(mannwhitneyu(before, after, alternative="two-sided").pvalue)


def _p_of_ties(before: Sequence[float], after: Sequence[float]) -> float:
    """The exact p: in how many ways as many of all the ranks sum up to as little, or as much, as `before`'s.

    U is that sum less a constant. Ranks are doubled, so that the mean rank of equal values is whole.
    """
    import numpy as np
    from scipy.stats import rankdata

    ranks = np.rint(2 * rankdata([*before, *after])).astype(int)
    ways = np.zeros((len(before) + 1, int(ranks.sum()) + 1))  # by how many ranks were taken, and their sum
    ways[0, 0] = 1
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, :-rank].copy()
    sums, seen = ways[-1], int(ranks[: len(before)].sum())
    return min(1.0, 2 * float(min(sums[: seen + 1].sum(), sums[seen:].sum()) / sums.sum()))


def runs_needed() -> int:
    """The fewest runs in each set with which a difference can be shown."""
    return next(n for n in range(1, 100) if 2 / math.comb(2 * n, n) < ALPHA)


def _gate(threshold: Threshold, before: RunSet, after: RunSet) -> Gate:
    """Failed: the change is real, and exceeds the threshold. Kept: not even the worse bound exceeds it."""
    found = difference(threshold.metric, before, after)
    if found.before is None or found.after is None or found.change is Change.TOO_FEW:
        return Gate(threshold, found, None)
    median_before = found.before.value
    low, high = _bounds(threshold.metric, before, after, median_before)
    if found.change is Change.WORSE and threshold.exceeded(median_before, found.after.value):
        failed: bool | None = True
    elif low is None or high is None or any(threshold.exceeded(median_before, one) for one in (low, high)):
        failed = None
    else:
        failed = False
    ratios = [
        None if bound is None or not median_before else bound / median_before - 1 for bound in (low, high)
    ]
    return Gate(threshold, found, failed, *ratios)


def _bounds(metric: str, before: RunSet, after: RunSet, middle: float) -> tuple[float | None, float | None]:
    """Between what `after` lies, if `before` is `middle`, with 95 % certainty.

    Times and rates change by a factor, shares by points.
    """
    old, new = before.values(metric), after.values(metric)
    by_factor = find(metric).unit is not SHARE and min(*old, *new) > 0
    if by_factor:
        found = unpaired([math.log(value) for value in old], [math.log(value) for value in new], ALPHA)
    else:
        found = unpaired(old, new, ALPHA)
    if found.low is None or found.high is None:
        return None, None
    if by_factor:
        return middle * math.exp(found.low), middle * math.exp(found.high)
    return middle + found.low, middle + found.high


def _geometric_mean(differences: Sequence[Difference]) -> float | None:
    ratios = [d.ratio for d in differences if d.ratio is not None]
    if not ratios or len(ratios) < len([d for d in differences if d.before and d.after]):
        return None
    return math.exp(sum(math.log1p(ratio) for ratio in ratios) / len(ratios)) if min(ratios) > -1 else None
