"""Recording and summary → the charts of a run, each with a table that says the same. Computes nothing new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from scorebench.report import svg
from scorebench.report.words import NOT_MEASURED
from scorebench.timeline import Second, timeline
from scorebench.units import say_percent, say_rate, say_seconds

if TYPE_CHECKING:
    from scorebench.recording import Recording
    from scorebench.summary import Summary, Times

MOST_POINTS = 600
"""Along time: longer runs are drawn by the worst second of each stretch, so that no stall is lost."""
TABLE_ROWS = 60
BARS = 60


@dataclass(frozen=True)
class Chart:
    """`drawn` is SVG; `head` and `rows` are the same as a table; `note` says how to read it."""

    title: str
    note: str
    drawn: str
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = field(default_factory=list)


def charts(recording: Recording, summary: Summary) -> list[Chart]:
    """Those that the recording has something for."""
    if not summary.calls:
        return []
    every = timeline(recording.measured)
    whole = stretched(every[1:-1] if len(every) > 4 else every)  # the run fills the first and last in part
    seconds = stretched(every)
    times = [("service time (from sent)", summary.service)]
    times = [("response time (from due)", summary.response), *times] if summary.open_loop else times
    found = [percentiles(times), _latency(seconds), _rates(whole), _histogram(summary), _outcomes(seconds)]
    return [chart for chart in (*found, *_resources(recording)) if chart is not None]


def percentiles(times: Sequence[tuple[str, Times]]) -> Chart | None:
    """Times over percentiles, each nine with the same room. Several runs lie over one another."""
    known = [(name, one) for name, one in times if one.count]
    if not known:
        return None
    series = [svg.Series(name, curve(one)) for name, one in known]
    values = [y for one in series for _, y in one.points if y]
    most = max(point[0] for one in series for point in one.points)
    drawn = svg.chart(
        "Time by percentile",
        series,
        svg.hdr("percentile", most),
        svg.logarithmic("time", min(values), max(values), say_seconds),
    )
    names = list(known[0][1].percentiles)
    rows = [[name, *(_said_estimate(one.percentiles[name]) for _, one in known)] for name in names]
    note = "The further right a line stays low, the fewer calls waited long."
    return Chart("Time by percentile", note, drawn, ["Percentile", *(name for name, _ in known)], rows)


def _said_estimate(found: object) -> str:
    value, needed = getattr(found, "value", None), getattr(found, "needed", 0)
    return f"needs {needed:,} calls" if value is None else say_seconds(value)


def curve(times: Times) -> list[svg.Point]:
    """(share, value) at every bucket, thinned to what can be seen."""
    upto = np.cumsum(times.counts)
    shares = (upto - 0.5 * times.counts) / times.count
    index = np.unique(np.linspace(0, len(shares) - 1, min(len(shares), MOST_POINTS)).astype(int))
    index = np.unique(np.concatenate([index, np.arange(max(len(shares) - 100, 0), len(shares))]))
    return [(float(shares[i]), float(times.values_s[i])) for i in index]


def stretched(seconds: Sequence[Second], most: int = MOST_POINTS) -> list[Second]:
    """At most `most` of them: of each stretch the second whose slowest call was slowest."""
    width = -(-len(seconds) // most)
    if width <= 1:
        return list(seconds)
    groups = [seconds[start : start + width] for start in range(0, len(seconds), width)]
    return [max(group, key=lambda second: second.max_s or 0.0) for group in groups]


def _latency(seconds: Sequence[Second]) -> Chart | None:
    names = {"p50": "p50_s", "p95": "p95_s", "p99": "p99_s", "max": "max_s"}
    series = [
        svg.Series(name, [(second.t_s, getattr(second, key)) for second in seconds])
        for name, key in names.items()
    ]
    known = [y for one in series for _, y in one.points if y]
    if not known:
        return None
    drawn = svg.chart(
        "Response time over the run",
        series,
        _time(seconds),
        svg.logarithmic("", min(known), max(known), say_seconds),
    )
    note = (
        "Of the calls due in each second; a percentile is drawn where that second's calls support it. "
        "A stall is a peak."
    )
    return Chart("Response time over the run", note, drawn, *_table(seconds, names, _said_s))


def _rates(seconds: Sequence[Second]) -> Chart:
    names = {"due": "due", "sent": "sent", "valid answers": "valid"}
    series = [
        svg.Series(name, [(second.t_s, getattr(second, key)) for second in seconds], steps=True)
        for name, key in names.items()
    ]
    top = max((y or 0.0 for one in series for _, y in one.points), default=1.0)
    drawn = svg.chart(
        "Calls a second", series, _time(seconds), svg.linear("", max(top, 1.0), lambda v: f"{v:,.0f}/s")
    )
    note = (
        "Sent below due: no user was free, or the generator was late. "
        "Valid below sent: a queue grows, or calls fail."
    )
    return Chart(
        "Calls a second", note, drawn, *_table(seconds, names, lambda value: say_rate(float(value or 0)))
    )


def _outcomes(seconds: Sequence[Second]) -> Chart | None:
    names = {"valid": "valid", "not valid": "invalid", "failed": "failed", "cut off": "cut_off"}
    if not any(second.invalid or second.failed or second.cut_off for second in seconds):
        return None
    series = [
        svg.Series(name, [(second.t_s, getattr(second, key)) for second in seconds], steps=True)
        for name, key in names.items()
    ]
    top = max((y or 0.0 for one in series for _, y in one.points), default=1.0)
    drawn = svg.chart(
        "Outcomes over the run",
        series,
        _time(seconds),
        svg.linear("", max(top, 1.0), lambda v: f"{v:,.0f}/s"),
    )
    note = "Calls that ended in each second, by what became of them."
    return Chart("Outcomes over the run", note, drawn, *_table(seconds, names, lambda value: f"{value:,}"))


def _histogram(summary: Summary) -> Chart | None:
    times = summary.response
    if not times.count:
        return None
    low, high = max(float(times.values_s[0]), 1e-6), max(float(times.values_s[-1]), 2e-6)
    edges = np.geomspace(low * 0.999, max(high, low * 1.01) * 1.001, BARS + 1)
    counts, _ = np.histogram(times.values_s, bins=edges, weights=times.counts)
    points: list[svg.Point] = [(float(edges[n]), float(count)) for n, count in enumerate(counts)]
    points.append((float(edges[-1]), float(counts[-1])))
    drawn = svg.chart(
        "How many calls took how long",
        [svg.Series("calls", points, steps=True)],
        svg.logarithmic("response time", float(edges[0]), float(edges[-1]), say_seconds),
        svg.linear("", float(counts.max()), lambda v: f"{v:,.0f}"),
    )
    rows = [
        [f"{say_seconds(edges[n])} to {say_seconds(edges[n + 1])}", f"{count:,.0f}"]
        for n, count in enumerate(counts)
        if count
    ]
    note = "Two hills are two kinds of call: look for what tells them apart."
    return Chart("How many calls took how long", note, drawn, ["Response time", "Calls"], rows)


@dataclass(frozen=True)
class _Sampled:
    title: str
    key: str
    say: Callable[[float], str]
    note: str


_SAMPLED = (
    _Sampled("CPU", "cpu", say_percent, "100 % is one core. A generator near it measures itself."),
    _Sampled("Memory", "rss_bytes", lambda v: f"{v / 1e6:,.0f} MB", "Resident, of all its processes."),
)


def _resources(recording: Recording) -> list[Chart | None]:
    samples = [sample for sample in recording.resources if sample.get("t_s") is not None]
    return [_sampled(what, samples) for what in _SAMPLED] if samples else []


def _sampled(what: _Sampled, samples: Sequence[dict[str, Any]]) -> Chart | None:
    start = min(float(sample["t_s"]) for sample in samples)
    found: dict[str, list[tuple[float, float]]] = {}
    for sample in samples:
        if (value := sample.get(what.key)) is not None:
            found.setdefault(str(sample.get("who")), []).append((float(sample["t_s"]) - start, float(value)))
    if not found:
        return None
    series = [svg.Series(who, _thin(points)) for who, points in sorted(found.items())]
    end = max(x for points in found.values() for x, _ in points)
    top = max(y for points in found.values() for _, y in points)
    time = svg.linear("seconds of the run", max(end, 1.0), lambda value: f"{value:g}")
    drawn = svg.chart(what.title, series, time, svg.linear("", max(top, 1e-3), what.say))
    rows = []
    for who, points in sorted(found.items()):
        values = [y for _, y in points]
        rows.append([who, what.say(median(values)), what.say(max(values))])
    return Chart(what.title, what.note, drawn, ["Process", "median", "greatest"], rows)


def _thin(points: Sequence[svg.Point]) -> list[svg.Point]:
    width = -(-len(points) // MOST_POINTS)
    groups = [points[start : start + width] for start in range(0, len(points), width)]
    return [max(group, key=lambda point: point[1] or 0.0) for group in groups]


def _time(seconds: Sequence[Second]) -> svg.Axis:
    return svg.linear("seconds of the run", max(seconds[-1].t_s, 1.0), lambda value: f"{value:g}")


def _table(
    seconds: Sequence[Second], names: dict[str, str], say: Callable[[float | None], str]
) -> tuple[list[str], list[list[str]]]:
    """At most TABLE_ROWS seconds, the slowest of each stretch; all of them are in seconds.csv."""
    rows = [
        [f"{second.t_s} s", *(say(getattr(second, key)) for key in names.values())]
        for second in stretched(seconds, TABLE_ROWS)
    ]
    return ["Second", *names], rows


def _said_s(value: float | None) -> str:
    return NOT_MEASURED if value is None else say_seconds(value)
