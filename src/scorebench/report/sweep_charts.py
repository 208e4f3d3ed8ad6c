"""A sweep → its charts, each with a table that says the same. Computes nothing new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import TypeVar

from scorebench.report import axes, svg
from scorebench.report.charts import Chart
from scorebench.report.sweep import NO_LAW
from scorebench.report.words import NOT_MEASURED, plain
from scorebench.sweeps.curves import Curve, curves
from scorebench.sweeps.found import Ran, Sweep
from scorebench.units import say_bytes, say_rate, say_seconds

MOST_CURVES = svg.COLOURS
"""In a chart: more could not be told apart."""
T = TypeVar("T")
Figure = Callable[[Ran], float | None]


def sweep_charts(sweep: Sweep) -> list[Chart]:
    """Those for which something was varied."""
    names = ("rows_per_call", "users", "workers", "columns")
    rows, users, workers, columns = (curves(sweep, name) for name in names)
    return [
        *_lines(rows, "Median response time", "rows a call", lambda run: run.p50_s, say_seconds, log=True),
        *_lines(rows, "Rows a second", "rows a call", lambda run: run.rows_per_s, say_rate, log=True),
        *_cost(rows),
        *_by_size(rows),
        *_lines(columns, "Median response time", "columns", lambda run: run.p50_s, say_seconds, log=True),
        *_lines(users, "p99", "users", lambda run: run.p99_s, say_seconds),
        *[chart for curve in users for chart in _law(curve)],
        *[chart for curve in workers for chart in _workers(curve)],
    ]


def _lines(
    drawn: Sequence[Curve],
    of: str,
    by: str,
    figure: Figure,
    say: Callable[[float], str],
    *,
    log: bool = False,
) -> list[Chart]:
    """A chart for each few curves."""
    known = [curve for curve in drawn if any(value for _, value in curve.middles(figure))]
    return [_chart(part, f"{of} by {by}", by, figure, say, log=log) for part in _parts(known)]


def _parts(known: Sequence[T]) -> list[Sequence[T]]:
    """Each as many as one chart holds; every curve is in one."""
    return [known[at : at + MOST_CURVES] for at in range(0, len(known), MOST_CURVES)]


def _chart(
    drawn: Sequence[Curve], title: str, by: str, figure: Figure, say: Callable[[float], str], *, log: bool
) -> Chart:
    series = [svg.Series(plain(curve.name), curve.middles(figure)) for curve in drawn]
    at = sorted({point[0] for one in series for point in one.points})
    values = [y for one in series for _, y in one.points if y]
    x, y = _x(by, at, log=log), _y(values, say, log=log)
    table = [[_whole(value), *(_shown(one, value, say) for one in series)] for value in at]
    note = "Each point is the median of a cell's runs. A gap is a cell without figures."
    head = [by.capitalize(), *(one.name for one in series)]
    return Chart(title, note, svg.chart(title, series, x, y), head, table)


def _x(by: str, at: Sequence[float], *, log: bool) -> axes.Axis:
    if log and max(at) > 10 * min(at):
        return axes.logarithmic(by, min(at), max(at), _whole)
    return axes.linear(by, max(at), _whole, least_step=1)


def _y(values: Sequence[float], say: Callable[[float], str], *, log: bool) -> axes.Axis:
    return axes.logarithmic("", min(values), max(values), say) if log else axes.linear("", max(values), say)


def _shown(one: svg.Series, at: float, say: Callable[[float], str]) -> str:
    value = dict(one.points).get(at)
    return NOT_MEASURED if value is None else say(value)


def _cost(drawn: Sequence[Curve]) -> list[Chart]:
    """What a row costs at each number of rows, by format and whatever else was varied."""
    costs = [(curve, _per_row(curve)) for curve in drawn]
    known = [(curve, points) for curve, points in costs if any(y for _, y in points)]
    return [_cost_chart(part) for part in _parts(known)]


def _cost_chart(known: Sequence[tuple[Curve, list[tuple[float, float | None]]]]) -> Chart:
    series = [svg.Series(plain(curve.name), points) for curve, points in known]
    at = sorted({x for _, points in known for x, _ in points})
    values = [y for _, points in known for _, y in points if y]
    title = "Response time a row"
    drawn_here = svg.chart(
        title,
        series,
        _x("rows a call", at, log=True),
        axes.logarithmic("", min(values), max(values), say_seconds),
    )
    table = [[_whole(value), *(_shown(one, value, say_seconds) for one in series)] for value in at]
    note = "The median response time by the rows of a call: where it levels off, larger calls gain little."
    return Chart(title, note, drawn_here, ["Rows a call", *(one.name for one in series)], table)


def _by_size(drawn: Sequence[Curve]) -> list[Chart]:
    """Response times by what formats have in common: the size of a body."""
    found = [(curve, _sizes(curve)) for curve in drawn]
    known = [(curve, points) for curve, points in found if len(points) > 1]
    return [_size_chart(part) for part in _parts(known)]


def _size_chart(known: Sequence[tuple[Curve, list[tuple[float, float]]]]) -> Chart:
    series = [svg.Series(plain(curve.name), points) for curve, points in known]
    sizes, times = ([point[axis] for _, points in known for point in points] for axis in (0, 1))
    title = "Median response time by size of a body"
    x = axes.logarithmic("size of a body", min(sizes), max(sizes), say_bytes)
    y = axes.logarithmic("", min(times), max(times), say_seconds)
    table = [
        [one.name, say_bytes(size), say_seconds(time_s)]
        for one, (_, points) in zip(series, known, strict=True)
        for size, time_s in points
    ]
    note = "The mean size of a cell's bodies. Formats need different sizes for the same rows."
    return Chart(title, note, svg.chart(title, series, x, y), ["", "Size of a body", "Time"], table)


def _sizes(curve: Curve) -> list[tuple[float, float]]:
    """(mean size of a body, median response time) of each cell that has both."""
    pairs = [
        (cell.middle(lambda run: run.body_bytes), cell.middle(lambda run: run.p50_s)) for cell in curve.cells
    ]
    return sorted((size, time_s) for size, time_s in pairs if size and time_s)


def _per_row(curve: Curve) -> list[tuple[float, float | None]]:
    return [
        (at, None if time_s is None else time_s / at) for at, time_s in curve.middles(lambda run: run.p50_s)
    ]


def _law(curve: Curve) -> list[Chart]:
    """Throughput by users: every run, the law through them with its bounds, and the knee."""
    points = curve.points(lambda run: run.throughput_per_s)
    if not points:
        return []
    found, knee = curve.scaling(), curve.knee()
    most = max(at for at, _ in points)
    series = [svg.Series("a run", points, dots=True)]
    note = "Too few loads for a scaling law: it needs 4 numbers of users, and 5 runs."
    if curve.has_enough_loads:
        note = f"No scaling law fits. {NO_LAW}"
    if found is not None:
        steps = [1 + (most - 1) * n / 60 for n in range(61)]
        laws = [(users, found.at(users)) for users in steps]
        series += [
            svg.Series("scaling law", [(users, law.value) for users, law in laws]),
            svg.Series("at least", [(users, law.low) for users, law in laws]),
            svg.Series("at most", [(users, law.high if isfinite(law.high) else None) for users, law in laws]),
        ]
        note = "The Universal Scalability Law through all runs, and its bounds, which are 95 % sure."
    marks = [] if knee is None else [svg.Mark(knee, f"knee: {knee:.0f}")]
    title = f"Valid answers by users ({plain(curve.name)})"
    high = 1.3 * max(rate for _, rate in points)  # a bound may be far above what was measured
    x, y = axes.linear("users", most, _whole, least_step=1), axes.linear("", high, say_rate)
    table = [[_whole(at), say_rate(rate)] for at, rate in points]
    return [
        Chart(title, note, svg.chart(title, series, x, y, marks=marks), ["Users", "Valid answers"], table)
    ]


def _workers(curve: Curve) -> list[Chart]:
    points = curve.middles(lambda run: run.throughput_per_s)
    first = next(((at, rate) for at, rate in points if rate), None)
    if first is None:
        return []
    ideal = [(at, first[1] * at / first[0]) for at, _ in points]
    title = f"Valid answers by workers ({plain(curve.name)})"
    series = [svg.Series("measured", points), svg.Series("ideal", ideal)]
    x = axes.linear("workers", max(at for at, _ in points), _whole, least_step=1)
    y = axes.linear("", max(rate for _, rate in [*ideal, *points] if rate), say_rate)
    table = [[_whole(at), *(_shown(one, at, say_rate) for one in series)] for at, _ in points]
    note = "The ideal is that N workers carry N times as much."
    return [Chart(title, note, svg.chart(title, series, x, y), ["Workers", "Measured", "Ideal"], table)]


def _whole(value: float) -> str:
    return f"{value:,.0f}"
