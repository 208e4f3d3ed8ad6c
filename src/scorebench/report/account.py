"""What became of each call that was due, in lines. Knows wording; computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scorebench.report.words import count, percentile_text, plain
from scorebench.units import say_seconds

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary


def account(summary: Summary) -> list[str]:
    """What became of each call that was due, how late the generator was, and what is left out, in lines."""
    fates = summary.accounting
    parts = [("valid", fates.valid), ("invalid", fates.invalid), ("failed", fates.failed)]
    parts += [("cut off", fates.cut_off), ("never sent", sum(fates.never_sent.values()))]
    line = f"{fates.due:,} calls due = " + " + ".join(f"{n:,} {name}" for name, n in parts)
    lines = [line + ("" if fates.adds_up else "  DOES NOT ADD UP")]
    lines += [f"Never sent: {n:,}, {plain(cause)}" for cause, n in fates.never_sent.items()]
    if fates.overdue:
        lines.append(f"Failed: {fates.overdue:,} of them cut off at the end after waiting too long")
    lines += _lag(summary)
    if summary.warm_up.calls:
        warm = summary.warm_up
        slowest = f", the slowest {say_seconds(warm.max_s)}" if warm.max_s is not None else ""
        lines.append(f"Warm-up, excluded: {count(warm.calls, 'call')}, {warm.valid:,} valid{slowest}")
    if summary.sent_twice:
        calls = count(summary.sent_twice, "call")
        lines.append(f"Sent twice: {calls}, because the server had closed the idle connection")
    if summary.reconnects:
        lines.append(f"Reconnects: {summary.reconnects:,}")
    return lines


def _lag(summary: Summary) -> list[str]:
    if not summary.open_loop:
        return []
    shown = summary.lag.percentiles
    lines = []
    if summary.lag.count:
        values = ", ".join(f"{name} {percentile_text(shown[name])}" for name in ("p50", "p99"))
        lines.append(f"Generator lag: {values}")
    if summary.late:
        lines.append(f"Sent late because all users were busy: {count(summary.late, 'call')}")
    return lines
