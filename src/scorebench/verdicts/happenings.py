"""The events of a run → what each says against the measurement. Knows the events' names; no figures.

An event is what happened to a process: it ended, it was started again, a part of it failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scorebench.recordings.happenings import (
    HELPER_DIED,
    KILLED,
    MASTER_LOST,
    MORE_THAN_DEALT,
    OWN_LIMIT,
    REPORT_REFUSED,
    SERVER_ENDED,
    SERVER_RESTARTED,
    USERS_MISSING,
    WORKER_AWAY,
    WORKER_JOINED,
    WORKER_LEFT,
    WORKER_LOST,
)
from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording

MOST_LISTED = 3
"""Events of a kind that one line tells of."""


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
            f"the run was killed: {killed[0]}",
            "look for what ended it, such as a lack of memory or a reboot; run again",
        )
    if alone := _whys(summary, MASTER_LOST):
        yield Finding(
            Severity.INVALID,
            "master_lost",
            f"the master was lost while the load ran: these are the figures of {_listed(alone)}",
            "make one run of all workers' folders (scorebench merge), find out why it ended, and run again",
        )
    if lost := _whys(summary, WORKER_LOST):
        yield Finding(
            Severity.INVALID,
            "worker_lost",
            f"{_of_workers(len(lost), summary)} of the generator ended early: {_listed(lost)}",
            "find out why they ended (for example, out of memory), and run again",
        )
    yield from _of_members(summary)
    yield from _of_the_generator(summary)
    if restarts := _whys(summary, SERVER_RESTARTED):
        yield Finding(
            Severity.INVALID,
            "server_restarted",
            f"the server, or a worker of it, restarted {_times(len(restarts))} during the run",
            "see its log for the reason; the figures mix a warm server with a cold one",
        )


def _of_members(summary: Summary) -> Iterator[Finding]:
    """Workers that came and went: nothing was lost, but for a moment the load was not what was asked for.

    And those whose reports nobody can read.
    """
    if refused := _whys(summary, REPORT_REFUSED):
        yield Finding(
            Severity.INVALID,
            "report_refused",
            f"reports of workers could not be read, so their calls are in no figure: {_listed(refused)}",
            "give all machines the same version of scorebench and the same time; else report it",
        )
    if more := _whys(summary, MORE_THAN_DEALT):
        yield Finding(
            Severity.INVALID,
            "more_than_dealt",
            f"processes of the generator tell of more than there can have been: {_listed(more)}",
            "a process is broken, or none of yours: set SCOREBENCH_CLUSTER_SECRET, and run again",
        )
    if whys := _whys(summary, WORKER_LEFT):
        yield Finding(
            Severity.WARNING,
            "worker_left",
            f"{_of_workers(len(whys), summary)} of the generator left while the load ran: {_listed(whys)}",
            "keep the same workers from the beginning to the end",
        )
    if whys := _whys(summary, WORKER_AWAY):
        yield Finding(
            Severity.WARNING,
            "worker_away",
            f"{_of_workers(len(whys), summary)} of the generator did not answer for a time: {_listed(whys)}",
            "find out what stopped it, and run again",
        )
    if whys := _whys(summary, WORKER_JOINED):
        yield Finding(
            Severity.NOTE,
            "worker_joined",
            f"{_of_workers(len(whys), summary)} of the generator joined while the load ran: {_listed(whys)}",
            "start all workers before the run",
        )


def _of_workers(count: int, summary: Summary) -> str:
    """How many of the processes that the load began with."""
    workers = summary.environment.get("workers")
    return f"{count} of {workers} processes" if workers else f"{count} processes"


def _listed(whys: list[str]) -> str:
    more = f" (and {len(whys) - MOST_LISTED} more)" if len(whys) > MOST_LISTED else ""
    return "; ".join(whys[:MOST_LISTED]) + more


def _of_the_generator(summary: Summary) -> Iterator[Finding]:
    """What failed on our side. Only the first of its kind is shown."""
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
