"""Findings about what a locustfile did besides its calls. Knows events; no Locust."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scorebench.recordings.happenings import OUTSIDE_THE_TEST, TASK_RAISED
from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording


def look(summary: Summary, _: Recording) -> Iterator[Finding]:
    """Findings about users of other classes than ours."""
    raised = [str(event.get("why")) for event in summary.events if event.get("what") == TASK_RAISED]
    if raised:
        yield Finding(
            Severity.WARNING,
            "task_raised",
            f"tasks of the locustfile raised exceptions, {'; '.join(raised)}",
            "see Locust's log for the traceback",
        )
    if outside := _sum_of(summary, OUTSIDE_THE_TEST):
        yield Finding(
            Severity.NOTE,
            "outside_the_test",
            f"{outside:,} requests ended before the test began, or after its end; no figure counts them",
            "make them in test_start or in a task if they belong to the load",
        )


def _sum_of(summary: Summary, what: str) -> int:
    return sum(int(event.get("why") or 0) for event in summary.events if event.get("what") == what)
