"""Summary → the tables of times that every report shows, as cells. Knows wording; computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scorebench.report.words import NOT_MEASURED, count, milliseconds, say_moment
from scorebench.units import say_bytes_per_s, say_rate

if TYPE_CHECKING:
    from scorebench.figures.percentiles import Estimate
    from scorebench.figures.summary import Summary
    from scorebench.figures.times import Times

STREAMS_TITLE = "Streams: times of their chunks in ms"
SLOWEST_TITLE = "Slowest calls by their traces (times in ms)"
_BOUNDS = "99 % sure"


@dataclass(frozen=True)
class _Column:
    """What was timed; `counted` is what a percentile takes so many of."""

    name: str
    times: Times
    counted: str = "call"


def times(summary: Summary) -> list[list[str]]:
    """The table of times in ms, its head first; empty where no call was valid.

    In a closed loop a call is due when it is sent, and one column says both.
    """
    if not summary.valid:
        return []
    if not summary.open_loop:
        return _table([_Column("time", summary.service)])
    return _table([_Column("service", summary.service), _Column("response", summary.response)])


def streams(summary: Summary) -> list[list[str]]:
    """The same of the streams' chunks; empty where no valid answer was a stream."""
    if summary.streams is None:
        return []
    first, gap = summary.streams.first_chunk, summary.streams.chunk_gap
    return _table([_Column("first chunk", first), _Column("between chunks", gap, "gap")])


def streams_line(summary: Summary) -> str:
    """How many streams and chunks there were, and how much a second, in a line."""
    found = summary.streams
    if found is None:
        return ""
    rates = [
        _rate(found.chunks_per_s, "chunks/s"),
        NOT_MEASURED if found.stream_bytes_per_s is None else say_bytes_per_s(found.stream_bytes_per_s),
        _rate(found.output_tokens_per_s, "output tokens/s"),
    ]
    return f"{count(found.streams, 'stream')} with {count(found.chunks, 'chunk')}: {', '.join(rates)}"


def slowest(summary: Summary) -> list[list[str]]:
    """The slowest calls by their traces, times in ms, its head first; empty without --traceparent."""
    if not summary.slowest:
        return []
    head = ["Trace id", "Outcome", "Sent", "Service", "Response"]
    return [
        head,
        *(
            [
                one.trace_id,
                one.outcome,
                say_moment(one.sent_s),
                *map(milliseconds, (one.service_s, one.response_s)),
            ]
            for one in summary.slowest
        ),
    ]


def _rate(per_s: float | None, noun: str) -> str:
    return f"{noun} {NOT_MEASURED}" if per_s is None else f"{say_rate(per_s).removesuffix('/s')} {noun}"


def _table(columns: Sequence[_Column]) -> list[list[str]]:
    head = [cell for column in columns for cell in (column.name, _BOUNDS)]
    rows = [["", *head], *(_exact(name, columns) for name in ("mean", "min"))]
    rows += [_percentile(name, columns) for name in columns[0].times.percentiles]
    return [*rows, _exact("max", columns)]


def _exact(name: str, columns: Sequence[_Column]) -> list[str]:
    return [name, *(cell for one in columns for cell in (milliseconds(one.times.figure(name)), ""))]


def _percentile(name: str, columns: Sequence[_Column]) -> list[str]:
    cells = [name]
    for column in columns:
        found = column.times.percentiles[name]
        if found.value is None:
            cells += ["", f"needs {found.needed:,} {column.counted}s"]
        else:
            cells += [milliseconds(found.value), _between(found)]
    return cells


def _between(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return "bounds not known" if found.low is None else f"at least {milliseconds(found.low)}"
    return f"{milliseconds(found.low)} to {milliseconds(found.high)}"
