"""What a metric is: one record that says how a figure is named, taken, written and compared.

Knows figures and units; no metric by name, no limit, no run.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from scorebench.figures.percentiles import Estimate, Sample, calls_needed
from scorebench.figures.times import NO_TIMES, without_end
from scorebench.units import say_bytes_per_s, say_percent, say_rate, say_seconds

if TYPE_CHECKING:
    from scorebench.figures.streams import StreamFigures
    from scorebench.figures.times import Times


class Figures(Protocol):
    """What a metric is taken from: the summary of a run, or of its last seconds."""

    @property
    def valid_share(self) -> float | None: ...
    @property
    def changed_share(self) -> float | None: ...
    @property
    def throughput_per_s(self) -> float | None: ...
    @property
    def rows_per_s(self) -> float | None: ...
    @property
    def service(self) -> Times: ...
    @property
    def response(self) -> Times: ...
    @property
    def lag(self) -> Times: ...
    @property
    def service_waits(self) -> Times: ...
    @property
    def response_waits(self) -> Times: ...
    @property
    def streams(self) -> StreamFigures | None: ...


@dataclass(frozen=True)
class Unit:
    """How figures of one kind are read and printed.

    `factors`: the suffix that a user may write → its size in SI units.
    """

    name: str
    """In exports; empty for a share of 1."""
    factors: dict[str, float]
    say: Callable[[float], str]
    most: float = math.inf
    """The highest possible figure of this unit."""
    has_zero: bool = False
    """Whether a bound of 0 makes sense, as in `changed<=0%`."""


SECONDS = Unit("s", {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}, say_seconds)
SHARE = Unit("", {"%": 0.01}, say_percent, most=1.0, has_zero=True)
CALLS_PER_S = Unit("calls/s", {"/s": 1.0}, say_rate)
ROWS_PER_S = Unit("rows/s", {"/s": 1.0}, say_rate)
CHUNKS_PER_S = Unit("chunks/s", {"/s": 1.0}, say_rate)
TOKENS_PER_S = Unit("tokens/s", {"/s": 1.0}, say_rate)
BYTES_PER_S = Unit("bytes/s", {"B/s": 1.0, "kB/s": 1e3, "MB/s": 1e6}, say_bytes_per_s)


@dataclass(frozen=True)
class Metric:
    """One figure that a user can name.

    `of` takes it from a whole run, in SI units; None where it was not measured or too few calls support it.
    """

    name: str
    unit: Unit
    best: float
    """The best possible value: 0 for times, 1 for a share that should be whole, infinite for rates."""
    example: str
    """A bound, as in `p99<50ms`."""
    says: str
    """A sentence for the docs, without its full stop."""
    of: Callable[[Figures], float | None]
    of_last_seconds: Callable[[Figures], float | None] | None = None
    """Takes it from the last seconds of a run, however few calls they hold; None: no `--stop-when` by it."""
    column: str = ""
    """Its name in CSV, if that is not `name`."""
    key: str = ""
    """Its name in MLflow, with its unit; the part before a slash is a section of MLflow's page."""
    support: str | None = None
    """What it needs when the calls are too few, such as `needs 10 calls`. A percentile computes this."""
    q: float | None = None
    """The share of a percentile, such as 0.99 for p99; None for other metrics."""
    times: Callable[[Figures], Times] | None = None
    """The durations that a percentile is taken from; None for other metrics."""
    waits: Callable[[Figures], Times] | None = None
    """How long calls without an answer had waited, the least of what they took; None: says nothing of it."""
    with_waits: Callable[[Times, Times], float | None] | None = None
    """What it is at least, from `times` and `waits`; None for metrics that are no time."""
    is_compared: bool = False
    """`scorebench compare` shows it by default."""
    is_averaged: bool = False
    """Its ratio is part of the geometric mean that `compare` shows."""
    is_repeated: bool = False
    """`--repeat` shows it in the line of each run."""
    is_floor: bool = False
    """A limit on it is missed at low rates and met at high ones: `capacity` judges it only at the end."""
    allows_failures: bool = False
    """A limit on it says how many calls may fail."""
    of_streams: bool = False
    """Only a run that asks for streams has it."""
    of_schedule: bool = False
    """Only a run in which calls are due at fixed times has it."""
    counted: str = "call"
    """The noun for what a percentile counts."""

    def __post_init__(self) -> None:
        for field in ("column", "key"):
            if not getattr(self, field):
                object.__setattr__(self, field, self.name)

    @property
    def good(self) -> str:
        """The comparison that a limit on it makes: `<` or `>`."""
        return "<" if self.best == 0 else ">"

    @property
    def is_time(self) -> bool:
        return self.unit is SECONDS

    @property
    def needed(self) -> int | None:
        """The fewest calls that give it a value; None if there is no such number."""
        return None if self.q is None else calls_needed(self.q)

    @property
    def needs(self) -> str | None:
        """`needs 662 calls`; None if more calls would not help."""
        return self.support if self.needed is None else f"needs {self.needed:,} {self.counted}s"

    def say(self, value: float) -> str:
        """With its unit: `41.2 ms`, `99.94 %`, `96/s`."""
        return self.unit.say(value)

    def last(self, figures: Figures) -> float | None:
        """The figure of the last seconds of a run; None if there is none."""
        return None if self.of_last_seconds is None else self.of_last_seconds(figures)

    def estimate(self, figures: Figures) -> Estimate | None:
        """The figure with its bounds; None if it has none."""
        return None if self.q is None or self.times is None else self.times(figures).percentile(self.q)

    def waiting(self, figures: Figures) -> Times:
        """How long calls without an answer had waited, where that is the least of what they took."""
        return NO_TIMES if self.waits is None else self.waits(figures)

    def at_least(self, figures: Figures) -> float | None:
        """What it is at least, with the calls that had no answer; None if no call says anything of it."""
        if self.with_waits is None or self.times is None:
            return None
        return self.with_waits(self.times(figures), self.waiting(figures))

    def at_most(self, figures: Figures, unknown: int) -> float | None:
        """What it is at most, if nobody knows how long `unknown` more calls took; None without calls."""
        if self.times is None or self.with_waits is None:
            return None
        times, more = self.times(figures), without_end(unknown)
        return self.with_waits(times, more) if self.q is None else times.joined(more).at(self.q)

    def sample(self, figures: Figures) -> Sample | None:
        """What bounds over several runs are computed from; None if it has no bounds."""
        return None if self.q is None or self.times is None else self.times(figures).sample(self.q)

    def is_worse(self, before: float, after: float) -> bool:
        return after > before if self.good == "<" else after < before

    def margin(self, bound: float, value: float) -> float:
        """How far `value` is from breaking `bound`: 0 at it, negative beyond.

        The quotient of their distances from the best value, less 1. The response time of an M/M/1 queue is
        inverse to its spare rate, so its margin falls in a straight line as the rate rises.
        """
        if math.isinf(self.best):
            return value / bound - 1
        left, used = abs(self.best - bound), abs(self.best - value)
        if used == 0:
            return math.inf
        return left / used - 1


@dataclass(frozen=True)
class Single:
    """One metric of one name."""

    metric: Metric

    @property
    def words(self) -> str:
        return self.metric.name

    @property
    def unit(self) -> Unit:
        return self.metric.unit

    @property
    def says(self) -> str:
        return self.metric.says

    def named(self, name: str) -> Metric | None:
        return self.metric if name == self.metric.name else None

    def members(self) -> Iterator[Metric]:
        yield self.metric


@dataclass(frozen=True)
class Family:
    """Metrics whose names follow a pattern; `members` are those that every output holds."""

    words: str
    says: str
    unit: Unit
    pattern: re.Pattern[str]
    make: Callable[[re.Match[str]], Metric]
    listed: tuple[str, ...]

    def named(self, name: str) -> Metric | None:
        found = self.pattern.fullmatch(name)
        return self.make(found) if found else None

    def members(self) -> Iterator[Metric]:
        for name in self.listed:
            found = self.named(name)
            assert found is not None, f"{name} does not match the pattern of its family"
            yield found
