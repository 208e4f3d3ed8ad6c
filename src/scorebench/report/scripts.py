"""The tables that benchmark.py and threaded_benchmark.py always printed, in seconds, to the letter.

Knows their form; computes nothing. What the old scripts lacked is the text report's to say, below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scorebench.report.words import NOT_MEASURED, plain

if TYPE_CHECKING:
    from scorebench.figures.percentiles import Estimate
    from scorebench.figures.summary import Summary


def results(summary: Summary, records: int) -> str:
    """The block `Results (seconds):` of one caller; `total` is the sum of its valid calls' seconds."""
    times = summary.service
    rows = [("mean", times.mean_s), ("max", times.max_s), ("min", times.min_s), ("total", times.sum_s)]
    lines = [f"  {name + ':':<8} {_seconds(value)}" for name, value in rows]
    return "\n".join(["Results (seconds):", *lines, f"  {'records:':<8} {records}"]) + "\n"


def table(summary: Summary) -> str:
    """The block `Summary` of several callers, a line each, and one of them all."""
    times = summary.service
    lines = [
        f"  {user.user:>6} {_seconds(user.mean_s)} {_seconds(user.max_s)} {_seconds(user.min_s)}"
        for user in summary.users
    ]
    mean = NOT_MEASURED if times.mean_s is None else f"{times.mean_s:.4f}"
    total = f"  Total  {mean} {_seconds(times.max_s)} {_seconds(times.min_s)}"
    return "\n".join(["Summary", "  Thread Mean  Max   Min", *lines, total]) + "\n"


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
    return "\n".join(lines) + "\n"


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
    said = f"; the first said: {plain(answer, 300)}" if answer else ""
    return f"no call got a valid answer: {calls:,} of {summary.calls:,} ended in '{label}'{said}"


def _seconds(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.3f}"
