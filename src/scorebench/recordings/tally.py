"""Counts, sums and histograms of calls: per outcome, per user, per second.

Knows calls and outcomes; nothing of runs, files or what the numbers mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from scorebench.answers.outcome import FATES, Group, Outcome
from scorebench.recordings.bands import coarse_us
from scorebench.recordings.calls import Calls
from scorebench.recordings.counting import counted, counted_pairs
from scorebench.recordings.histogram import Histogram
from scorebench.recordings.slowest import SlowCall, slowest, slowest_in
from scorebench.recordings.stages import StageTally
from scorebench.recordings.stream_tally import StreamTally

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TIMED_OUT = [outcome for outcome, fate in FATES.items() if fate.timed_out]

UserKey = tuple[int, int]
"""(worker, the user's number on that worker); worker 0 when Locust runs alone."""


@dataclass
class UserTally:
    """One Locust user: service times are those of its valid calls, in seconds."""

    calls: int = 0
    valid: int = 0
    sum_s: float = 0.0
    min_s: float | None = None
    max_s: float | None = None

    @property
    def mean_s(self) -> float | None:
        """Mean service time of the valid calls; None where there was none."""
        return self.sum_s / self.valid if self.valid else None

    def merge(self, other: UserTally) -> None:
        """Add what `other` counted of the same user."""
        self.add(other.calls, other.valid, other.sum_s, other.min_s, other.max_s)

    def add(self, calls: int, valid: int, sum_s: float, min_s: float | None, max_s: float | None) -> None:
        """Add calls of this user; the times are those of the valid ones, and of none where there is none."""
        self.calls += calls
        self.valid += valid
        self.sum_s += sum_s
        if not valid or min_s is None or max_s is None:
            return
        if self.min_s is None or min_s < self.min_s:
            self.min_s = min_s
        if self.max_s is None or max_s > self.max_s:
            self.max_s = max_s


@dataclass
class SecondTally:
    """One second of a run: calls due, sent and answered in it, and the response times of those due in it."""

    due: int = 0
    sent: int = 0
    done: dict[str, int] = field(default_factory=dict)
    """Calls that ended in this second, by outcome label."""
    rows: int = 0
    """Records in the valid answers that came in this second."""
    response_us: dict[int, int] = field(default_factory=dict)
    """Response times of valid calls due in this second: {lowest microsecond of a coarse bucket: calls}."""

    def merge(self, other: SecondTally) -> None:
        """Add what `other` counted of the same second."""
        self.due += other.due
        self.sent += other.sent
        self.rows += other.rows
        for mine, theirs in ((self.done, other.done), (self.response_us, other.response_us)):
            for key, count in theirs.items():
                mine[key] = mine.get(key, 0) + count  # type: ignore[index,arg-type]


@dataclass
class Tally:
    """A phase of a run. Times are seconds; service = done - sent, response = done - due, of valid calls."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    rows: int = 0
    service: Histogram = field(default_factory=Histogram)
    response: Histogram = field(default_factory=Histogram)
    lag: Histogram = field(default_factory=Histogram)
    """sent - due of the calls whose user was waiting for the due time: the generator's own lateness."""
    failing: Histogram = field(default_factory=Histogram)
    """Service times of the calls that were not valid."""
    waiting: Histogram = field(default_factory=Histogram)
    """How long the calls that were cut off at the end had been waiting, from sent on."""
    timed_out: Histogram = field(default_factory=Histogram)
    """Service times of the calls that a time limit ended: their answers would have taken longer."""
    unanswered: Histogram = field(default_factory=Histogram)
    """How long the calls of both kinds, and those that no user was free to send, had waited, from due on."""
    late: int = 0
    """Calls that were sent late because all users were busy, or had not started yet."""
    users: dict[UserKey, UserTally] = field(default_factory=dict)
    seconds: dict[int, SecondTally] = field(default_factory=dict)
    """By Unix second."""
    streams: StreamTally | None = None
    """Of the valid answers that were streams; None while none was one."""
    slowest: list[SlowCall] = field(default_factory=list)
    """With --traceparent: the slowest calls, slowest first."""
    first_due_s: float | None = None
    last_due_s: float | None = None
    last_sent_s: float | None = None
    last_done_s: float | None = None
    stages: StageTally = field(default_factory=StageTally)
    """Where the time of the valid calls went; empty without --timings."""

    @property
    def calls(self) -> int:
        """Calls that were sent."""
        return self.outcomes.total()

    @property
    def valid(self) -> int:
        """Calls with a valid answer."""
        return self.outcomes[Outcome.VALID]

    @property
    def response_seconds(self) -> dict[int, dict[int, int]]:
        """The response times of each second, in coarse buckets."""
        return {second: tally.response_us for second, tally in self.seconds.items()}

    def in_group(self, group: Group) -> int:
        """Calls of the outcomes that `group` accounts for."""
        return sum(count for outcome, count in self.outcomes.items() if outcome.group is group)

    def add(self, calls: Calls) -> None:
        """Count a batch."""
        for _ in self.adding(calls):
            pass

    def adding(self, calls: Calls) -> Iterator[None]:
        """Count a batch in steps of a few tenths of a millisecond, for a process that must answer in between.

        What counts it at once keeps every user waiting for it, and the wait would be the server's.
        """
        if not len(calls):
            return
        valid = calls.outcome == Outcome.VALID
        service_s, response_s = calls.done_s - calls.sent_s, calls.done_s - calls.due_s
        for outcome, count in counted(calls.outcome):
            self.outcomes[Outcome(outcome)] += count
        self.rows += int(calls.rows[valid].sum())
        self.late += int(np.count_nonzero(~calls.waited & (calls.sent_s > calls.due_s)))
        self.first_due_s = _of(min, self.first_due_s, float(calls.due_s.min()))
        self.last_due_s = _of(max, self.last_due_s, float(calls.due_s.max()))
        self.last_sent_s = _of(max, self.last_sent_s, float(calls.sent_s.max()))
        self.last_done_s = _of(max, self.last_done_s, float(calls.done_s.max()))
        self._add_waits(calls.outcome[~valid], service_s[~valid], response_s[~valid])
        for histogram, durations_s in (
            (self.service, service_s[valid]),
            (self.response, response_s[valid]),
            (self.failing, service_s[~valid]),
            (self.lag, (calls.sent_s - calls.due_s)[calls.waited]),
        ):
            yield
            histogram.add(durations_s)
        yield
        add_users(self.users, calls, valid, service_s)
        yield
        self._add_ends(calls, valid)
        yield
        self._add_times(calls.due_s[valid], response_s[valid])
        yield from self._adding_more(calls, valid, response_s)

    def _add_waits(
        self, outcome: NDArray[np.int64], service_s: NDArray[np.float64], response_s: NDArray[np.float64]
    ) -> None:
        if not len(outcome):
            return
        cut_off, timed_out = outcome == Outcome.CUT_OFF, np.isin(outcome, _TIMED_OUT)
        self.waiting.add(service_s[cut_off])
        self.timed_out.add(service_s[timed_out])
        self.unanswered.add(response_s[cut_off | timed_out])

    def _adding_more(
        self, calls: Calls, valid: NDArray[np.bool_], response_s: NDArray[np.float64]
    ) -> Iterator[None]:
        """What only some runs ask for."""
        if calls.split is not None:
            yield
            yield from self.stages.adding(calls.select(valid), response_s[valid])
        if calls.traces is not None:
            yield
            self.slowest = slowest([*self.slowest, *slowest_in(calls)])
        if calls.streams is not None:
            self.streams = self.streams or StreamTally()
            yield from self.streams.adding(calls.due_s, calls.streams)

    def _add_ends(self, calls: Calls, valid: NDArray[np.bool_]) -> None:
        done_second = calls.done_s.astype(np.int64)
        for second, count in counted(calls.due_s.astype(np.int64)):
            self._second(second).due += count
        for second, count in counted(calls.sent_s.astype(np.int64)):
            self._second(second).sent += count
        for (second, outcome), count in counted_pairs(done_second, calls.outcome):
            done = self._second(second).done
            done[Outcome(outcome).label] = done.get(Outcome(outcome).label, 0) + count
        for (second, rows), count in counted_pairs(done_second[valid], calls.rows[valid]):
            self._second(second).rows += rows * count

    def _add_times(self, due_s: NDArray[np.float64], response_s: NDArray[np.float64]) -> None:
        for (second, value), count in counted_pairs(due_s.astype(np.int64), coarse_us(response_s)):
            times = self._second(second).response_us
            times[value] = times.get(value, 0) + count

    def _second(self, second: int) -> SecondTally:
        return self.seconds.setdefault(second, SecondTally())

    def merge(self, other: Tally) -> None:
        """Add what `other` counted."""
        self.outcomes.update(other.outcomes)
        self.rows += other.rows
        self.late += other.late
        for name in ("service", "response", "lag", "failing", "waiting", "timed_out", "unanswered"):
            getattr(self, name).merge(getattr(other, name))
        self.slowest = slowest([*self.slowest, *other.slowest])
        if other.streams is not None:
            self.streams = self.streams or StreamTally()
            self.streams.merge(other.streams)
        for key, user in other.users.items():
            self.users.setdefault(key, UserTally()).merge(user)
        for second, tally in other.seconds.items():
            self._second(second).merge(tally)
        self.stages.merge(other.stages)
        self.first_due_s = _of(min, self.first_due_s, other.first_due_s)
        for name in ("last_due_s", "last_sent_s", "last_done_s"):
            setattr(self, name, _of(max, getattr(self, name), getattr(other, name)))

    def rename_users(self, worker: int) -> None:
        """Say which worker the users belong to."""
        self.users = {(worker, number): tally for (_, number), tally in self.users.items()}


def add_users(
    users: dict[UserKey, UserTally],
    calls: Calls,
    valid: NDArray[np.bool_],
    service_s: NDArray[np.float64],
) -> None:
    """Count a batch of one process by its users: worker 0, until the master says which it was."""
    base = int(calls.user.min())  # users are numbered one by one: a place for each costs next to nothing
    index = calls.user - base
    total = np.bincount(index)
    size = len(total)
    good = np.bincount(index[valid], minlength=size)
    sums = np.bincount(index[valid], weights=service_s[valid], minlength=size)
    least, greatest = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(least, index[valid], service_s[valid])
    np.maximum.at(greatest, index[valid], service_s[valid])
    seen = np.flatnonzero(total)
    columns = (column[seen].tolist() for column in (total, good, sums, least, greatest))
    for user, *counted_of_user in zip((seen + base).tolist(), *columns, strict=True):
        tally = users.get((0, user))
        if tally is None:
            tally = users[0, user] = UserTally()
        tally.add(*counted_of_user)


def _of(choose: Any, left: float | None, right: float | None) -> float | None:
    known = [value for value in (left, right) if value is not None]
    return choose(known) if known else None
