"""Recording and summary → the charts of a run, each with a table that says the same. Computes nothing new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from scorebench.figures.percentiles import calls_needed
from scorebench.report import axes, svg
from scorebench.report.words import percentile_text, plain
from scorebench.units import say_seconds

if TYPE_CHECKING:
    from scorebench.figures.metric import Metric
    from scorebench.figures.summary import Summary
    from scorebench.figures.times import Times
    from scorebench.verdicts.limits import Limit

MOST_POINTS = 600
"""Points of a curve: more would not be visible."""
FEW = 100
"""This many of the slowest buckets are all drawn."""
BARS = 60
STEP_BEYOND, LEAST_BEYOND = 0.99, 1e-6
"""How finely the end of a line is looked for, and how far."""


@dataclass(frozen=True)
class Chart:
    """`drawn` is SVG; `head` and `rows` are the same as a table; `note` says how to read it."""

    title: str
    note: str
    drawn: str
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = field(default_factory=list)


def times_of(summary: Summary) -> list[tuple[str, Times]]:
    """The times by name; in a closed loop service and response time are the same, and shown once."""
    if not summary.open_loop:
        return [("time (sent to done)", summary.service)]
    return [("response time (from due)", summary.response), ("service time (from sent)", summary.service)]


def of_streams(summary: Summary) -> list[tuple[str, Times]]:
    """What was timed of streams, by name; empty where no valid answer was one."""
    found = summary.streams
    return [] if found is None else [("first chunk", found.first_chunk), ("between chunks", found.chunk_gap)]


def levels(limits: Sequence[Limit], belongs: Callable[[Metric], bool]) -> list[svg.Level]:
    """The limits whose metric belongs into a chart, as heights in it."""
    return [svg.Level(one.bound, plain(one.text, 40)) for one in limits if belongs(one.of)]


def percentiles(
    times: Sequence[tuple[str, Times]], of: str = "Time", limits: Sequence[svg.Level] = ()
) -> Chart | None:
    """Times over percentiles; each additional nine takes the same space. Several runs share one chart.

    A line ends where too few calls support a percentile.
    """
    known = [(name, one) for name, one in times if one.count and curve(one)]
    if not known:
        return None
    series = [svg.Series(name, curve(one)) for name, one in known]
    values = [y for one in series for _, y in one.points if y] + [level.y for level in limits]
    most = max(point[0] for one in series for point in one.points)
    title = f"{of} by percentile"
    drawn = svg.chart(
        title,
        series,
        axes.hdr("percentile of calls", most),
        axes.logarithmic("", min(values, default=1e-6), max(values, default=1e-6), say_seconds),
        levels=limits,
    )
    names = list(known[0][1].percentiles)
    rows = [[name, *(percentile_text(one.percentiles[name]) for _, one in known)] for name in names]
    note = (
        "Each additional nine takes the same space. The further right a line stays low, the fewer calls "
        "were slow. It ends where too few calls support a percentile."
    )
    if {name for name, _ in known} == {"response time (from due)", "service time (from sent)"}:
        note += " Where the lines separate, calls waited before they were sent."
    return Chart(title, note, drawn, ["Percentile", *(name for name, _ in known)], rows)


def curve(times: Times) -> list[svg.Point]:
    """(share, value) at every bucket that enough calls support, thinned to what can be seen."""
    upto = np.cumsum(times.counts)
    shares = (upto - 0.5 * times.counts) / times.count
    index = np.unique(np.linspace(0, len(shares) - 1, min(len(shares), MOST_POINTS)).astype(int))
    index = np.unique(np.concatenate([index, np.arange(max(len(shares) - FEW, 0), len(shares))]))
    most = _highest_share(times.count)
    return [(float(shares[i]), float(times.values_s[i])) for i in index if shares[i] <= most]


def _highest_share(calls: int) -> float:
    """The highest percentile that so many calls support, to a hundredth of its distance from 1."""
    beyond = 0.5
    while beyond > LEAST_BEYOND and calls_needed(1 - beyond * STEP_BEYOND) <= calls:
        beyond *= STEP_BEYOND
    return 1 - beyond if calls >= calls_needed(0.5) else 0.0


def histogram(name: str, times: Times) -> Chart | None:
    """Calls by time, both axes logarithmic: one call in a million is seen beside the million."""
    if not times.count:
        return None
    low, high = max(float(times.values_s[0]), 1e-6), max(float(times.values_s[-1]), 2e-6)
    edges = np.geomspace(low * 0.999, max(high, low * 1.01) * 1.001, BARS + 1)
    clipped = np.clip(times.values_s, low, None)  # what took no time at all has no place on the axis
    counts, _ = np.histogram(clipped, bins=edges, weights=times.counts)
    points: list[svg.Point] = [(float(edges[n]), float(count)) for n, count in enumerate(counts)]
    points.append((float(edges[-1]), float(counts[-1])))
    drawn = svg.chart(
        "How many calls took how long",
        [svg.Series("calls", points, steps=True, area=True)],
        axes.logarithmic(name, float(edges[0]), float(edges[-1]), say_seconds),
        axes.logarithmic("", 0.5, max(float(counts.max()), 2.0), _calls),
    )
    rows = [
        [f"{say_seconds(edges[n])} to {say_seconds(edges[n + 1])}", f"{count:,.0f}"]
        for n, count in enumerate(counts)
        if count
    ]
    note = "Both axes are logarithmic. Two peaks are two kinds of call: look for what separates them."
    return Chart("How many calls took how long", note, drawn, ["Time", "Calls"], rows)


def _calls(count: float) -> str:
    return "" if 0 < count < 1 else f"{count:,.0f}"
