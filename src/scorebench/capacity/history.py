"""History: the steps of a search so far, and what they say together. Knows trials; not which step is next."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from scorebench.capacity.trial import Step, Tried

NEARLY_ALL_POWER = 0.95


@dataclass
class History:
    """Steps in the order in which they were measured: first the ladder's closed loops, then open loops."""

    steps: list[Step] = field(default_factory=list)

    @property
    def spent_s(self) -> float:
        return sum(step.measured.duration_s for step in self.steps)

    @property
    def ladder_s(self) -> float:
        """How much of that the ladder took."""
        return sum(step.measured.duration_s for step in self.steps if step.plan.rate_per_s is None)

    @property
    def rungs(self) -> list[Step]:
        """The ladder's steps that had valid answers."""
        return [s for s in self.steps if s.plan.rate_per_s is None and s.measured.throughput_per_s > 0]

    @property
    def top_per_s(self) -> float:
        """The highest throughput on the ladder."""
        return max(step.measured.throughput_per_s for step in self.rungs)

    @property
    def slowest_s(self) -> float:
        """The longest mean service time on the ladder; 0 while it is not known."""
        return max((step.measured.mean_service_s or 0.0 for step in self.rungs), default=0.0)

    @property
    def tried(self) -> list[Tried]:
        """Each rate that was tried, with its steps, lowest rate first."""
        rates = sorted({s.plan.rate_per_s for s in self.steps if s.plan.rate_per_s is not None})
        return [Tried(rate, tuple(s for s in self.steps if s.plan.rate_per_s == rate)) for rate in rates]

    @property
    def above(self) -> Tried | None:
        """The lowest rate that can't be recommended: it failed, or could not be measured."""
        return next((t for t in self.tried if t.failed or t.is_wall), None)

    @property
    def held(self) -> Tried | None:
        """The highest rate that held, below `above`."""
        top = self.above.rate_per_s if self.above else math.inf
        return next((t for t in reversed(self.tried) if t.held and t.rate_per_s < top), None)

    @property
    def sure(self) -> Tried | None:
        """The highest rate up to `held` that held by its 99 % bounds too."""
        held = self.held
        if held is None:
            return None
        below = (t for t in reversed(self.tried) if t.rate_per_s <= held.rate_per_s)
        return next((t for t in below if t.held and t.is_sure), None)

    @property
    def failed(self) -> Tried | None:
        """The lowest rate that failed."""
        return next((t for t in self.tried if t.failed), None)

    @property
    def wall(self) -> Tried | None:
        """The lowest rate at which the measurement itself was not valid."""
        return next((t for t in self.tried if t.is_wall), None)

    @property
    def knee(self) -> Step | None:
        """The fewest users with nearly the most power, throughput over service time (Kleinrock, ICC 1979).

        None where no more users than these were measured: the knee may lie beyond.
        """
        power = [
            (step.measured.throughput_per_s / step.measured.mean_service_s, step)
            for step in self.rungs
            if step.measured.mean_service_s
        ]
        most = max((value for value, _ in power), default=0.0)
        found = next((step for value, step in power if value >= NEARLY_ALL_POWER * most), None)
        return None if not power or found is power[-1][1] else found
