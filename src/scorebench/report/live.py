"""A run in progress, in words, for a terminal or a log. Knows wording; computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scorebench.report.words import count, plain
from scorebench.units import say_percent, say_rate, say_seconds

if TYPE_CHECKING:
    from scorebench.figures.live import Live


def line(live: Live) -> str:
    """Everything in one line, for logs."""
    parts = [progress(live), rates(live), times(live)]
    return "; ".join([*parts, outcomes(live)] if live.calls != live.valid else parts)


def progress(live: Live) -> str:
    """`10 s of 30 s: 2,070 calls`."""
    time = f"{live.elapsed_s:.0f} s" + (f" of {live.of_s:.0f} s" if live.of_s else "")
    calls = f"{live.calls:,} of {live.of_calls:,} calls" if live.of_calls else count(live.calls, "call")
    return f"{time}: {calls}" + (" (warming up)" if live.warming_up else "")


def rates(live: Live) -> str:
    """Valid answers a second, and the offered rate if the calls sent fall behind it."""
    if live.throughput_per_s is None:
        return "no rate yet"
    text = f"{say_rate(live.throughput_per_s)} valid"
    if live.due_per_s and live.sent_per_s is not None and live.late:
        text += f", {say_rate(live.sent_per_s)} sent of {say_rate(live.due_per_s)} due"
    return text


def times(live: Live) -> str:
    """The percentiles that the calls support, from due to done."""
    known = [f"{name} {say_seconds(t)}" for name, t in live.percentiles_s.items() if t is not None]
    known += [] if live.max_s is None else [f"max {say_seconds(live.max_s)}"]
    return ", ".join(known) or "no times yet"


def outcomes(live: Live) -> str:
    """Each outcome with its calls and share."""
    shares = [
        f"{plain(label)} {calls:,} ({say_percent(calls / live.calls)})"
        for label, calls in live.outcomes.items()
    ]
    return ", ".join(shares) or "no answers yet"
