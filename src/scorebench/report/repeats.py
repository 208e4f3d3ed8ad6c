"""Several runs of the same → a line each, and their medians. How two sets of runs differ, `compare` says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import TYPE_CHECKING

from scorebench.report import text
from scorebench.report.words import NOT_MEASURED
from scorebench.units import say_percent, say_rate, say_seconds

if TYPE_CHECKING:
    from scorebench.summary import Summary
    from scorebench.verdict import Verdict

Column = tuple[str, Callable[["Summary"], float | None], Callable[[float], str]]
COLUMNS: tuple[Column, ...] = (
    ("valid", lambda summary: summary.throughput_per_s, say_rate),
    ("p50", lambda summary: summary.figure("p50"), say_seconds),
    ("p99", lambda summary: summary.figure("p99"), say_seconds),
    ("calls valid", lambda summary: summary.valid_share, say_percent),
)


def render(summaries: Sequence[Summary], verdicts: Sequence[Verdict]) -> str:
    """A line a run, the medians, and how far apart the runs lie; times from due to done."""
    rows = [["Run", *(name for name, _, _ in COLUMNS), "measurement", "limits"]]
    for number, (summary, verdict) in enumerate(zip(summaries, verdicts, strict=True), 1):
        figures = [_said(of(summary), say) for _, of, say in COLUMNS]
        rows.append([str(number), *figures, *_verdicts(verdict)])
    values = [[of(summary) for summary in summaries] for _, of, _ in COLUMNS]
    middles = [_median(column) for column in values]
    says = [say for _, _, say in COLUMNS]
    rows.append(["median", *map(_said, middles, says), "", ""])
    rows.append(["spread", *map(_spread, values, middles), "", ""])
    return "\n".join(text.table(rows)) + "\n"


def _verdicts(verdict: Verdict) -> list[str]:
    met = {True: "met", False: "MISSED", None: "not decided" if verdict.checked else "none given"}
    return ["valid" if verdict.valid else "NOT VALID", met[verdict.met]]


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if len(known) == len(values) else None


def _spread(values: Sequence[float | None], middle: float | None) -> str:
    """(greatest - least) / median."""
    if not middle:
        return NOT_MEASURED
    known = [value for value in values if value is not None]
    return say_percent((max(known) - min(known)) / middle)


def _said(value: float | None, say: Callable[[float], str]) -> str:
    return NOT_MEASURED if value is None else say(value)
