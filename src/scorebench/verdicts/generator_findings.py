"""Summary + recording → findings about the generator: was it late, busy or behind? Knows no limit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from scorebench.figures.server_use import SAMPLE_S
from scorebench.load.schedule import ALL_USERS_BUSY
from scorebench.recordings.lost import NOT_HEARD_OF
from scorebench.units import say_percent, say_seconds
from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording
    from scorebench.recordings.types import Sample

GENERATOR = "generator"
"""The start of the name of each sampled generator process."""
LAG_SHARE = 0.25
LAG_SHARE_WARNING = 0.10
"""The generator's lateness as a share of the response time at the same percentile. Ours: the response time
counts from the due time, so a quarter of what was measured would be the generator's."""
LEAST_LAG_S = {"p50": 0.001, "p99": 0.005}
"""A lag below these is never a finding, however fast the server is."""
LEAST_WAIT_S = 0.005
"""A shorter wait for the generator is never a finding: any process waits this long on shared cores."""
LEAST_READ_S, LEAST_READ_IN_ALL_S = 0.0001, 0.25
"""Less than this for a call, or in all, is never a finding: any client in Python takes as long for a call,
and a run's first answer, or one on a machine that is busy for a moment, may take longer."""
LATE_SHARE = 0.05
"""Of calls that were due while all users were busy."""
FEWEST_SECONDS = 3
BUSY_CPU = 0.9
"""Of one core: a process of ours runs on one, and from here on it queues its own work."""
RATE_SHARE = 0.98


def late(summary: Summary, _: Recording) -> Iterator[Finding]:
    """At most one finding, for the percentile at which the lag matters most."""
    shares = [found for name in LEAST_LAG_S if (found := _lag_at(summary, name))]
    share, name, lag_s, response_s = max(shares, default=(0.0, "", 0.0, 0.0))
    if share > LAG_SHARE_WARNING:
        yield _weighed(
            share,
            "generator_lag",
            f"the generator was late: its lag at {name} is {say_seconds(lag_s)}, "
            f"{say_percent(round(share, 3))} of the response time there ({say_seconds(response_s)})",
            "give it a core of its own, start more generator processes (--processes), or lower the rate",
        )


def _weighed(share: float, code: str, text: str, advice: str) -> Finding:
    """The generator's share of what was measured."""
    severity = Severity.INVALID if share > LAG_SHARE else Severity.WARNING
    return Finding(severity, code, text, advice)


def _lag_at(summary: Summary, name: str) -> tuple[float, str, float, float] | None:
    lag_s, response_s = summary.lag.percentiles[name].value, summary.response.percentiles[name].value
    if not lag_s or not response_s or lag_s < LEAST_LAG_S[name]:
        return None
    return lag_s / response_s, name, lag_s, response_s


def at_its_limit(_: Summary, recording: Recording) -> Iterator[Finding]:
    """A generator that uses a whole core measures itself: answers wait in its own queue."""
    for who, cpu in _cpu_by_process(recording):
        busy = float(np.mean(np.array(cpu) >= BUSY_CPU))
        if busy >= 0.1:
            yield Finding(
                Severity.INVALID if busy >= 0.5 else Severity.WARNING,
                "generator_cpu",
                f"{who} was at the limit of its core in {say_percent(round(busy, 2))} of the seconds "
                f"(CPU median {say_percent(round(float(np.median(cpu)), 2))}): it may have measured itself",
                "start more generator processes (--processes), or use fewer users or a lower rate",
            )


def answers_waited(summary: Summary, recording: Recording) -> Iterator[Finding]:
    """Answers that wait in the generator make every call look slower than the server is."""
    lateness = [late_s for s in _of_generators(recording) if (late_s := s.get("late_s")) is not None]
    service_s = summary.service.percentiles["p50"].value
    if len(lateness) < FEWEST_SECONDS or not service_s:
        return
    late_s = float(np.median(lateness))  # as the median of the service times: one stall moves neither
    share = late_s / service_s
    if late_s >= LEAST_WAIT_S and share > LAG_SHARE_WARNING:
        yield _weighed(
            share,
            "generator_busy",
            f"answers waited {say_seconds(late_s)} for the generator in the median second, "
            f"{say_percent(round(share, 3))} of the median service time ({say_seconds(service_s)})",
            "look for what else runs in its process and on its cores; "
            "start more generator processes (--processes)",
        )


def read_slowly(summary: Summary, recording: Recording) -> Iterator[Finding]:
    """A user that reads an answer sends nothing: a closed loop offers less, and a rate finds it busy."""
    if summary.open_loop and summary.late <= LATE_SHARE * summary.calls:
        return
    read_s, phases = recording.reading_s, (recording.measured, recording.warm_up)
    served_s = sum(phase.service.sum_s + phase.failing.sum_s for phase in phases)
    calls = sum(phase.calls for phase in phases)
    if read_s < max(LEAST_READ_S * calls, LEAST_READ_IN_ALL_S) or not served_s:
        return
    share = read_s / (read_s + served_s)
    if share > LAG_SHARE_WARNING:
        yield _weighed(
            share,
            "generator_read",
            f"users spent {say_percent(round(share, 2))} of their time on reading answers, "
            f"{say_seconds(read_s / calls)} a call, and sent nothing meanwhile",
            "send fewer rows in a call, or offer a rate (--rate) that more users share",
        )


def _of_generators(recording: Recording) -> list[Sample]:
    """While calls were measured: what it did while users started would make it look less busy, or more.

    A sample tells of the second before it. Half of one under load counts: a short run has few. No sample is
    too late, since a worker's clock may be ahead of the master's, which says when the load ended.
    """
    begin_s = (recording.measured.first_due_s or 0.0) + SAMPLE_S / 2
    return [one for one in recording.resources if one["who"].startswith(GENERATOR) and one["t_s"] >= begin_s]


def _cpu_by_process(recording: Recording) -> list[tuple[str, list[float]]]:
    samples = sorted(
        (sample["who"], cpu) for sample in _of_generators(recording) if (cpu := sample["cpu"]) is not None
    )
    grouped = groupby(samples, key=lambda sample: sample[0])
    return [(who, [cpu for _, cpu in of_who]) for who, of_who in grouped]


def behind(summary: Summary, recording: Recording) -> Iterator[Finding]:
    """Fewer calls sent than due while calls were due, unless busy users explain the difference."""
    never_sent = summary.accounting.never_sent
    known = sum(never_sent.values()) - never_sent.get(NOT_HEARD_OF, 0)
    due, sent = _while_due(recording, known)
    if not summary.open_loop or not due or sent / due >= RATE_SHARE:
        return
    explained = recording.measured.late + never_sent.get(ALL_USERS_BUSY, 0)
    by_users = explained >= due - sent
    yield Finding(
        Severity.WARNING if by_users else Severity.INVALID,
        "rate_not_reached",
        f"sent {sent:,} of the {due:,} calls that were due while the load ran",
        "use more users; if that changes nothing, the server has reached its limit"
        if by_users
        else "users were free and did not send: give the generator more CPU, or more generator processes",
        flatters=by_users,
    )


def _while_due(recording: Recording, never_sent: int) -> tuple[int, int]:
    """(calls due, calls sent) up to the last second in which a call was due."""
    seconds = recording.measured.seconds
    # No second counts a call that was never sent; it was due after those that were, until the load ended.
    last = max((s for s, tally in seconds.items() if tally.due or (never_sent and tally.sent)), default=None)
    if last is None:
        return 0, 0
    until = [tally for second, tally in seconds.items() if second <= last]
    return sum(tally.due for tally in until) + never_sent, sum(tally.sent for tally in until)


CHECKS = (late, at_its_limit, answers_waited, read_slowly, behind)
