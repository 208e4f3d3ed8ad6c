"""Recording → numbers, with their bounds. Knows statistics; no files, no wording, no verdict.

Service time is done - sent, response time done - due, both of the valid calls; a call that failed has no
time worth an average. Whatever nobody measured is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from scorebench.figures.accounting import Accounting, account
from scorebench.figures.clumps import Clumps
from scorebench.figures.metrics import find
from scorebench.figures.moved import ServerMetrics, server_metrics
from scorebench.figures.percentiles import Estimate
from scorebench.figures.rates import rates_of
from scorebench.figures.stages import Stages, stages_of
from scorebench.figures.streams import StreamFigures, streams_of
from scorebench.figures.times import Times, times_of
from scorebench.recordings.calls import UNKNOWN_USER
from scorebench.recordings.slowest import SlowCall
from scorebench.recordings.tally import UserKey, UserTally
from scorebench.recordings.types import Count, Event, Seconds

if TYPE_CHECKING:
    from scorebench.recordings.recording import Recording
    from scorebench.recordings.requests import Requests
    from scorebench.recordings.tally import Tally


class UserFigures(Struct, frozen=True, forbid_unknown_fields=True):
    """One Locust user, for summary.json and users.csv; times are the service times of its valid calls."""

    worker: Annotated[Count, Meta(description="0 where Locust ran alone.")]
    user: Annotated[Count | None, Meta(description="Null: calls of a thread, or of no user at all.")]
    calls: Count
    valid: Count
    mean_s: Seconds | None
    min_s: Seconds | None
    max_s: Seconds | None


class RequestFigures(Struct, frozen=True, forbid_unknown_fields=True):
    """Calls that a locustfile makes under one name; times are the service times of the valid ones."""

    method: str
    name: str
    calls: Count
    valid: Count
    mean_s: Seconds | None
    min_s: Seconds | None
    max_s: Seconds | None
    users: tuple[UserFigures, ...]


class LeftOut(Struct, frozen=True, forbid_unknown_fields=True):
    """The warm-up calls, excluded from all other figures; service times in seconds."""

    calls: Count
    valid: Count
    mean_s: Seconds | None
    max_s: Seconds | None


@dataclass(frozen=True)
class Summary:
    """The figures of one run, SI units."""

    calls: int
    """Calls that were sent, without the warm-up."""
    valid: int
    rows: int
    """Records in valid answers."""
    wall_time_s: float | None
    """From the first due time to the end of the load: see `rates`."""
    throughput_per_s: float | None
    """Valid answers a second. This and the next three are None below what `rates.NEEDS` asks for."""
    rows_per_s: float | None
    sent_per_s: float | None
    due_per_s: float | None
    valid_share: float | None
    """Of the calls whose fate is known (not those cut off at the end)."""
    service: Times
    response: Times
    lag: Times
    """How late the generator sent the calls that a free user was waiting to send."""
    service_waits: Times
    """How long calls that a time limit or the run's end cut off had waited, from sent: they take as long at
    least."""
    response_waits: Times
    """The same from due, and of calls that were never sent because no user was free for them."""
    streams: StreamFigures | None
    """Of the valid answers that were streams; None where none was one."""
    late: int
    """Calls due while all users were busy, less one a user, which may be due before the user has started."""
    outcomes: Mapping[str, int]
    """By label, most frequent first."""
    slowest: list[SlowCall]
    """The slowest calls with the ids of their traces, slowest first; empty without --traceparent."""
    accounting: Accounting
    users: tuple[UserFigures, ...]
    requests: tuple[RequestFigures, ...]
    """By method and name, where a locustfile sends different requests; else empty."""
    reconnects: int
    sent_twice: int
    unasked: int
    changed: int
    changed_example: Mapping[str, str]
    """Two answers to one body that differ: `body`, `first`, `then`; empty where none do."""
    examples: Mapping[str, str]
    warm_up: LeftOut
    environment: Mapping[str, Any]
    events: tuple[Event, ...] = ()
    server_metrics: ServerMetrics | None = None
    """Which of the server's own moved with latency; None without --scrape."""
    stages: Stages | None = None
    """Where the time of the valid calls went; None without --timings."""

    @property
    def changed_share(self) -> float | None:
        """The share of valid answers, warm-up included, that differed from the first to the same payload."""
        answers = self.valid + self.warm_up.valid
        return min(self.changed / answers, 1.0) if answers else None

    @property
    def open_loop(self) -> bool:
        """Whether calls were due by a schedule, and not whenever an answer came."""
        return self.environment.get("arrivals") is not None

    def figure(self, metric: str) -> float | None:
        """What a metric came to, in SI units: `p99`, `service_mean`, `valid`, `rows` …"""
        return find(metric).of(self)

    def estimate(self, metric: str) -> Estimate | None:
        """The metric with its bounds; None if it has none."""
        return find(metric).estimate(self)


_COUNTED = ("reconnects", "sent_twice", "unasked", "changed")
"""What a recording counts that is a figure as it stands."""


def summarise(recording: Recording, *, bounds: bool = True) -> Summary:
    """The figures of what was measured; an empty recording has counts of 0 and nothing else.

    Without `bounds` percentiles have a value alone: what it takes to show a run while it goes on.
    """
    tally = recording.measured
    accounting = account(recording)
    rates = rates_of(recording, accounting)
    clumps = Clumps(tally.response_seconds) if bounds else None
    return Summary(
        calls=tally.calls,
        valid=tally.valid,
        rows=tally.rows,
        wall_time_s=rates.measured_s,
        throughput_per_s=rates.throughput_per_s,
        rows_per_s=rates.rows_per_s,
        sent_per_s=rates.sent_per_s,
        due_per_s=rates.due_per_s,
        valid_share=accounting.valid / accounting.finished if accounting.finished else None,
        service=times_of(tally.service, clumps),
        response=times_of(tally.response, clumps),
        lag=times_of(tally.lag, None),
        service_waits=times_of(tally.waiting, None).joined(times_of(tally.timed_out, None)),
        response_waits=times_of(tally.unanswered, None),
        streams=streams_of(tally.streams, rates.answering_s, bounds=bounds),
        late=max(0, tally.late - len(tally.users)),
        outcomes={outcome.label: calls for outcome, calls in tally.outcomes.most_common() if calls},
        slowest=tally.slowest,
        accounting=accounting,
        users=_users(tally.users),
        requests=_requests(recording.requests),
        **{name: getattr(recording, name) for name in _COUNTED},
        changed_example=dict(recording.changed_example),
        examples=dict(recording.examples),
        warm_up=_warm_up(recording.warm_up),
        environment=dict(recording.environment),
        events=tuple(recording.events),
        server_metrics=server_metrics(recording) if bounds else None,
        stages=stages_of(tally.stages) if bounds else None,
    )


def _users(users: Mapping[UserKey, UserTally]) -> tuple[UserFigures, ...]:
    """By number; calls whose user is not known come last."""
    ordered = sorted(users.items(), key=lambda item: (item[0][1] == UNKNOWN_USER, item[0]))
    return tuple(
        _user(worker, None if number == UNKNOWN_USER else number, u) for (worker, number), u in ordered
    )


def _user(worker: int, number: int | None, user: UserTally) -> UserFigures:
    return UserFigures(worker, number, user.calls, user.valid, user.mean_s, user.min_s, user.max_s)


def _requests(requests: Requests) -> tuple[RequestFigures, ...]:
    return tuple(_request(*name, users) for name, users in sorted(requests.users.items()))


def _request(method: str, name: str, users: Mapping[UserKey, UserTally]) -> RequestFigures:
    total = UserTally()
    for user in users.values():
        total.merge(user)
    exact = total.calls, total.valid, total.mean_s, total.min_s, total.max_s
    return RequestFigures(method, name, *exact, _users(users))


def _warm_up(tally: Tally) -> LeftOut:
    return LeftOut(tally.calls, tally.valid, tally.service.mean_s, tally.service.max_s)
