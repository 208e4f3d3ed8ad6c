"""Summary → findings about the bodies that were sent, and the answers to them. Knows figures; no limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scorebench.units import say_percent
from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording

_SHOWN = 80
"""Characters of each of two answers that differ; the report has more of both."""


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
            f"{summary.changed:,} answers{of} differed from the first to the same payload{_pair(summary)}",
            "look for state that calls share; --expect random is for models that draw random numbers, "
            "--tolerance for small differences, and --limit 'changed<0.1%' fails the run",
        )


def _pair(summary: Summary) -> str:
    first, then = summary.changed_example.get("first"), summary.changed_example.get("then")
    return "" if first is None or then is None else f": {first[:_SHOWN]} became {then[:_SHOWN]}"


CHECKS = (_notes, _changed)
