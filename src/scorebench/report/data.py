"""Summary + verdict → JSON and CSV, for programs. Knows their forms; computes nothing.

An empty cell or null is what was not measured. A cell holds a number or a word of ours, never what
a server or a user wrote: no spreadsheet takes one for a formula.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import astuple, fields
from typing import TYPE_CHECKING, Any

from scorebench.figures.summary import UserFigures
from scorebench.figures.timeline import Second, timeline

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary, Times
    from scorebench.recordings.recording import Recording
    from scorebench.verdicts.verdict import Verdict


def render_json(summary: Summary, verdict: Verdict) -> str:
    """The text of summary.json; its schema is schemas/summary.schema.json, its times are seconds."""
    return dumped({**summary.to_dict(), "verdict": verdict.to_dict()}, indent=2)


def render_csv(summary: Summary) -> str:
    """One figure a line: metric, value, unit, and the bounds of a percentile."""
    rows = [
        ("calls", summary.calls, "calls", None, None),
        *((f"calls {label}", calls, "calls", None, None) for label, calls in summary.outcomes.items()),
        ("valid_share", summary.valid_share, "", None, None),
        ("wall_time", summary.wall_time_s, "s", None, None),
        ("throughput", summary.throughput_per_s, "calls/s", None, None),
        ("rows", summary.rows_per_s, "rows/s", None, None),
        *_times("service", summary.service),
        *_times("response", summary.response),
        *_times("lag", summary.lag),
    ]
    return _csv(("metric", "value", "unit", "low", "high"), rows)


def _times(name: str, times: Times) -> Iterable[tuple[Any, ...]]:
    for exact, value in (("mean", times.mean_s), ("min", times.min_s), ("max", times.max_s)):
        yield f"{name}_{exact}", value, "s", None, None
    for percentile, found in times.percentiles.items():
        yield f"{name}_{percentile}", found.value, "s", found.low, found.high


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
