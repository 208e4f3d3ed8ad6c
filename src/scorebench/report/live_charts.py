"""The last minutes of a run → places and texts of charts, for a browser to draw. Knows axes.

Places are shares of the chart from its left and its top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scorebench.figures.last_minutes import STRETCH_S
from scorebench.report import axes
from scorebench.units import say_length, say_rate, say_seconds

if TYPE_CHECKING:
    from scorebench.figures.last_minutes import LastMinutes

TIMES = {"p50": "p50_s", "p95": "p95_s", "p99": "p99_s", "slowest": "max_s"}
PARTS = 4
"""The axis of time is named at so many places, from now backwards."""
Point = tuple[float, float | None]


def live_charts(last: LastMinutes, *, open_loop: bool, ended: bool = False) -> list[dict[str, Any]]:
    """Calls a second, and response times; none before a whole second is over."""
    if not last.rates:
        return []
    rates: dict[str, Sequence[Point]] = {
        "valid answers": [(one.t_s + 0.5, float(one.valid)) for one in last.rates]
    }
    if open_loop:
        rates = {"sent": [(one.t_s + 0.5, float(one.sent)) for one in last.rates], **rates}
    times = {
        name: [(one.t_s + STRETCH_S / 2, getattr(one, key)) for one in last.times]
        for name, key in TIMES.items()
    }
    what = "Response time, due to done" if open_loop else "Service time, sent to done"
    what += f", over {STRETCH_S} s at a time"
    charts = [_chart(last, "Calls a second", rates, say_rate), _chart(last, what, times, say_seconds)]
    return [chart | {"x": _time(last.span_s, ended=ended)} for chart in charts]


def _time(span_s: int, *, ended: bool) -> list[list[Any]]:
    before, here = ("before", "the end") if ended else ("ago", "now")
    names = [f"{say_length(span_s * (1 - part / PARTS))} {before}" for part in range(PARTS)]
    return [[part / PARTS, name] for part, name in enumerate([*names, here])]


def _chart(
    last: LastMinutes, title: str, lines: Mapping[str, Sequence[Point]], say: Callable[[float], str]
) -> dict[str, Any]:
    known = [value for points in lines.values() for _, value in points if value is not None]
    y = axes.linear("", max(known, default=0.0) or 1.0, say)
    from_s = last.known_s - last.span_s

    def placed(points: Iterable[Point]) -> list[list[float] | None]:
        """None where the line is broken."""
        return [
            None if value is None else [round((at_s - from_s) / last.span_s, 4), round(1 - y.share(value), 4)]
            for at_s, value in points
            if at_s >= from_s
        ]

    return {
        "title": title,
        "y": [[round(1 - y.share(value), 4), text] for value, text in y.ticks],
        "lines": [
            {"name": name, "value": _latest(points, say), "points": placed(points)}
            for name, points in lines.items()
        ],
    }


def _latest(points: Sequence[Point], say: Callable[[float], str]) -> str:
    value = points[-1][1] if points else None
    return "too few calls" if value is None else say(value)
