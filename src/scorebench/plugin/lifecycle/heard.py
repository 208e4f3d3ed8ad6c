"""What a master knows of one worker, and of the time of the schedule. Pure; asks no clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from scorebench.cluster.lease import BEAT_S
from scorebench.load.dealing import Epoch
from scorebench.plugin.lifecycle.messages import Beat
from scorebench.recordings.recording import Recording

MARGIN_S = 0.5
"""How long before an epoch begins its members are told of it: longer than a message takes."""
FIRST_WITH_RATE = 2
"""The first of a worker's beats that comes after a whole interval of calls."""


@dataclass(frozen=True)
class Lost:
    """A worker that ended before it had reported everything. `reported` are the calls in its reports."""

    number: int
    epochs: tuple[Epoch, ...]
    reported: int


@dataclass
class Heard:
    """What the master knows of one worker."""

    at_s: float
    """When its last beat came, on the monotonic clock; later by what its master has stood still since."""
    stood_still_s: float = 0.0
    """How long that was. The worker went on meanwhile."""
    beat: Beat = field(default_factory=lambda: Beat(0, 0, 0))
    fastest_per_s: float = 0.0
    """Most calls a second between two of its beats."""
    reported: int = 0
    """Calls in its reports, those of the warm-up too."""
    reported_warm_up: int = 0
    counted: int = 0
    """Those, and the calls that came due there and were never sent."""
    busy_s: dict[int, float] = field(default_factory=dict)
    """How long each of its users has waited for valid answers, all in all."""
    deals: int = 0
    exhausted: int = -1
    """After how many deals it had nothing left."""
    epochs: int = 0
    """Of those dealt to it, how many it was told."""
    away_s: float | None = None
    """Since when others have its calls, on the monotonic clock."""
    dead_s: float | None = None
    """When it was found to be dead."""
    is_last: bool = False
    """Whether it has told all."""
    is_leaving: bool = False

    def withdraw(self) -> None:
        """Others send what it was dealt. The next deal counts as its first."""
        self.deals, self.exhausted = 0, -1

    def most_lost(self, now_s: float, others_per_s: float | None) -> int | None:
        """The most calls that it may have sent and not reported: until its last beat, since, and in flight.

        A worker that ends before its second beat has no rate of its own yet. It is taken to have been at most
        twice as fast as the fastest of the others, `others_per_s`; None where nobody has a rate.
        """
        if self.beat.number < FIRST_WITH_RATE and not others_per_s:
            return None
        guess_per_s = 0.0 if self.beat.number >= FIRST_WITH_RATE else 2 * (others_per_s or 0.0)
        since = max(self.fastest_per_s, guess_per_s) * max(now_s - self.at_s + self.stood_still_s, 0.0)
        return max(self.beat.calls - self.reported, 0) + int(since + 1) + self.beat.in_flight

    def heard(self, beat: Beat, now_s: float) -> float:
        """A beat came; seconds since the one before."""
        silent_s = now_s - self.at_s
        rate_per_s = (beat.calls - self.beat.calls) / max(silent_s, BEAT_S)
        self.fastest_per_s = max(self.fastest_per_s, rate_per_s)
        self.at_s, self.beat, self.stood_still_s = now_s, beat, 0.0
        return silent_s

    def excuse(self, stalled_s: float) -> None:
        """The master stood still itself for that long, and beats wait unread."""
        self.at_s += stalled_s
        self.stood_still_s += stalled_s

    def count(self, recording: Recording) -> None:
        """A report came, with what it counted since the last."""
        self.reported += recording.measured.calls + recording.warm_up.calls
        self.reported_warm_up += recording.warm_up.calls
        self.counted += recording.measured.calls + recording.warm_up.calls
        self.counted += sum(recording.never_sent.values())
        for tally in (recording.measured, recording.warm_up):
            for (_, user), own in tally.users.items():
                self.busy_s[user] = self.busy_s.get(user, 0.0) + own.sum_s


class ScheduleTime:
    """Seconds of the schedule, which each worker begins when its users are there: a moment apart."""

    def __init__(self) -> None:
        self._begun_s: list[float] = []

    @property
    def has_begun(self) -> bool:
        return bool(self._begun_s)

    def begin(self, now_s: float) -> None:
        """A worker begins at that time of the monotonic clock."""
        self._begun_s.append(now_s)

    def at(self, now_s: float) -> float:
        """The time of the worker that began first; 0 before that."""
        return now_s - self._begun_s[0] if self._begun_s else 0.0

    def soon(self, now_s: float) -> float:
        """When an epoch can begin of which the members hear only now."""
        return self.at(now_s) + MARGIN_S

    def for_a_late_one(self, now_s: float) -> float:
        """The time of a worker that joins: that of the one that began last."""
        return now_s - self._begun_s[-1] if self._begun_s else 0.0
