"""Summary + recording → findings about the warm-up: did it fail, was it long enough? Knows no limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scorebench.answers.outcome import Outcome
from scorebench.figures.accounting import PATIENCE, PATIENCE_S
from scorebench.units import say_seconds
from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording

SHARE = 0.1
"""A call of the warm-up that kept its user for more of the measured time leaves figures of others."""


def failed(summary: Summary, _: Recording) -> Iterator[Finding]:
    """Calls that failed while the warm-up lasted: those that failed later are measured."""
    calls = summary.warm_up.calls - summary.warm_up.valid
    if calls:
        yield Finding(
            Severity.WARNING,
            "warm_up_failures",
            f"{calls:,} of the {summary.warm_up.calls:,} calls of the warm-up were not valid",
            "see the server's log; the figures exclude the warm-up",
        )


def too_short(summary: Summary, recording: Recording) -> Iterator[Finding]:
    """Calls of the warm-up that were answered long after it: in no figure, and slower than any that is."""
    warm_up_s, measured_s = summary.environment.get("warm_up_s"), summary.wall_time_s
    seconds, slowest_s = recording.warm_up.seconds, summary.service.max_s
    answered = [second for second, tally in seconds.items() if tally.done.get(Outcome.VALID.label)]
    if not (warm_up_s and answered and measured_s and slowest_s is not None):
        return
    over_s = max(answered) - (min(seconds) + warm_up_s)
    if over_s > PATIENCE * slowest_s + PATIENCE_S:
        yield Finding(
            Severity.INVALID if over_s > SHARE * measured_s else Severity.WARNING,
            "warm_up_too_short",
            f"the last answer of the warm-up came {say_seconds(over_s)} after it, and is left out; "
            f"the slowest of the others took {say_seconds(slowest_s)}",
            "use a longer --warm-up, or none",
            flatters=True,
        )


CHECKS = (failed, too_short)
