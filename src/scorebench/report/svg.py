"""Series of points → a chart as SVG, drawn here and now: no script, no library in the page, nothing to load.

Plotly's bundle alone is 4.7 MB, which leaves a page no room under 5 MB and is slow to open; a run's charts
are lines. Knows coordinates and SVG; nothing of runs. All text is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 260
LEFT, RIGHT, TOP, BOTTOM = 74, 14, 12, 34
COLOURS = 6
"""Classes `series-0` … of the style sheet, each with a dash of its own: colour alone tells nobody apart."""

Point = tuple[float, float | None]


@dataclass(frozen=True)
class Series:
    """A line; a gap where y is None. `steps`: a value holds until the next."""

    name: str
    points: Sequence[Point]
    steps: bool = False


@dataclass(frozen=True)
class Axis:
    """`low` to `high` in the units of `place`, which maps a value there; `ticks` are (value, text)."""

    label: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    place: Callable[[float], float] = float

    def share(self, value: float) -> float:
        """Between 0 and 1."""
        low, high = self.place(self.low), self.place(self.high)
        return 0.5 if high == low else min(max((self.place(value) - low) / (high - low), 0.0), 1.0)


def linear(label: str, high: float, say: Callable[[float], str], low: float = 0.0) -> Axis:
    """From `low` to a round number not below `high`."""
    span = max(high - low, 1e-9)
    step = _round_step(span / 4)
    count = math.ceil(span / step - 1e-9)
    return Axis(
        label, low, low + count * step, [(low + n * step, say(low + n * step)) for n in range(count + 1)]
    )


def logarithmic(label: str, low: float, high: float, say: Callable[[float], str]) -> Axis:
    """Powers of ten around positive values; 1, 2 and 5 where there are few."""
    low, high = max(low, 1e-9), max(high, low * 1.0001, 1e-9)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1, 2, 5) if last - first <= 2 else (1,)
    values = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
    below = max([v for v in values if v <= low], default=low)
    above = min([v for v in values if v >= high], default=high)
    ticks = [(v, say(v)) for v in values if below <= v <= above]
    return Axis(label, below, above, ticks, lambda value: math.log10(max(value, 1e-9)))


def hdr(label: str, most: float) -> Axis:
    """Shares from p0 towards p100, as HdrHistogram's plots have them: each nine takes the same room."""
    marks = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999]
    high = next((mark for mark in marks[2:] if mark >= most), marks[-1])
    ticks = [(mark, f"p{100 * mark:.6g}") for mark in marks if mark <= high]
    return Axis(label, 0.0, high, ticks, lambda share: -math.log10(1 - min(share, 0.9999999)))


def chart(title: str, series: Sequence[Series], x: Axis, y: Axis) -> str:
    """One chart with its legend, named for a screen reader."""
    inner = [*_grid(x, y), *(_line(one, number, x, y) for number, one in enumerate(series))]
    legend = "".join(
        f'<li><svg class="key" viewBox="0 0 24 8" aria-hidden="true"><path class="line series-{n % COLOURS}" '
        f'd="M0 4H24"/></svg>{escape(one.name)}</li>'
        for n, one in enumerate(series)
    )
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{''.join(inner)}</svg><ul class=legend>{legend}</ul>"
    )


def _grid(x: Axis, y: Axis) -> list[str]:
    found = []
    for value, text in y.ticks:
        at = _y(y, value)
        found += [f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>', _text(LEFT - 6, at + 4, text)]
    for value, text in x.ticks:
        at = _x(x, value)
        found.append(f'<path class="grid" d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        at_edge = at > WIDTH - RIGHT - 20
        found.append(_text(at, HEIGHT - BOTTOM + 15, text, "end" if at_edge else "middle"))
    return [*found, _text(WIDTH - RIGHT, HEIGHT - 3, x.label)]


def _text(x: float, y: float, text: str, anchor: str = "end") -> str:
    return f'<text class="tick" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(one: Series, number: int, x: Axis, y: Axis) -> str:
    path, pen_down, before = [], False, 0.0
    for value_x, value_y in one.points:
        if value_y is None:
            pen_down = False
            continue
        at_x, at_y = _x(x, value_x), _y(y, value_y)
        if not pen_down:
            path.append(f"M{at_x:.1f} {at_y:.1f}h.1")
        else:
            path.append(f"V{before:.1f}H{at_x:.1f}V{at_y:.1f}" if one.steps else f"L{at_x:.1f} {at_y:.1f}")
        pen_down, before = True, at_y
    kind, title = f"line series-{number % COLOURS}", escape(one.name)
    return f'<path class="{kind}" d="{"".join(path)}"><title>{title}</title></path>'


def _x(axis: Axis, value: float) -> float:
    return LEFT + axis.share(value) * (WIDTH - LEFT - RIGHT)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - axis.share(value) * (HEIGHT - TOP - BOTTOM)


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least * 0.999)
