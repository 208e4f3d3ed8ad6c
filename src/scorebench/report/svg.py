"""Series of points → a chart as SVG, drawn here and now: no library in the page, nothing to load.

Plotly's bundle alone is 4.7 MB, which leaves a page no room under 5 MB and is slow to open; a run's charts
are lines. They are as wide as the page: lines are in a box that is stretched, text beside it in its own
size, so that a phone shows it as large as a desk does. `page.js` shows the values at the pointer, which it
has from `data-points`; `charts.js` looks closer, and saves a chart.

Knows coordinates and SVG; nothing of runs. All text is escaped.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from scorebench.report.axes import Axis

WIDTH = 1000
"""Of the box of lines in its own units, whatever its width on the screen."""
HEIGHT = 200
TOP, BOTTOM = 10, 40
COLOURS = 6
"""Classes `series-0` … of the style sheet, each with a dash of its own: colour alone tells nobody apart."""
MOST_TICKS = 5
"""Labels along x; beyond this number every other one is hidden on a narrow screen."""

Point = tuple[float, float | None]


@dataclass(frozen=True)
class Series:
    """A line with gaps where y is None. `steps`: a value holds until the next; `dots`; `area`: filled."""

    name: str
    points: Sequence[Point]
    steps: bool = False
    dots: bool = False
    area: bool = False


@dataclass(frozen=True)
class Mark:
    """A labelled place along x."""

    x: float
    text: str


@dataclass(frozen=True)
class Level:
    """A labelled height, such as a limit."""

    y: float
    text: str


@dataclass(frozen=True)
class Step:
    """A part of a whole: where it begins and how much it is, as shares of 1."""

    label: str
    at: float
    share: float
    known: bool = True


STEP_HEIGHT = 24


def staircase(title: str, steps: Sequence[Step]) -> str:
    """Parts under one another, each where the one before it ends. Text stands on the bars, which are pale."""
    inner = []
    for number, step in enumerate(steps):
        y, end = number * STEP_HEIGHT, step.at + step.share
        kind = "step" if step.known else "step unknown"
        inner.append(
            f'<rect class="{kind}" x="{step.at:.2%}" width="{step.share:.2%}" y="{y + 2}" '
            f'height="{STEP_HEIGHT - 4}"/>'
        )
        where, anchor = (step.at, "start") if step.at < 0.55 else (min(end, 1.0), "end")
        label = f"\u00a0{step.label}\u00a0"
        inner.append(_text("told-step", f"{where:.2%}", y + STEP_HEIGHT * 0.68, label, anchor))
    return (
        f'<svg class="chart staircase" height="{len(steps) * STEP_HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">{"".join(inner)}</svg>'
    )


def chart(
    title: str,
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    *,
    marks: Sequence[Mark] = (),
    levels: Sequence[Level] = (),
    group: str = "",
) -> str:
    """One chart with its legend, named for a screen reader. Charts of one `group` share their cursor."""
    lines = "".join(_line(one, number, x, y) for number, one in enumerate(series))
    inner = [
        *_grid(x, y),
        f'<svg class="lines" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" y="{TOP}" '
        f'width="100%" height="{HEIGHT}">{lines}</svg>',
        *(_mark(mark, x) for mark in marks),
        *(_level(level, y) for level in levels),
        f'<line class="cursor" y1="{TOP}" y2="{TOP + HEIGHT}"/>',
    ]
    return (
        f'<div class="plot" data-group="{escape(group)}" data-points="{escape(_points(series, x, y))}">'
        f'<svg class="chart" height="{TOP + HEIGHT + BOTTOM}" role="img" tabindex="0" '
        f'aria-label="{escape(title)}">{"".join(inner)}</svg>{_legend(series)}</div>'
    )


def _legend(series: Sequence[Series]) -> str:
    keys = "".join(
        f'<li><svg class="key" viewBox="0 0 24 8" aria-hidden="true">'
        f'<path class="{"dot" if one.dots else "line"} series-{n % COLOURS}" '
        f'd="{"M12 4h.01" if one.dots else "M0 4H24"}"/></svg>'
        f'{escape(one.name)} <b class="value"></b></li>'
        for n, one in enumerate(series)
    )
    return f'<ul class="legend" aria-live="polite">{keys}<li class="at"></li></ul>'


def _points(series: Sequence[Series], x: Axis, y: Axis) -> str:
    """JSON: places along x, the label of each, the values of each series there as texts; all as numbers."""
    longest = max(series, key=lambda one: len(one.points), default=Series("", ()))
    at = [point[0] for point in longest.points]
    texts = [[_value_text(one, value, y) for value in at] for one in series]
    exact = [_exact(at), [_exact([_value(one, value) for value in at]) for one in series]]
    places = [round(_x(x, value), 2) for value in at]
    return json.dumps([places, [x.say(value) for value in at], texts, exact], separators=(",", ":"))


def _exact(values: Sequence[float | None]) -> list[float | None]:
    """Six digits, which is more than a histogram keeps."""
    return [None if value is None else float(f"{value:.6g}") for value in values]


def _value(one: Series, at: float) -> float | None:
    """The value of the series at that place."""
    index = bisect_right(one.points, at, key=lambda point: point[0]) - 1
    return one.points[index][1] if index >= 0 else None


def _value_text(one: Series, at: float, y: Axis) -> str:
    value = _value(one, at)
    return "–" if value is None else y.say(value)  # noqa: RUF001 (a dash is meant)


def _grid(x: Axis, y: Axis) -> list[str]:
    found = []
    for value, text in y.ticks:
        at = _y(y, value) + TOP
        found.append(f'<line class="grid" x2="100%" y1="{at:.1f}" y2="{at:.1f}"/>')
        found.append(f'<text class="tick" x="-8" y="{at + 4:.1f}" text-anchor="end">{escape(text)}</text>')
    for number, (value, text) in enumerate(x.ticks):
        at = x.share(value)
        found.append(
            f'<line class="grid" x1="{at:.2%}" x2="{at:.2%}" y1="{TOP}" y2="{TOP + HEIGHT}"{_moves(at)}/>'
        )
        kind = "tick minor" if number % 2 and len(x.ticks) > MOST_TICKS else "tick"
        found.append(_text(kind, f"{at:.2%}", TOP + HEIGHT + 16, text, "middle", moves=_moves(at)))
    return [*found, _text("tick", "100%", TOP + HEIGHT + 34, x.label, "end")]


def _mark(mark: Mark, x: Axis) -> str:
    share = x.share(mark.x)
    place = f'x1="{share:.2%}" x2="{share:.2%}" y1="{TOP}" y2="{TOP + HEIGHT}"'
    line = f'<line class="mark" {place}{_moves(share)}/>'
    anchor = "end" if share > 0.5 else "start"
    text = f"\u00a0{mark.text}\u00a0"
    return line + _text("tick mark-name", f"{share:.2%}", TOP + 10, text, anchor, moves=_moves(share))


def _level(level: Level, y: Axis) -> str:
    at = _y(y, level.y) + TOP
    line = f'<line class="limit" x2="100%" y1="{at:.1f}" y2="{at:.1f}"/>'
    below_top = at < TOP + 12  # above the line the text would leave the chart
    return line + _text("tick", "100%", at + 14 if below_top else at - 4, level.text, "end")


def _moves(share: float) -> str:
    """The attribute by which `charts.js` finds what moves along x when a part is looked at closer."""
    return f' data-x="{share:.5g}"'


def _text(kind: str, x: str, y: float, text: str, anchor: str, *, moves: str = "") -> str:
    return f'<text class="{kind}" x="{x}" y="{y:.1f}" text-anchor="{anchor}"{moves}>{escape(text)}</text>'


def _line(one: Series, number: int, x: Axis, y: Axis) -> str:
    places = [(_x(x, at), None if value is None else _y(y, value)) for at, value in one.points]
    kind = "dot" if one.dots else "area" if one.area else "line"
    draw: Callable[[Sequence[tuple[float, float | None]], bool], str] = _dots if one.dots else _stroke
    path = draw(places, one.steps)
    if one.area and path:
        path += f"V{HEIGHT}H{places[0][0]:.1f}Z"
    name = escape(one.name)
    drawn = f'<path class="{kind} series-{number % COLOURS}" d="{path}"><title>{name}</title></path>'
    lonely = "" if one.dots else _dots(_alone(places), False)
    return drawn + (f'<path class="dot alone series-{number % COLOURS}" d="{lonely}"/>' if lonely else "")


def _alone(places: Sequence[tuple[float, float | None]]) -> list[tuple[float, float | None]]:
    """Points with a gap, or the end, on both sides."""
    values = [None, *(at_y for _, at_y in places), None]
    return [one for n, one in enumerate(places) if values[n] is None and values[n + 2] is None]


def _dots(places: Sequence[tuple[float, float | None]], _: bool) -> str:
    return "".join(f"M{at_x:.2f} {at_y:.1f}h.01" for at_x, at_y in places if at_y is not None)


def _stroke(places: Sequence[tuple[float, float | None]], steps: bool) -> str:
    path, pen_down = [], False
    following = [at_y for _, at_y in places[1:]] + [None]
    for (at_x, at_y), next_y in zip(places, following, strict=True):
        if at_y is None:
            pen_down = False
            continue
        if not pen_down:
            if next_y is None:  # drawn as a dot: a stroke without length is not seen
                continue
            path.append(f"M{at_x:.2f} {at_y:.1f}")
        else:
            path.append(f"H{at_x:.2f}V{at_y:.1f}" if steps else f"L{at_x:.2f} {at_y:.1f}")
        pen_down = True
    return "".join(path)


def _x(axis: Axis, value: float) -> float:
    return axis.share(value) * WIDTH


def _y(axis: Axis, value: float) -> float:
    return (1 - axis.share(value)) * HEIGHT
