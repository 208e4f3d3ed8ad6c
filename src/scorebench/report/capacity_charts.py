"""The record of a search for capacity (capacity.json) → charts: its knee, and which rates held.

Computes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scorebench.report import axes, svg
from scorebench.report.charts import Chart
from scorebench.report.words import NOT_MEASURED, count, plain
from scorebench.units import say_rate, say_seconds
from scorebench.verdicts.limits import parse_limit

Step = Mapping[str, Any]
UP_TO_THE_KNEE = "Up to the knee more users bring more answers; beyond it they only wait longer."
NO_KNEE = "No knee is drawn: it takes a step with more users than the best one had."
RESULTS = {True: "held", False: "did not hold", None: "says neither"}


def capacity_charts(record: Mapping[str, Any]) -> list[Chart]:
    """The ladder of users with its knee, and each limit's figure by rate; those that have steps.

    A ladder of one step has no knee, and its chart would be a dot.
    """
    steps: Sequence[Step] = record["steps"]
    ladder = sorted((s for s in steps if s["rate_per_s"] is None), key=lambda step: int(step["users"]))
    rates = sorted(
        (s for s in steps if s["rate_per_s"] is not None), key=lambda step: float(step["rate_per_s"])
    )
    found = _ladder(ladder, record.get("knee")) if len(ladder) > 1 else []
    return found + [chart for text in record["limits"] if (chart := _by_rate(rates, str(text)))]


def _ladder(steps: Sequence[Step], knee: Mapping[str, Any] | None) -> list[Chart]:
    """Throughput and, below it, service time, by users."""
    x = axes.linear("users (closed loop)", max(step["users"] for step in steps), _whole, least_step=1)
    marks = _knee(steps, knee)
    head = ["Users", "Valid answers", "Mean service time"]
    rows = [
        [_whole(s["users"]), say_rate(s["throughput_per_s"]), _value_text(s["mean_service_s"], say_seconds)]
        for s in steps
    ]
    carried = [(float(s["users"]), s["throughput_per_s"]) for s in steps]
    took = [(float(s["users"]), s["mean_service_s"]) for s in steps]
    y = axes.linear("", max(value for _, value in carried), say_rate)
    note = UP_TO_THE_KNEE if marks else NO_KNEE
    title = "Valid answers by users"
    drawn = svg.chart(title, _with_dots("valid answers", carried), x, y, marks=marks, group="users")
    found = [Chart(title, note, drawn, head, rows)]
    if known := [value for _, value in took if value]:
        y = axes.linear("", max(known), say_seconds)
        title = "Service time by users"
        drawn = svg.chart(title, _with_dots("mean service time", took), x, y, marks=marks, group="users")
        found.append(Chart(title, "Beyond the knee it grows with every user." if marks else "", drawn))
    return found


def _knee(steps: Sequence[Step], knee: Mapping[str, Any] | None) -> list[svg.Mark]:
    """None at the most users: with more the server might have answered more."""
    if knee is None or knee["users"] >= steps[-1]["users"]:
        return []
    return [svg.Mark(float(knee["users"]), f"knee: {count(knee['users'], 'user')}")]


def _with_dots(name: str, points: Sequence[svg.Point]) -> list[svg.Series]:
    return [svg.Series(name, points), svg.Series("a step", points, dots=True)]


def _by_rate(steps: Sequence[Step], text: str) -> Chart | None:
    """A limit's figure at each rate that was tried; rates that held and those that didn't look different."""
    limit = parse_limit(text, place="recorded limit")
    tried = [(float(s["rate_per_s"]), s["figures"].get(text), s["held"]) for s in steps]
    known = [value for _, value, _ in tried if value is not None]
    if not known:
        return None

    say = limit.of.say
    x = axes.linear("calls offered a second", max(rate for rate, _, _ in tried), say_rate)
    low = min(value for value in [*known, limit.bound] if value > 0) if any(v > 0 for v in known) else 1e-6
    y = (
        axes.linear("", limit.of.unit.most, say)
        if math.isfinite(limit.of.unit.most)
        else axes.logarithmic("", low, max([*known, limit.bound]), say)
    )
    series = [
        svg.Series(word, [(rate, value) for rate, value, held in tried if held is result], dots=True)
        for result, word in RESULTS.items()
        if result is not None or any(held is None for _, _, held in tried)  # the others keep their colours
    ]
    series.append(svg.Series("limit", [(0.0, limit.bound), (x.high, limit.bound)]))
    title = f"{plain(limit.metric)} by offered rate"
    rows = [[say_rate(rate), _value_text(value, say), RESULTS[held]] for rate, value, held in tried]
    note = (
        "A dot is a run with Poisson arrivals; the edge is run several times. Their folders are under steps/."
    )
    return Chart(title, note, svg.chart(title, series, x, y), ["Offered", limit.metric, "says"], rows)


def _value_text(value: float | None, say_value: Callable[[float], str]) -> str:
    return NOT_MEASURED if value is None else say_value(value)


def _whole(value: float) -> str:
    return f"{value:,.4g}"
