"""Repeated runs → a line each, and their medians. `compare` shows how two sets of runs differ."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

from scorebench.figures.metric import Metric
from scorebench.figures.metrics import every
from scorebench.report import text
from scorebench.report.words import NOT_MEASURED
from scorebench.units import say_percent

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.verdicts.verdict import Verdict

UNKNOWN = "-"
"""Shown for several runs if one of them lacks the figure."""


def render(summaries: Sequence[Summary], verdicts: Sequence[Verdict]) -> str:
    """A line a run, the medians, and how far apart the runs lie; times from due to done."""
    shown = [metric for metric in every() if metric.is_repeated]
    rows = [["Run", *(metric.name for metric in shown), "measurement", "limits"]]
    for number, (summary, verdict) in enumerate(zip(summaries, verdicts, strict=True), 1):
        figures = [_value_text(summary, metric) for metric in shown]
        rows.append([str(number), *figures, *_verdicts(verdict)])
    values = [[metric.of(summary) for summary in summaries] for metric in shown]
    middles = [_median(column) for column in values]
    medians = [UNKNOWN if m is None else metric.say(m) for m, metric in zip(middles, shown, strict=True)]
    rows.append(["median", *medians, "", ""])
    rows.append(["spread", *map(_spread, values, middles), "", ""])
    return "\n".join(line.rstrip() for line in text.table(rows)) + "\n"


def _verdicts(verdict: Verdict) -> list[str]:
    met = {True: "met", False: "MISSED", None: "not decided" if verdict.checked else "none given"}
    return ["valid" if verdict.valid else "NOT VALID", met[verdict.met]]


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if len(known) == len(values) else None


def _spread(values: Sequence[float | None], middle: float | None) -> str:
    """(greatest - least) / median."""
    if not middle:
        return UNKNOWN
    known = [value for value in values if value is not None]
    return say_percent((max(known) - min(known)) / middle)


def _value_text(summary: Summary, metric: Metric) -> str:
    value = metric.of(summary)
    return (metric.needs or NOT_MEASURED) if value is None else metric.say(value)
