"""The tables that the two scripts print, in seconds. Knows their form; computes nothing.

The first lines are those of the old scripts; what these lacked comes below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scorebench.report.words import NOT_MEASURED, plain

if TYPE_CHECKING:
    from scorebench.figures.percentiles import Estimate
    from scorebench.figures.summary import Summary
    from scorebench.figures.times import Times


def results(summary: Summary, records: int) -> str:
    """The block `Results (seconds):` of one caller; the times, `total` too, are those of its valid calls.

    `records` are those of the data that were sent, however often.
    """
    times = summary.service
    rows = [("mean", times.mean_s), ("max", times.max_s), ("min", times.min_s), ("total", times.sum_s)]
    lines = [*((name, _seconds(value)) for name, value in rows), ("records", str(records))]
    lines += [("calls", str(summary.calls)), ("std", _seconds(times.std_s)), ("rsd", _relative(times))]
    return "\n".join(["Results (seconds):", *(f"  {name + ':':<8} {value}" for name, value in lines)]) + "\n"


def _relative(times: Times) -> str:
    """The standard deviation as a share of the mean."""
    if times.std_s is None or not times.mean_s:
        return NOT_MEASURED
    return f"{times.std_s / times.mean_s:.1%}"


def table(summary: Summary) -> str:
    """The block `Summary` of several callers, a line each, and one of them all; times of valid calls."""
    times = summary.service
    lines = [
        f"  {user.user:>6} {_extremes(user.mean_s, user.max_s, user.min_s)} {user.calls:>4}"
        for user in summary.users
    ]
    mean = NOT_MEASURED if times.mean_s is None else f"{times.mean_s:.4f}"
    total = f"  Total  {mean} {_seconds(times.max_s)} {_seconds(times.min_s)} {summary.calls:>4}"
    return "\n".join(["Summary", "  Thread Mean  Max   Min   Reqs", *lines, total]) + "\n"


def _extremes(*times_s: float | None) -> str:
    return " ".join(map(_seconds, times_s))


def more(summary: Summary) -> str:
    """What the old scripts lacked: percentiles, calls a second, wall time, calls by outcome; in seconds."""
    found = summary.service.percentiles
    lines = ["Percentiles (seconds):", *(f"  {name + ':':<8} {_percentile(found[name])}" for name in found)]
    lines += ["Rate:", f"  valid calls a second: {_rate(summary.throughput_per_s)}"]
    lines += [f"  rows a second:        {_rate(summary.rows_per_s)}"]
    lines += [f"  wall time in seconds: {_seconds(summary.wall_time_s)}", "Outcomes (calls):"]
    width = max(map(len, summary.outcomes), default=0) + 1
    lines += [f"  {label + ':':<{width}} {calls:,}" for label, calls in summary.outcomes.items()]
    lines += [f"  {label}, the first: {plain(text, 300)}" for label, text in summary.examples.items()]
    return "\n".join([*lines, *_changed(summary)]) + "\n"


def _changed(summary: Summary) -> list[str]:
    """Answers that differed from the first to the same record, and two of them; no lines where none did."""
    if not summary.changed:
        return []
    lines = ["Changed (valid answers that differ from the first to the same record):"]
    lines.append(f"  answers: {summary.changed:,} of {summary.valid:,}")
    pair = summary.changed_example
    if "first" in pair and "then" in pair:
        lines += [f"  first:   {plain(pair['first'], 300)}", f"  then:    {plain(pair['then'], 300)}"]
    return lines


def _percentile(found: Estimate) -> str:
    if found.value is None:
        return found.needs
    if found.low is None or found.high is None:
        return f"{found.value:.3f}"
    return f"{found.value:.3f} (99 % sure: {found.low:.3f} to {found.high:.3f})"


def _rate(per_s: float | None) -> str:
    return NOT_MEASURED if per_s is None else f"{per_s:,.1f}"


def nothing_valid(summary: Summary) -> str | None:
    """One line on why no call got a valid answer, with what was answered; None where one did."""
    if summary.valid:
        return None
    if not summary.calls:
        return "no call was sent"
    label, calls = next(iter(summary.outcomes.items()))
    answer = summary.examples.get(label)
    first = f"; the first said: {plain(answer, 300)}" if answer else ""
    return f"no call got a valid answer: {calls:,} of {summary.calls:,} ended in '{label}'{first}"


def _seconds(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.3f}"
