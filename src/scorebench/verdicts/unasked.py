"""Bytes that no call asked for: answers may have met the wrong calls. Knows a summary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording


def findings(summary: Summary, _: Recording) -> Iterator[Finding]:
    """One, where it happened at all: nobody knows how many service times are another call's."""
    if summary.unasked:
        yield Finding(
            Severity.INVALID,
            "unasked_bytes",
            f"the server sent more than it was asked for {summary.unasked:,} times: answers and calls may be "
            "mixed up, and service times too short",
            "look for a server or proxy that answers twice",
            flatters=True,
        )
