"""A server's own metrics that moved with latency → lines of text, and charts. Knows wording and drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scorebench.figures.moved import LEAST_STRETCHES, Moved, ServerMetrics
from scorebench.figures.scraped import series
from scorebench.report import axes, svg
from scorebench.report.aligned import table
from scorebench.report.charts import Chart
from scorebench.report.words import NOT_MEASURED, count, plain

if TYPE_CHECKING:
    from scorebench.recordings.recording import Recording

TITLE = "The server's own metrics that moved with latency"
GROUP = "time"
NAME_WIDTH = 72
TABLE_ROWS = 60
HEAD = ["Metric", "correlation", "when fast", "when slow"]


def lines(found: ServerMetrics | None) -> list[str]:
    """The section of the text report, without its title; empty without --scrape."""
    if found is None:
        return []
    shown = table(rows(found)) if found.moved else []
    return [*shown, *(f"  {line}" for line in notes(found))]


def rows(found: ServerMetrics) -> list[list[str]]:
    """Each that moved: its correlation, and its medians while answers were fast and slow; the head first."""
    body = [
        [plain(one.name, NAME_WIDTH), f"{one.correlation:+.2f}", _say(one, one.fast), _say(one, one.slow)]
        for one in found.moved
    ]
    return [HEAD, *body]


def notes(found: ServerMetrics) -> list[str]:
    """What was read, and how to read the table."""
    read = f"{found.series:,} series, read {count(found.readings, 'time')}"
    if found.stretches < LEAST_STRETCHES:
        return [
            f"{read}. To see what moved with latency takes {LEAST_STRETCHES} seconds with a median; "
            f"there are {found.stretches}."
        ]
    if not found.moved:
        return [f"{read}: none moved with the median response time."]
    return [
        f"{read}. Correlation of ranks with the median response time; fast and slow are the thirds of the "
        "run with the lowest and the highest.",
        "What moves together need not be the cause: in a closed loop every count of calls falls as answers "
        "get slower.",
    ]


def charts(found: ServerMetrics | None, recording: Recording) -> list[Chart]:
    """One over the run for each that moved, strongest first."""
    if found is None or not found.moved:
        return []
    first = min(recording.measured.seconds)
    length_s = float(max(recording.measured.seconds) + 1 - first)
    at = np.array(recording.scraped_s[1:]) - first
    within = (at >= 0) & (at <= length_s)
    every = series(recording)
    return [
        _chart(one, list(zip(at[within].tolist(), every[one.name][within].tolist(), strict=True)), length_s)
        for one in found.moved
    ]


def _chart(one: Moved, points: list[tuple[float, float]], length_s: float) -> Chart:
    title, x = plain(one.name), axes.clock(length_s)
    drawn: list[svg.Point] = [(at, None if np.isnan(value) else value) for at, value in points]
    known = [value for _, value in drawn if value is not None]
    y = axes.linear("", max(*known, 1e-9), lambda value: _say(one, value))
    if min(known) < 0:
        y = axes.Axis("", min(known), max(known), [(v, _say(one, v)) for v in (min(known), max(known))])
    note = f"Its ranks correlate with those of the median response time by {one.correlation:+.2f}."
    kept = drawn[:: max(-(-len(drawn) // TABLE_ROWS), 1)]
    cells = [[x.say(at), NOT_MEASURED if value is None else _say(one, value)] for at, value in kept]
    line = svg.chart(title, [svg.Series(title, drawn)], x, y, group=GROUP)
    return Chart(title, note, line, ["At", "a second" if one.is_rate else "value"], cells)


def _say(one: Moved, value: float) -> str:
    return f"{value:,.4g}/s" if one.is_rate else f"{value:,.4g}"
