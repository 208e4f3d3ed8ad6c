"""Where the time of calls went → lines of text, and charts. Knows wording and drawing; computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from scorebench.recordings.parts import PARTS
from scorebench.report import svg
from scorebench.report.aligned import table
from scorebench.report.charts import Chart
from scorebench.report.words import count, milliseconds, plain
from scorebench.units import say_percent, say_seconds

if TYPE_CHECKING:
    from scorebench.figures.stages import Stages, TypicalCall

TITLE = "Where the time went"
NAMES = {"p50": "median call", "p99": "p99 call"}
MOST_WORKERS = 8
_HOW = (
    "Each is the mean of the calls around that percentile of response time, so that its parts add up. "
    "docs/why.md says what each part is."
)


def lines(stages: Stages | None, environment: Mapping[str, Any]) -> list[str]:
    """The section of the text report, without its title; empty without --timings."""
    if stages is None:
        return []
    return [*table(rows(stages)), *(f"  {line}" for line in notes(stages, environment))]


def rows(stages: Stages) -> list[list[str]]:
    """The parts of the typical calls and of all calls, in ms, the head first; the sums last."""
    shown = {NAMES[name]: call for name, call in stages.typical.items() if call is not None}
    columns = [call.parts_s for call in shown.values()] + [stages.mean_s]
    used = [part for part in PARTS if any(part in column for column in columns)]
    body = [[PARTS[part], *(milliseconds(column.get(part, 0.0)) for column in columns)] for part in used]
    sums = [milliseconds(sum(column.values())) for column in columns]
    return [["ms", *shown, "mean"], *body, ["together", *sums]]


def notes(stages: Stages, environment: Mapping[str, Any]) -> Iterator[str]:
    """What the reader must know of the table."""
    for name, call in stages.typical.items():
        if call is None:
            yield f"Too few calls for the {NAMES[name]}."
        else:
            yield f"{NAMES[name].capitalize()}: {_around(call)}."
    untold = stages.calls - stages.with_timings
    if not stages.with_timings:
        yield "The server sent no Server-Timing, so its own time is not known (docs/why.md)."
    elif untold:
        yield f"{count(untold, 'call')} of {stages.calls:,} came without Server-Timing of use."
    yield from _floor(environment)
    if stages.impossible:
        yield f"Server-Timing of {count(stages.impossible, 'call')} contradicts the call, and was not used."
    if stages.refused:
        yield f"{count(stages.refused, 'metric')} in Server-Timing broke its grammar or bounds."
    for name, times in stages.others.items():
        yield f"The server's own {plain(name, 40)}: p50 {_ms(times.at(0.5))}, p99 {_ms(times.at(0.99))}."
    if stages.workers:
        yield f"Calls by server process: {_workers(stages)}."


def _floor(environment: Mapping[str, Any]) -> Iterator[str]:
    """What any call takes at least. A recording may say anything of it."""
    floor = (environment.get("server") or {}).get("floor")
    known = floor if isinstance(floor, Mapping) else {}
    ping_s, connect_s = known.get("ping_s"), known.get("connect_s")
    if isinstance(ping_s, float) and isinstance(connect_s, float):
        took = f"GET /ping took {_ms(ping_s)} (median), connecting {_ms(connect_s)}"
        yield f"Before the run {took}: what any call takes at least."


def charts(stages: Stages | None) -> list[Chart]:
    """A staircase for each typical call that enough calls support."""
    if stages is None:
        return []
    known = {name: call for name, call in stages.typical.items() if call is not None}
    return [_chart(NAMES[name], call) for name, call in known.items()]


def _chart(name: str, call: TypicalCall) -> Chart:
    steps, reached_s = [], 0.0
    for part, seconds in call.parts_s.items():
        share, at = max(seconds, 0.0) / call.mean_s, reached_s / call.mean_s
        label = f"{PARTS[part]} {say_seconds(max(seconds, 0.0))}, {say_percent(round(share, 3))}"
        steps.append(svg.Step(label, at, share, known=part != "unknown"))
        reached_s += max(seconds, 0.0)
    title = f"The {name}: {say_seconds(call.mean_s)}"
    cells = [
        [PARTS[part], milliseconds(seconds), say_percent(round(seconds / call.mean_s, 3))]
        for part, seconds in call.parts_s.items()
    ]
    note = f"The mean of {_around(call)}. {_HOW}"
    return Chart(title, note, svg.staircase(title, steps), ["Part", "ms", "Share"], cells)


def _around(call: TypicalCall) -> str:
    return f"{call.calls:,.0f} calls between {say_seconds(call.low_s)} and {say_seconds(call.high_s)}"


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else say_seconds(seconds)


def _workers(stages: Stages) -> str:
    names = [f"{plain(who, 40)}: {calls:,}" for who, calls in stages.workers.items()]
    rest = len(names) - MOST_WORKERS
    return ", ".join(names[:MOST_WORKERS] + ([f"and {rest} more"] if rest > 0 else []))
