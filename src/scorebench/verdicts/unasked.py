"""Bytes that no call asked for: an answer may belong to another call. Knows a summary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording


def findings(summary: Summary, _: Recording) -> Iterator[Finding]:
    """One finding if it happened at all: any service time may be another call's."""
    if summary.unasked:
        yield Finding(
            Severity.INVALID,
            "unasked_bytes",
            f"the server sent more than it was asked for {summary.unasked:,} times: answers and calls may be "
            "mixed up, and service times too short",
            "look for a server or proxy that answers twice",
            flatters=True,
        )
