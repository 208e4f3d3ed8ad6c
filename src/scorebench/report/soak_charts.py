"""A soak → its charts over time, each with a table that says the same. Computes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from scorebench.report import axes, svg
from scorebench.report.charts import Chart
from scorebench.report.soak import clock
from scorebench.report.words import NOT_MEASURED
from scorebench.soaks.found import Soak, Stretch
from scorebench.units import say_bytes, say_rate, say_seconds

MOST_MARKS = 8
"""Labels of what happened: more would lie upon one another."""
SHORTEST_PAUSE = 0.5
"""In stretches: less lies between two stretches of one part, whose clocks are rounded."""
Value = Callable[[Stretch], float | None]


def soak_charts(soak: Soak) -> list[Chart]:
    """Latency, calls, memory and CPU; what nobody measured is not drawn."""
    latency = _chart(
        soak,
        "Response time",
        [("p50", lambda one: one.p50_s), ("p99", lambda one: one.p99_s)],
        say_seconds,
    )
    calls = _chart(
        soak,
        "Calls a second",
        [("valid", lambda one: one.valid / one.length_s), ("not valid", lambda one: one.bad / one.length_s)],
        say_rate,
    )
    memory = _chart(soak, "Server memory", [("resident", lambda one: one.server_rss_bytes)], say_bytes)
    cpu = _chart(soak, "Server CPU", [("cores", lambda one: one.server_cpu)], lambda cores: f"{cores:.2f}")
    return [chart for chart in (latency, calls, memory, cpu) if chart is not None]


def _chart(
    soak: Soak, title: str, lines: Sequence[tuple[str, Value]], say: Callable[[float], str]
) -> Chart | None:
    drawn = [svg.Series(name, [(one.at_s, of(one)) for one in soak.stretches]) for name, of in lines]
    series = [one for one in drawn if any(value is not None for _, value in one.points)]
    values = [value for one in series for _, value in one.points if value is not None]
    if not values:
        return None
    last = soak.stretches[-1]
    x, y = axes.clock(last.at_s + last.length_s), axes.linear("", max(values), say)
    marks = [svg.Mark(one.at_s, one.kind.value) for one in soak.happenings[:MOST_MARKS]]
    paused = [replace(one, points=_with_pauses(soak.stretches, one.points)) for one in series]
    picture = svg.chart(title, paused, x, y, marks=marks, group="time")
    table = [
        [clock(at), *(_shown(one.points[number][1], say) for one in series)]
        for number, (at, _) in enumerate(series[0].points)
    ]
    note = f"A point is a stretch of {soak.stretches[0].length_s:,.0f} s. A gap is time without figures."
    return Chart(title, note, picture, ["From the start", *(one.name for one in series)], table)


def _with_pauses(stretches: Sequence[Stretch], points: Sequence[svg.Point]) -> list[svg.Point]:
    """With a gap between two parts, where no load was offered: a line across it would be invented."""
    found = list(points[:1])
    for before, after, point in zip(stretches, stretches[1:], points[1:], strict=False):
        ended_s = before.at_s + before.length_s
        found += [(ended_s, None)] if after.at_s > ended_s + SHORTEST_PAUSE * before.length_s else []
        found.append(point)
    return found


def _shown(value: float | None, say: Callable[[float], str]) -> str:
    return NOT_MEASURED if value is None else say(value)
