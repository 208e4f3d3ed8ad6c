"""Sets of runs → charts with a dot a run, which show their scatter. Computes nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice, takewhile

from scorebench.comparison.compare import RunSet
from scorebench.figures.metrics import find
from scorebench.report import axes, svg
from scorebench.report.charts import Chart
from scorebench.report.words import plain

METRICS = {"p50": "p50 of each run", "p99": "p99 of each run", "throughput": "Valid answers of each run"}
SPREAD = 0.6
"""How much of the room of a set its dots take."""
NOTE = "A dot is a run, in the order given. Sets whose dots overlap differ less than their runs do."


ROOM = 40
"""Letters that all names under a chart may have together, on a phone."""


def compare_charts(sets: Sequence[RunSet]) -> list[Chart]:
    """A chart for each metric that some run has."""
    return [chart for metric in METRICS if (chart := _dots(sets, metric)) is not None]


def _dots(sets: Sequence[RunSet], metric: str) -> Chart | None:
    say, title = find(metric).say, METRICS[metric]
    runs = [
        (number + SPREAD * ((n + 0.5) / len(one.runs) - 0.5), plain(one.name, 40), n + 1, run.figure(metric))
        for number, one in enumerate(sets)
        for n, run in enumerate(one.runs)
    ]
    values = [value for *_, value in runs if value is not None]
    if not values:
        return None
    names = {at: f"{name}, run {n}" for at, name, n, _ in runs}
    ticks = [(float(number), name) for number, name in enumerate(_labels([one.name for one in sets]))]
    x = axes.Axis("", -0.5, len(sets) - 0.5, ticks, lambda at: names.get(at, ""))
    points = [(at, value) for at, _, _, value in runs]
    drawn = svg.chart(title, [svg.Series("a run", points, dots=True)], x, axes.linear("", max(values), say))
    rows = [[name, str(n), "not measured" if value is None else say(value)] for _, name, n, value in runs]
    return Chart(title, NOTE, drawn, ["Set", "Run", plain(metric)], rows)


def _labels(names: Sequence[str]) -> list[str]:
    """Names that fit beside one another: without the folder and the end that all share, cut in the middle."""
    parts = [re.split(r"(?<=/)|(?=-)", plain(name)) for name in names]
    folders = [[part for part in one if part.endswith("/")] for one in parts]
    first = _shared(folders, min(map(len, parts)) - 1)
    last = _shared([one[:first:-1] for one in parts], min(map(len, parts)) - 1 - first)
    width = ROOM // min(len(names), svg.MOST_TICKS)
    return [_cut("".join(one[first : len(one) - last]).rstrip("/"), width) for one in parts]


def _shared(lists: Sequence[Sequence[str]], most: int) -> int:
    """How many entries, from the first on, are the same in all."""
    alike = (len(set(entries)) == 1 for entries in islice(zip(*lists, strict=False), max(most, 0)))
    return sum(takewhile(bool, alike)) if len(lists) > 1 else 0


def _cut(name: str, width: int) -> str:
    half = (width - 1) // 2
    return name if len(name) <= width else f"{name[: width - 1 - half]}…{name[-half:]}"
