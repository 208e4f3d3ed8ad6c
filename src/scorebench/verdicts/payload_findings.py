"""Summary → findings about the bodies that were sent, and the answers to them. Knows figures; no limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scorebench.units import say_percent
from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording


def _notes(summary: Summary, _: Recording) -> Iterator[Finding]:
    for note in (summary.environment.get("payload") or {}).get("notes") or ():
        yield Finding(Severity.NOTE, "payload", str(note), "check that this is what you want to measure")


def _changed(summary: Summary, _: Recording) -> Iterator[Finding]:
    payload = summary.environment.get("payload") or {}
    if summary.changed and not payload.get("answers_vary"):
        share = summary.changed_share
        of = "" if share is None else f" ({say_percent(round(share, 4))})"
        yield Finding(
            Severity.WARNING,
            "changed_under_load",
            f"{summary.changed:,} answers{of} differed from the first to the same payload",
            "unless the model draws random numbers, ask why; --limit 'changed<1%' holds a run to it",
        )


CHECKS = (_notes, _changed)
