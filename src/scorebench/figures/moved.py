"""Recording → which of a server's own metrics moved with latency, strongest first. Statistics; no wording.

A stretch lies between two readings of the metrics. Of each there is the median response time of the calls
that were due in it, and of each series the value at its end, or the rate within it where it is a counter.
Their ranks are correlated (Spearman). One stretch resembles the next, so the number of stretches that count
is (1 - ab) / (1 + ab) of all, where a and b are the correlations of both with themselves one stretch later
(Quenouille, Associated Measurements, 1952); the error of Fisher's z is that of ranks (Fieller, Hartley and
Pearson, Biometrika 44, 1957).
"""

from __future__ import annotations

import math
from collections import Counter
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated

import numpy as np
from msgspec import Meta, Struct

from scorebench.figures.scraped import Values, series
from scorebench.figures.timeline import times_of_bands
from scorebench.recordings.types import Count, SeriesName

if TYPE_CHECKING:
    from scorebench.recordings.recording import Recording

MOST = 5
ALPHA = 0.05
"""For all series together: in so many runs where none moves with latency one is named."""
LEAST = 0.5
"""A weaker correlation explains less than a quarter of the ranks."""
LEAST_STRETCHES = 20
_RANK_VARIANCE = 1.06


class Moved(Struct, frozen=True, forbid_unknown_fields=True):
    """A series that moved with latency."""

    name: SeriesName
    is_rate: Annotated[bool, Meta(description="A counter, as its rate a second.")]
    correlation: Annotated[float, Meta(ge=-1, le=1, description="Of ranks, with the median response time.")]
    fast: Annotated[float, Meta(description="Its median in the third of the stretches with fast answers.")]
    slow: Annotated[float, Meta(description="Its median in the third with slow answers.")]


class ServerMetrics(Struct, frozen=True, forbid_unknown_fields=True):
    """What --scrape read."""

    readings: Count
    series: Count
    stretches: Annotated[Count, Meta(description="Between two readings, with enough calls for a median.")]
    moved: tuple[Moved, ...]


def server_metrics(recording: Recording) -> ServerMetrics | None:
    """None where nothing was read."""
    if not recording.scraped_s:
        return None
    latency_s = _latency(recording)
    known = np.flatnonzero(~np.isnan(latency_s))
    every = series(recording)
    found: tuple[Moved, ...] = ()
    if len(known) >= LEAST_STRETCHES:
        found = _moved({name: values[known] for name, values in every.items()}, latency_s[known])
    rates = set(recording.scraped_counters)
    named = tuple(Moved(o.name, o.name in rates, o.correlation, o.fast, o.slow) for o in found)
    return ServerMetrics(len(recording.scraped_s), len(every), len(known), named)


def _latency(recording: Recording) -> Values:
    """Median response time of the calls due in each stretch, by whole seconds; NaN where they are too few."""
    at, seconds = recording.scraped_s, recording.measured.seconds
    bands: list[Counter[int]] = [Counter() for _ in at[1:]]
    stretches = np.searchsorted(np.array(at), np.array(sorted(seconds)) + 0.5) - 1
    for second, stretch in zip(sorted(seconds), stretches, strict=True):
        if 0 <= stretch < len(bands):
            bands[stretch].update(seconds[second].response_us)
    medians = [times_of_bands(one)["p50_s"] for one in bands]
    return np.array([np.nan if one is None else one for one in medians], np.float64)


def _moved(every: dict[str, Values], latency_s: Values) -> tuple[Moved, ...]:
    found = []
    varying = {
        name: values for name, values in every.items() if len(np.unique(values[~np.isnan(values)])) > 1
    }
    for name, values in varying.items():
        both = ~np.isnan(values)
        if both.sum() < LEAST_STRETCHES or len(np.unique(latency_s[both])) < 2:
            continue
        correlation, p = correlated(values[both], latency_s[both])
        if abs(correlation) >= LEAST and p < ALPHA / len(varying):
            fast, slow = _thirds(values[both], latency_s[both])
            found.append(Moved(name, False, correlation, fast, slow))
    return tuple(sorted(found, key=lambda one: -abs(one.correlation))[:MOST])


def correlated(one: Values, other: Values) -> tuple[float, float]:
    """The correlation of ranks, and how often chance alone makes one that is as strong (two-sided)."""
    from scipy.stats import rankdata

    a, b = (_standard(rankdata(values)) for values in (one, other))
    found = min(max(float(a @ b), -1.0), 1.0)
    alike = float(a[:-1] @ a[1:]) * float(b[:-1] @ b[1:])
    count = len(a) * min((1 - alike) / (1 + alike), 1.0)
    if count <= 4:
        return found, 1.0
    z = math.atanh(min(abs(found), 1 - 1e-12)) * math.sqrt((count - 3) / _RANK_VARIANCE)
    return found, 2 * (1 - NormalDist().cdf(z))


def _standard(ranks: Values) -> Values:
    centred = ranks - ranks.mean()
    length: Values = centred / math.sqrt(float(centred @ centred))
    return length


def _thirds(values: Values, latency_s: Values) -> tuple[float, float]:
    by_latency = values[np.argsort(latency_s, kind="stable")]
    third = max(len(values) // 3, 1)
    return float(np.median(by_latency[:third])), float(np.median(by_latency[-third:]))
