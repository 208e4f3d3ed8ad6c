"""Summary + recording → findings about the measurement. Statistics; knows no limit.

Three questions: did the generator do what was asked (`generator_findings`), does the recording hold all that
happened, and would the same run again show the same?
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import mul
from typing import TYPE_CHECKING

from scorebench.figures.accounting import patience_s
from scorebench.figures.timeline import middle_s
from scorebench.load.schedule import ALL_USERS_BUSY, GENERATOR_LATE, NO_USERS
from scorebench.recordings.lost import NOT_HEARD_OF
from scorebench.recordings.tally import SecondTally
from scorebench.units import say_percent, say_seconds
from scorebench.verdicts import (
    answer_findings,
    generator_findings,
    happenings,
    locustfile_findings,
    outages,
    payload_findings,
    rejected,
    sign_in_findings,
    stalls,
    steadiness,
    warm_up_findings,
)
from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording

STEADY_ARRIVALS = ("constant", "poisson")
"""Arrivals at a constant rate, where a change over the run is a finding."""

MISSING_SHARE = 0.01
"""With a larger share of calls that have no known outcome, the upper percentiles can't be trusted."""
CUT_OFF_SHARE = 0.1
"""The same in a closed loop, where each user may leave one call at the end, however well the server answers.
With a larger share users made fewer than ten calls, and most of what is known is of the quick ones."""
NEVER_SENT_ADVICE = {
    ALL_USERS_BUSY: "use a lower rate or more users",
    GENERATOR_LATE: "give the generator a core of its own, or more generator processes",
    NOT_HEARD_OF: "find out why it ended, and run again",
    NO_USERS: "use no more processes than users that send (--processes), or run longer",
}
SHORT_RUN = 0.5


Check = Callable[["Summary", "Recording"], Iterator[Finding]]


def look(summary: Summary, recording: Recording, *, so_far: bool = False) -> list[Finding]:
    """All findings of this version; `so_far`: the run has not ended."""
    checks = [check for check in CHECKS if not (so_far and check in AT_THE_END)]
    return stalls.without_blame([finding for check in checks for finding in check(summary, recording)])


def _counts(summary: Summary, _: Recording) -> Iterator[Finding]:
    if not summary.calls:
        yield Finding(
            Severity.INVALID,
            "no_calls",
            "no call was measured",
            "run longer than the warm-up, and check that users were started",
        )
    elif not summary.valid:
        yield Finding(
            Severity.INVALID,
            "no_valid_answer",
            f"none of {summary.calls:,} calls had a valid answer: there is nothing to measure",
            "see the examples below, and the server's log",
        )
    for mismatch in summary.accounting.mismatches:
        yield Finding(
            Severity.INVALID,
            "does_not_add_up",
            f"counts don't add up: {mismatch}",
            "a worker was lost, or this is a bug of scorebench: keep the folder and report it",
        )


def _never_sent(summary: Summary, _: Recording) -> Iterator[Finding]:
    due = summary.accounting.due
    for cause, calls in summary.accounting.never_sent.items():
        share = calls / due if due else 1.0
        fate = "were not heard of" if cause == NOT_HEARD_OF else "were never sent"
        yield Finding(
            Severity.INVALID if share > MISSING_SHARE else Severity.WARNING,
            "never_sent",
            f"{calls:,} calls that were due ({say_percent(round(share, 4))}) {fate}: {cause}",
            NEVER_SENT_ADVICE.get(cause, "see the log for the reason"),
            flatters=cause == ALL_USERS_BUSY,
        )


def _overdue(summary: Summary, recording: Recording) -> Iterator[Finding]:
    calls, waited_s = summary.accounting.overdue, recording.measured.waiting.min_s
    most_s = patience_s(recording.measured)
    if calls and waited_s is not None and most_s is not None and summary.service.max_s is not None:
        waited_s = max(waited_s, most_s)  # others, cut off too, had not waited long
        yield Finding(
            Severity.WARNING,
            "overdue",
            f"{calls:,} calls had no answer when the run ended, after {say_seconds(waited_s)} or more; the "
            f"slowest answer took {say_seconds(summary.service.max_s)}: they count as failed",
            "see the server's log at that time: did it hang?",
            flatters=True,
        )


def _cut_off(summary: Summary, _: Recording) -> Iterator[Finding]:
    calls = summary.accounting.cut_off
    if calls:
        share = calls / summary.calls
        other = ", or when their locustfile stopped them" if summary.requests else ""
        grave = share > (MISSING_SHARE if summary.open_loop else CUT_OFF_SHARE)
        yield Finding(
            Severity.INVALID if grave else Severity.WARNING,
            "cut_off",
            f"{calls:,} calls ({say_percent(round(share, 4))}) were still in flight at the end{other}: "
            "their times are unknown",
            "use a longer --drain, or run longer",
            flatters=True,
        )


def _late(summary: Summary, _: Recording) -> Iterator[Finding]:
    share = summary.late / summary.calls if summary.calls else 0.0
    if share > generator_findings.LATE_SHARE:
        yield Finding(
            Severity.WARNING,
            "users_busy",
            f"{summary.late:,} calls ({say_percent(round(share, 3))}) were due while all users were busy; "
            "they were sent late, and their response time includes the wait",
            "use more users; if that changes nothing, the server has reached its limit",
        )


def _steady(summary: Summary, recording: Recording) -> Iterator[Finding]:
    kind = str(summary.environment.get("arrivals") or "constant").partition(":")[0]
    seconds = _whole_seconds(recording)
    if kind not in STEADY_ARRIVALS or not seconds:
        return
    calls = [second.done.get("valid", 0) for second in seconds]
    for found in steadiness.judge(calls, [_mean_s(second) for second in seconds]).findings or ():
        yield Finding(Severity.WARNING, found.kind.replace(" ", "_"), found.text, found.advice)


def _whole_seconds(recording: Recording) -> list[SecondTally]:
    """Those of the load without the first and the last, which it covers in part; a drain may last minutes."""
    seconds = recording.measured.seconds
    if not seconds:
        return []
    nothing = SecondTally()
    until_s = min(max(seconds), outages.load_until_s(recording))
    return [seconds.get(second, nothing) for second in range(min(seconds) + 1, until_s)]


def _mean_s(second: SecondTally) -> float | None:
    times = second.response_us
    calls = sum(times.values())
    return sum(map(mul, map(middle_s, times), times.values())) / calls if calls else None


def _cores(summary: Summary, _: Recording) -> Iterator[Finding]:
    if summary.environment.get("shared_cores"):
        cores = summary.environment.get("host_cores")
        yield Finding(
            Severity.NOTE,
            "shared_cores",
            "server and generator share their cores"
            + (f" ({cores} on this host)" if cores else "")
            + ": each takes time from the other",
            "pin them to different cores, or run the generator on another machine",
        )


def _arrivals(summary: Summary, _: Recording) -> Iterator[Finding]:
    if note := summary.environment.get("arrivals_note"):
        yield Finding(Severity.NOTE, "arrivals", str(note).rstrip("."), "remove one of the two")


def _run_time(summary: Summary, _: Recording) -> Iterator[Finding]:
    run_time_s, warm_up_s = (summary.environment.get(name) or 0.0 for name in ("run_time_s", "warm_up_s"))
    asked_s = run_time_s - warm_up_s  # what is measured begins after the warm-up
    if run_time_s and summary.wall_time_s is not None and summary.wall_time_s < SHORT_RUN * asked_s:
        yield Finding(
            Severity.NOTE,
            "ended_early",
            f"measured {say_seconds(summary.wall_time_s)} of the {say_seconds(asked_s)} asked for",
            "it was stopped, or its calls were used up",
        )


CHECKS: tuple[Check, ...] = (
    rejected.findings,
    _counts,
    stalls.findings,
    *generator_findings.CHECKS,
    _never_sent,
    _late,
    _overdue,
    _cut_off,
    happenings.findings,
    sign_in_findings.findings,
    locustfile_findings.look,
    outages.findings,
    _steady,
    *warm_up_findings.CHECKS,
    _cores,
    _arrivals,
    _run_time,
    *payload_findings.CHECKS,
    *answer_findings.CHECKS,
)
AT_THE_END = (_counts, outages.findings, _steady, _run_time)
"""Findings that need a whole run, or take long to compute."""
