"""What the answers show: bytes that nobody asked for, streams that did not come. Knows a summary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording


def _unasked(summary: Summary, _: Recording) -> Iterator[Finding]:
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


def _not_streamed(summary: Summary, _: Recording) -> Iterator[Finding]:
    """One, where --stream was given and the server gave a valid answer in one piece."""
    payload = summary.environment.get("payload")
    asked = isinstance(payload, dict) and payload.get("stream") is True
    plain = summary.valid - (0 if summary.streams is None else summary.streams.streams)
    if asked and plain:
        yield Finding(
            Severity.WARNING,
            "not_streamed",
            f"{plain:,} of {summary.valid:,} valid answers were no streams, though --stream asked for them: "
            "they were measured as plain answers",
            "check that the model and its server stream, or leave --stream out",
        )


CHECKS = (_unasked, _not_streamed)
