"""Sets of runs → what changed, and whether it is real. Pure statistics over summaries; no files, no wording.

In the manner of benchstat: a run is one observation, since calls within a run share its machine, its warm-up
and its weather. Medians with 95 % confidence intervals from order statistics; Mann-Whitney's U between two
sets; no difference is shown unless p < 0.05.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Any

from scorebench.limits import Threshold, kind_of

if TYPE_CHECKING:
    from scorebench.summary import Summary

ALPHA = 0.05
CONFIDENCE = 0.95
METRICS = (
    "throughput", "rows", "valid", "mean", "p50", "p90", "p95", "p99", "p99.9",
    "service_mean", "service_p50", "service_p99",
)  # fmt: skip
"""What is compared, in the order of the tables; response times unless `service_`."""
AVERAGED = ("mean", "p50", "p90", "p95", "p99")
"""Whose ratios the geometric mean is of."""


class Change(StrEnum):
    """What can be said of a metric."""

    BETTER = "better"
    WORSE = "worse"
    NOT_SHOWN = "not shown"
    TOO_FEW = "too few runs"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class RunSet:
    """Runs of the same, by a name."""

    name: str
    runs: tuple[Summary, ...]

    def values(self, metric: str) -> list[float]:
        """Of the runs that have the figure, in SI units."""
        figures = (run.figure(metric) for run in self.runs)
        return [value for value in figures if value is not None]


@dataclass(frozen=True)
class Middle:
    """A set's median; `low` and `high` hold the true one with 95 % certainty, None below six runs."""

    value: float
    low: float | None
    high: float | None
    runs: int


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
    """A threshold beside what changed; `failed` is None where too few runs can say."""

    threshold: Threshold
    difference: Difference
    failed: bool | None


@dataclass(frozen=True)
class Comparison:
    """`after` against `before`."""

    before: RunSet
    after: RunSet
    differences: tuple[Difference, ...]
    geometric_mean: float | None
    """Of the ratios after / before of the response times; None where one of them is missing."""
    gates: tuple[Gate, ...]


def compare(before: RunSet, after: RunSet, thresholds: Sequence[Threshold] = ()) -> Comparison:
    """Each metric that either set has, and each threshold."""
    differences = tuple(difference(metric, before, after) for metric in METRICS)
    return Comparison(
        before=before,
        after=after,
        differences=tuple(d for d in differences if d.before or d.after),
        geometric_mean=_geometric_mean([d for d in differences if d.metric in AVERAGED]),
        gates=tuple(_gate(threshold, before, after) for threshold in thresholds),
    )


def difference(metric: str, before: RunSet, after: RunSet) -> Difference:
    """What one metric says."""
    old, new = before.values(metric), after.values(metric)
    left, right = middle(old), middle(new)
    if left is None or right is None:
        return Difference(metric, left, right, None, None, Change.NOT_MEASURED)
    ratio = right.value / left.value - 1 if left.value else None
    p = p_value(old, new)
    if p is None:
        return Difference(metric, left, right, ratio, None, Change.TOO_FEW)
    if p >= ALPHA or left.value == right.value:
        return Difference(metric, left, right, ratio, p, Change.NOT_SHOWN)
    worse = (right.value > left.value) == (kind_of(metric).good == "<")
    return Difference(metric, left, right, ratio, p, Change.WORSE if worse else Change.BETTER)


def middle(values: Sequence[float]) -> Middle | None:
    """The median and its interval: the order statistics that hold it with 95 % certainty (David, Nagaraja,
    Order Statistics, 3rd ed., section 7.1)."""
    if not values:
        return None
    ordered, count = sorted(values), len(values)
    rank = _rank(count)
    if rank is None:
        return Middle(median(ordered), None, None, count)
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
    """Two-sided p of Mann-Whitney's U; None where no outcome of so few runs could be below ALPHA."""
    if not before or not after or 2 / math.comb(len(before) + len(after), len(before)) >= ALPHA:
        return None
    if len({*before, *after}) == 1:
        return 1.0
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(before, after, alternative="two-sided").pvalue)


def runs_needed() -> int:
    """The fewest runs a set, both alike, with which a difference can be shown."""
    return next(n for n in range(1, 100) if 2 / math.comb(2 * n, n) < ALPHA)


def _gate(threshold: Threshold, before: RunSet, after: RunSet) -> Gate:
    found = difference(threshold.metric, before, after)
    if found.before is None or found.after is None or found.change is Change.TOO_FEW:
        return Gate(threshold, found, None)
    beyond = threshold.exceeded(found.before.value, found.after.value)
    return Gate(threshold, found, beyond and found.change is Change.WORSE)


def _geometric_mean(differences: Sequence[Difference]) -> float | None:
    ratios = [d.ratio for d in differences if d.ratio is not None]
    if not ratios or len(ratios) < len([d for d in differences if d.before and d.after]):
        return None
    return math.exp(sum(math.log1p(ratio) for ratio in ratios) / len(ratios)) if min(ratios) > -1 else None


def mismatches(runs: Sequence[Summary]) -> list[str]:
    """What the runs differ in that makes their figures no comparison; a line each."""
    if not runs:
        return []
    first, found = dict(_conditions(runs[0].environment)), []
    for name, wanted in first.items():
        others = {dict(_conditions(run.environment))[name] for run in runs[1:]} - {wanted}
        found += [f"{name}: {wanted} and {', '.join(map(str, sorted(others, key=str)))}"] if others else []
    return found


def _conditions(told: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    payload = told.get("payload") or {}
    yield "payload", str(payload.get("digest"))[:12]
    yield "rows per call", payload.get("rows_per_call")
    yield "format", payload.get("format")
    yield "arrivals", told.get("arrivals") or "closed loop"
    yield "rate", told.get("offered_rate_per_s")
    yield "users", told.get("users")
    yield "host", told.get("host")
