"""Summary + verdict → JSON and CSV, for programs. Knows their forms; computes nothing.

An empty cell or null is what was not measured. A cell holds a number, a word of ours, or the name of a
request with whatever a spreadsheet would take for a formula made harmless.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from scorebench.figures.summary import UserFigures
from scorebench.figures.timeline import Second, timeline
from scorebench.report.forms.summary import by_metric, form_of
from scorebench.report.words import plain

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording
    from scorebench.verdicts.verdict import Verdict

FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes for the start of a formula."""


def render_json(summary: Summary, verdict: Verdict) -> str:
    """The text of summary.json; its schema is schemas/summary.schema.json, its times are seconds."""
    return dumped(form_of(summary, verdict), indent=2)


def render_csv(summary: Summary) -> str:
    """One figure a line: metric, value, unit, and the bounds of a percentile."""
    rows = [
        ("calls", summary.calls, "calls", None, None),
        *((f"calls {label}", calls, "calls", None, None) for label, calls in summary.outcomes.items()),
        ("wall_time", summary.wall_time_s, "s", None, None),
        *((metric.column, value, metric.unit.name, *bounds) for metric, value, bounds in by_metric(summary)),
    ]
    return _csv(("metric", "value", "unit", "low", "high"), rows)


def users_csv(summary: Summary) -> str:
    """The text of users.csv: a line a user."""
    return _csv(UserFigures.__struct_fields__, map(msgspec.structs.astuple, summary.users))


def requests_csv(summary: Summary) -> str:
    """The text of requests.csv: a line for each request, and one for each of its users.

    `worker` and `user` are empty in the line of all users; calls whose user is not known say so.
    """
    columns = ("method", "name", *UserFigures.__struct_fields__)
    return _csv(columns, _request_rows(summary))


def _request_rows(summary: Summary) -> Iterator[Iterable[Any]]:
    for request in summary.requests:
        named = (_harmless(request.method), _harmless(request.name))
        all_of_them = (request.calls, request.valid, request.mean_s, request.min_s, request.max_s)
        yield (*named, None, None, *all_of_them)
        for user in request.users:
            worker, number, *figures = msgspec.structs.astuple(user)
            yield (*named, worker, "not known" if number is None else number, *figures)


def _harmless(name: str) -> str:
    """OWASP's rule against CSV injection: a quote before what starts a formula; no control characters."""
    shown = plain(name)
    return f"'{shown}" if shown.startswith(FORMULA) else shown


def seconds_csv(recording: Recording) -> str:
    """The text of seconds.csv: a line a second, from the first to the last that was measured."""
    return _csv(Second._fields, timeline(recording.measured))


def dumped(data: Any, indent: int | None = None) -> str:
    """JSON that every parser reads: no NaN, no infinity, ValueError for them; no half of a character.

    `data` may hold records. msgspec's own encoder writes null for NaN, and would hide a bug.
    """
    text = json.dumps(msgspec.to_builtins(data), indent=indent, ensure_ascii=False, allow_nan=False) + "\n"
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _csv(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
