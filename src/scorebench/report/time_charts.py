"""Recording → charts along the time of the run, one under the other on the same axis. Computes nothing new.

A long run is drawn in stretches: of times the slowest second of each, so that no stall is lost; of rates the
mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, TypeVar

from scorebench.figures.offered import with_what_was_due
from scorebench.figures.percentiles import HEADLINE
from scorebench.figures.timeline import Second, SecondOfTimes, timeline, times_by_second
from scorebench.report import axes, charts, svg
from scorebench.report.charts import Chart
from scorebench.report.words import NOT_MEASURED, plain
from scorebench.units import say_percent, say_rate, say_seconds

if TYPE_CHECKING:
    from scorebench.recordings.recording import Recording
    from scorebench.verdicts.limits import Limit

MOST_POINTS = 3600
TABLE_ROWS = 60
"""More seconds are drawn in stretches; seconds.csv has all of them."""
MOST_MARKS = 8
GROUP = "time"
LATENCIES = {**{name: f"{name}_s" for name in HEADLINE}, "slowest call": "max_s"}
FIRST_CHUNKS = {**{name: f"{name}_s" for name in HEADLINE}, "latest first chunk": "max_s"}
RATES = {"due": "due", "sent": "sent", "valid answers": "valid"}
OUTCOMES = {"valid": "valid", "not valid": "invalid", "failed": "failed", "cut off": "cut_off"}
T = TypeVar("T")
Row = Second | SecondOfTimes
Pick = Callable[[Sequence[float]], float]


@dataclass(frozen=True)
class _Run:
    """The seconds of a run, their axis, and the events on it."""

    seconds: Sequence[Second]
    x: axes.Axis
    marks: Sequence[svg.Mark]
    limits: Sequence[Limit] = ()

    @property
    def whole(self) -> _Run:
        """Without the first second and the last, which the run fills in part."""
        return replace(self, seconds=self.seconds[1:-1]) if len(self.seconds) > 4 else self

    @property
    def step_s(self) -> int:
        """Seconds that are drawn as one."""
        return max(-(-len(self.seconds) // MOST_POINTS), 1)

    @property
    def drawn_as(self) -> str:
        """What a point of a long run covers; empty if that is one second."""
        return "" if self.step_s == 1 else f" Each point is {self.step_s} s: {{}}."

    def lines(
        self,
        names: Mapping[str, str],
        pick: Pick,
        *,
        steps: bool = False,
        of: Sequence[Row] | None = None,
    ) -> list[svg.Series]:
        """A line for each name; `of` rows of this run's seconds, where not of these themselves."""
        groups = _groups(self.seconds if of is None else of, self.step_s)
        found = []
        for name, key in names.items():
            points = [(float(g[0].t_s), _picked(g, key, pick)) for g in groups]
            if steps and points:  # the last second has a width too
                points.append((float(groups[-1][-1].t_s + 1), points[-1][1]))
            found.append(svg.Series(name, points, steps=steps))
        return found

    def table(
        self,
        names: Mapping[str, str],
        pick: Pick,
        say: Callable[[float], str],
        of: Sequence[Row] | None = None,
    ) -> tuple[list[str], list[list[str]]]:
        """The same as text."""
        found = self.seconds if of is None else of
        groups = _groups(found, max(-(-len(found) // TABLE_ROWS), 1))
        rows = [
            [self.x.say(g[0].t_s), *(_value_text(_picked(g, key, pick), say) for key in names.values())]
            for g in groups
        ]
        return ["From", *names], rows


def time_charts(
    recording: Recording, limits: Sequence[Limit] = (), *, open_loop: bool = False
) -> list[Chart]:
    """The charts that the recording has data for, in reading order; `limits` are drawn into them."""
    seconds = timeline(recording.measured)
    if not seconds:
        return []
    marks = [
        svg.Mark(at_s, plain(str(event["what"]), 40))
        for event in recording.events
        if (at_s := float(event.get("t_s", -1)) - seconds[0].unix_s) >= 0
    ]
    run = _Run(seconds, axes.clock(float(len(seconds))), marks[:MOST_MARKS], limits)
    samples = [sample for sample in recording.resources if sample.get("t_s") is not None]
    found = [
        _latency(run, "Response" if open_loop else "Service"),
        _first_chunks(run, recording),
        _rates(run, recording),
        _users(run, samples),
        _outcomes(run),
    ]
    found += [_sampled(run, what, samples) for what in _SAMPLED]
    return [chart for chart in found if chart is not None]


def _latency(run: _Run, name: str) -> Chart | None:
    note = (
        "Calls due in each second; a percentile is drawn if that second has enough calls for it. "
        "A stall is a peak."
    )
    levels = charts.levels(run.limits, lambda of: of.is_time and of.q is not None and not of.of_streams)
    return _timed(run, run.seconds, f"{name} time over the run", LATENCIES, note=note, levels=levels)


def _first_chunks(run: _Run, recording: Recording) -> Chart | None:
    """Of streams, where there were any."""
    streams = recording.measured.streams
    if streams is None or not streams.first_chunk_seconds:
        return None
    first = run.seconds[0].unix_s
    of_seconds = times_by_second(streams.first_chunk_seconds, first, first + len(run.seconds) - 1)
    note = "From sent to the first chunk, of the streams whose calls were due in each second."
    levels = charts.levels(run.limits, lambda of: of.name.startswith("first_chunk_"))
    return _timed(run, of_seconds, "First chunk over the run", FIRST_CHUNKS, note=note, levels=levels)


def _timed(
    run: _Run,
    of: Sequence[Row],
    title: str,
    names: Mapping[str, str],
    *,
    note: str,
    levels: Sequence[svg.Level],
) -> Chart | None:
    """Durations by second: of each stretch its slowest second."""
    series = [one for one in run.lines(names, max, of=of) if any(y is not None for _, y in one.points)]
    known = [y for one in series for _, y in one.points if y]
    if not known:
        return None
    heights = [*known, *(level.y for level in levels)]
    y = axes.logarithmic("", min(heights), max(heights), say_seconds)
    note += run.drawn_as.format("the greatest of its seconds")
    drawn = svg.chart(title, series, run.x, y, marks=run.marks, levels=levels, group=GROUP)
    drawn_of = {one.name: names[one.name] for one in series}
    return Chart(title, note, drawn, *run.table(drawn_of, max, say_seconds, of))


def _rates(run: _Run, recording: Recording) -> Chart:
    """What was due, sent and answered well; lines that would lie on each other are one."""
    whole = replace(run.whole, seconds=with_what_was_due(run.whole.seconds, recording))
    names = dict(RATES)
    if all(second.due == second.sent for second in whole.seconds):
        del names["due"]
    if all(second.sent == second.valid for second in whole.seconds):
        del names["sent"]
    notes = [
        "Offered (due): above sent, no user was free, or the generator was late." if "due" in names else "",
        "Valid below sent: a queue grows, or calls fail." if "sent" in names else "",
    ]
    note = " ".join(filter(None, notes)) or "All calls were sent when due, and all answers valid."
    levels = charts.levels(run.limits, lambda of: of.name == "throughput")
    return _counted(whole, "Calls a second", names, note, levels)


def _outcomes(run: _Run) -> Chart | None:
    if not any(second.invalid or second.failed or second.cut_off for second in run.seconds):
        return None
    whole = run.whole
    names = {name: key for name, key in OUTCOMES.items() if any(getattr(one, key) for one in whole.seconds)}
    note = "Calls that ended in each whole second, by outcome."
    return _counted(whole, "Outcomes over the run", names or {"valid": OUTCOMES["valid"]}, note, ())


def _counted(
    run: _Run, title: str, names: Mapping[str, str], note: str, levels: Sequence[svg.Level]
) -> Chart:
    series = run.lines(names, fmean, steps=True)
    tops = [y or 0.0 for one in series for _, y in one.points] + [level.y for level in levels]
    y = axes.linear("", max(1.0, *tops), say_rate)
    drawn = svg.chart(title, series, run.x, y, marks=run.marks, levels=levels, group=GROUP)
    note += run.drawn_as.format("the mean of its seconds")
    return Chart(title, note, drawn, *run.table(names, fmean, say_rate))


def _users(run: _Run, samples: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Of all generators together, where they were counted."""
    by_second: dict[int, dict[str, int]] = {}
    for sample in samples:
        at = int(sample["t_s"]) - run.seconds[0].unix_s
        if sample.get("users") is not None and 0 <= at <= len(run.seconds):
            by_second.setdefault(at, {})[str(sample["who"])] = int(sample["users"])
    if not by_second:
        return None
    points = [(float(at), float(sum(by_second[at].values()))) for at in sorted(by_second)]
    drawn = svg.chart(
        "Users",
        [svg.Series("users", _thin(points), steps=True)],
        run.x,
        axes.linear("", max(users for _, users in points), lambda value: f"{value:,.0f}", least_step=1),
        group=GROUP,
    )
    rows = [[run.x.say(at), f"{users:,.0f}"] for at, users in _changes(points)]
    return Chart("Users", "Users that were running.", drawn, ["From", "Users"], rows[:TABLE_ROWS])


def _changes(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [point for n, point in enumerate(points) if not n or points[n - 1][1] != point[1]]


@dataclass(frozen=True)
class _Sampled:
    title: str
    key: str
    say: Callable[[float], str]
    note: str


_SAMPLED = (
    _Sampled(
        "CPU",
        "cpu",
        lambda v: say_percent(round(v, 3)),
        "100 % is one core. A generator near 100 % measures itself.",
    ),
    _Sampled(
        "Threads", "threads", lambda v: f"{v:,.0f}", "Threads of the server and of each of its processes."
    ),
    _Sampled("Memory", "rss_bytes", lambda v: f"{v / 1e6:,.0f} MB", "Resident memory of all processes."),
)


def _sampled(run: _Run, what: _Sampled, samples: Sequence[Mapping[str, Any]]) -> Chart | None:
    first_s = run.seconds[0].unix_s
    found: dict[str, list[tuple[float, float]]] = {}
    for sample in samples:
        value, at = sample.get(what.key), sample["t_s"] - first_s
        if value is not None and 0 <= at <= len(run.seconds):
            found.setdefault(str(sample.get("who")), []).append((at, value))
    if not found:
        return None
    series = [svg.Series(plain(who), _thin(points)) for who, points in sorted(found.items())]
    top = max(y for points in found.values() for _, y in points)
    drawn = svg.chart(
        what.title, series, run.x, axes.linear("", max(top, 1e-3), what.say), marks=run.marks, group=GROUP
    )
    rows = []
    for who, points in sorted(found.items()):
        values = [y for _, y in points]
        rows.append([plain(who), what.say(median(values)), what.say(max(values))])
    return Chart(what.title, what.note, drawn, ["Process", "median", "greatest"], rows)


def _thin(points: Sequence[tuple[float, float]]) -> list[svg.Point]:
    """The largest value of each stretch."""
    return [
        max(group, key=lambda point: point[1]) for group in _groups(points, -(-len(points) // MOST_POINTS))
    ]


def _groups(items: Sequence[T], width: int) -> list[Sequence[T]]:
    return [items[start : start + width] for start in range(0, len(items), width)]


def _picked(group: Sequence[Row], key: str, pick: Pick) -> float | None:
    """None if no second of the group has a value."""
    values = [value for second in group if (value := getattr(second, key)) is not None]
    return float(pick(values)) if values else None


def _value_text(value: float | None, say: Callable[[float], str]) -> str:
    return NOT_MEASURED if value is None else say(value)
