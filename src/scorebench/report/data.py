"""Summary + verdict → JSON and CSV, for programs. Knows their forms; computes nothing.

An empty cell or null is what was not measured. A cell holds a number or a word of ours, never what
a server or a user wrote: no spreadsheet takes one for a formula.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import astuple, fields
from typing import TYPE_CHECKING, Any

from scorebench.figures.metrics import Metric, every
from scorebench.figures.summary import UserFigures
from scorebench.figures.timeline import Second, timeline

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording
    from scorebench.verdicts.verdict import Verdict

Bounds = tuple[float | None, float | None]


def render_json(summary: Summary, verdict: Verdict) -> str:
    """The text of summary.json; its schema is schemas/summary.schema.json, its times are seconds."""
    return dumped({**summary.to_dict(), "metrics": _metrics(summary), "verdict": verdict.to_dict()}, indent=2)


def render_csv(summary: Summary) -> str:
    """One figure a line: metric, value, unit, and the bounds of a percentile."""
    rows = [
        ("calls", summary.calls, "calls", None, None),
        *((f"calls {label}", calls, "calls", None, None) for label, calls in summary.outcomes.items()),
        ("wall_time", summary.wall_time_s, "s", None, None),
        *((metric.column, value, metric.unit.name, *bounds) for metric, value, bounds in _figures(summary)),
    ]
    return _csv(("metric", "value", "unit", "low", "high"), rows)


def _figures(summary: Summary) -> Iterator[tuple[Metric, float | None, Bounds]]:
    """Every metric with what it came to, and its bounds."""
    for metric in every():
        found = metric.estimate(summary)
        if found is None:
            yield metric, metric.of(summary), (None, None)
        else:
            yield metric, found.value, (found.low, found.high)


def _metrics(summary: Summary) -> dict[str, Any]:
    """By the names that limits have."""
    return {
        metric.name: {"value": value, "unit": metric.unit.name, "low": low, "high": high}
        for metric, value, (low, high) in _figures(summary)
    }


def users_csv(summary: Summary) -> str:
    """The text of users.csv: a line a user."""
    return _csv(_names(UserFigures), map(astuple, summary.users))


def seconds_csv(recording: Recording) -> str:
    """The text of seconds.csv: a line a second, from the first to the last that was measured."""
    return _csv(_names(Second), map(astuple, timeline(recording.measured)))


def dumped(data: Any, indent: int | None = None) -> str:
    """JSON that every parser reads: no NaN, no infinity; ValueError for them."""
    return json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False) + "\n"


def _names(record: type[UserFigures | Second]) -> list[str]:
    return [field.name for field in fields(record)]


def _csv(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
