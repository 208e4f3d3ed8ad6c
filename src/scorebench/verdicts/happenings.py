"""The events of a run → what each says against the measurement. Knows the events' names; no figures.

An event is what happened to a process: it ended, it was started again, a part of it failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scorebench.recordings.happenings import (
    HELPER_DIED,
    KILLED,
    OWN_LIMIT,
    SERVER_ENDED,
    SERVER_RESTARTED,
    USERS_MISSING,
    WORKER_LOST,
)
from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording


def findings(summary: Summary, _: Recording) -> Iterator[Finding]:
    """One of each kind, on the first event of it."""
    if _whys(summary, SERVER_ENDED):
        yield Finding(
            Severity.INVALID,
            "server_ended",
            "the server ended during the run, and the run with it",
            "see its log in the run's folder",
        )
    if killed := _whys(summary, KILLED):
        yield Finding(
            Severity.INVALID,
            "killed",
            f"the run was killed {killed[0]}: the figures cover what was written down until then",
            "look for what ended it, such as a lack of memory or a reboot; run again",
        )
    if lost := _whys(summary, WORKER_LOST):
        yield Finding(
            Severity.INVALID,
            "worker_lost",
            f"{lost[0]} of the generator ended early: the figures lack what they sent since "
            "their last report",
            "find out why they ended (for example, out of memory), and run again",
        )
    yield from _of_the_generator(summary)
    if restarts := _whys(summary, SERVER_RESTARTED):
        yield Finding(
            Severity.INVALID,
            "server_restarted",
            f"the server, or a worker of it, restarted {_times(len(restarts))} during the run",
            "see its log for the reason; the figures mix a warm server with a cold one",
        )


def _of_the_generator(summary: Summary) -> Iterator[Finding]:
    """What failed on our side. The first of its kind is told."""
    if whys := _whys(summary, HELPER_DIED):
        yield Finding(
            Severity.INVALID,
            "helper_died",
            f"a part of the load generator failed: {whys[0]}",
            "keep the folder and report it: this is a bug of scorebench or of the locustfile",
        )
    if whys := _whys(summary, USERS_MISSING):
        yield Finding(
            Severity.INVALID,
            "users_missing",
            f"the load was less than was asked for: {whys[0]}",
            "start the users faster (--spawn-rate) or run longer; with many users use more processes",
        )
    if whys := _whys(summary, OWN_LIMIT):
        yield Finding(
            Severity.INVALID,
            "own_limit",
            f"calls failed at the load generator: {whys[0]}",
            "raise its limit of open files (ulimit -n), or use fewer users or more processes",
        )


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _whys(summary: Summary, what: str) -> list[str]:
    """The reason of each such event."""
    return [str(event.get("why")) for event in summary.events if event.get("what") == what]
