"""Several runs of the same → a line each, and their medians. How two sets of runs differ, `compare` says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import TYPE_CHECKING

from scorebench.report import text
from scorebench.report.words import NOT_MEASURED
from scorebench.units import say_percent, say_rate, say_seconds

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.verdicts.verdict import Verdict

UNKNOWN = "-"
"""Of several runs, where one of them lacks the figure."""
COLUMNS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("valid/s", "throughput", lambda per_s: say_rate(per_s).removesuffix("/s")),
    ("p50", "p50", say_seconds),
    ("p99", "p99", say_seconds),
    ("calls valid", "valid", say_percent),
)
"""Head, metric, and how it is said."""


def render(summaries: Sequence[Summary], verdicts: Sequence[Verdict]) -> str:
    """A line a run, the medians, and how far apart the runs lie; times from due to done."""
    rows = [["Run", *(name for name, _, _ in COLUMNS), "measurement", "limits"]]
    for number, (summary, verdict) in enumerate(zip(summaries, verdicts, strict=True), 1):
        figures = [_said(summary, metric, say) for _, metric, say in COLUMNS]
        rows.append([str(number), *figures, *_verdicts(verdict)])
    values = [[summary.figure(metric) for summary in summaries] for _, metric, _ in COLUMNS]
    middles = [_median(column) for column in values]
    said = [UNKNOWN if m is None else say(m) for m, (_, _, say) in zip(middles, COLUMNS, strict=True)]
    rows.append(["median", *said, "", ""])
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


def _said(summary: Summary, metric: str, say: Callable[[float], str]) -> str:
    value, found = summary.figure(metric), summary.estimate(metric)
    if value is not None:
        return say(value)
    return NOT_MEASURED if found is None else f"needs {found.needed:,} calls"
