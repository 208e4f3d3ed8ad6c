"""What a soak measured: its parts, stretches of time, and what happened. Pure: starts nothing, no wording.

A soak is a row of runs against one server. Each is a part, and no more than one is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from scorebench.figures.trend import Trend, trend

ALPHA = 0.01
"""For each of three values: where nothing rises, at most 3 % of soaks are accused."""
LEAST_RISE = {"p50": 0.02, "p99": 0.02}
"""Shares of the median over the time that was watched: a smaller rise is sure, and of no use to know."""
LEAST_RISE_BYTES = 4e6


class Ended(StrEnum):
    """Why the soak measures no further."""

    DONE = "the whole time was measured"
    STOPPED = "stopped before its end"
    EARLY = "its last part ended early"


class Kind(StrEnum):
    """What may happen besides calls."""

    OUTAGE = "outage"
    STALL = "stall"
    RESTART = "restart"
    KILLED = "generator killed"


@dataclass(frozen=True)
class Stretch:
    """A stretch of time, seconds from the begin of the soak. Times are response times of valid calls."""

    at_s: float
    length_s: float
    due: int
    valid: int
    bad: int
    """Calls that ended without a valid answer."""
    p50_s: float | None
    p99_s: float | None
    max_s: float | None
    server_rss_bytes: float | None
    """Median of the resident memory of all the server's processes. None: not measured."""
    server_cpu: float | None
    """Mean cores."""


@dataclass(frozen=True)
class Happening:
    """Something besides calls, seconds from the begin of the soak; `failed` calls ended in it."""

    at_s: float
    kind: Kind
    length_s: float | None = None
    failed: int = 0


@dataclass(frozen=True)
class Part:
    """One run of the soak."""

    folder: str
    """Relative to the folder of the soak."""
    at_s: float
    load_s: float
    """How long load ran."""
    asked_s: float
    calls: int
    valid: int
    exit_code: int
    invalid: str | None
    """Why its measurement is not valid."""
    missed: tuple[str, ...]
    """The limits that it missed, with their figures."""
    was_killed: bool
    ended_itself: bool = False
    """A condition of --stop-when, a server that ended or one that rejects everything ended it."""


@dataclass(frozen=True)
class Soak:
    """All parts so far, in order."""

    asked_s: float
    part_s: float
    parts: tuple[Part, ...]
    stretches: tuple[Stretch, ...]
    happenings: tuple[Happening, ...]
    command: str
    folder: str = ""
    """Where its files are."""
    environment: Mapping[str, Any] = field(default_factory=dict)

    @property
    def load_s(self) -> float:
        """How long load ran, all parts together."""
        return sum(min(part.load_s, part.asked_s) for part in self.parts)

    @property
    def longest_pause_s(self) -> float:
        """How long no load ran between one part and the next, at most; 0 for a single part."""
        pairs = zip(self.parts, self.parts[1:], strict=False)
        return max((then.at_s - (one.at_s + one.load_s) for one, then in pairs), default=0.0)

    @property
    def left_s(self) -> int:
        """Whole seconds that are still to be measured; 0 where less than a hundredth of a part is."""
        left_s = self.asked_s - self.load_s
        return 0 if left_s < max(1.0, self.part_s / 100) else int(left_s)

    @property
    def ended(self) -> Ended:
        if not self.left_s:
            return Ended.DONE
        return Ended.EARLY if self.parts and ended_early(self.parts[-1]) else Ended.STOPPED

    @cached_property
    def trends(self) -> dict[str, Trend | None]:
        """Of `p50`, `p99` (seconds) and `memory` (bytes), each a second; None: too few stretches have it."""
        return {name: trend(self._points(of)) for name, of in VALUES.items()}

    def rises(self) -> tuple[str, ...]:
        """Names of the values that are shown to rise, by more than is of use to know."""
        return tuple(name for name, found in self.trends.items() if found and self._matters(name, found))

    def values(self, name: str) -> list[float]:
        """Of one of `trends`, in order of time, where it was measured."""
        return [value for _, value in self._points(VALUES[name])]

    def _points(self, of: Callable[[Stretch], float | None]) -> list[tuple[float, float]]:
        return [(one.at_s, value) for one in self.stretches if (value := of(one)) is not None]

    def _matters(self, name: str, found: Trend) -> bool:
        if not found.rises(ALPHA):
            return False
        values = sorted(self.values(name))
        share = LEAST_RISE.get(name)
        least = LEAST_RISE_BYTES if share is None else share * values[len(values) // 2]
        return found.per_s * found.over_s >= least


VALUES: Mapping[str, Callable[[Stretch], float | None]] = {
    "memory": lambda one: one.server_rss_bytes,
    "p50": lambda one: one.p50_s,
    "p99": lambda one: one.p99_s,
}


def ended_early(part: Part) -> bool:
    """Whether it ended by itself, or most of its time is missing though nothing killed it."""
    return part.ended_itself or (not part.was_killed and part.load_s < part.asked_s / 2)
