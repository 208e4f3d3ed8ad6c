"""Capacity: a function that measures, and limits → the highest rate that holds. No Locust, no clock.

First a ladder of closed loops, 1, 2, 4, … users, until throughput stops growing: it finds the region, and the
knee. Then open loops with Poisson arrivals, where response times are honest: `next_rate` says which, until it
or the budget ends the search. What a step costs is what its measurement says it took.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scorebench.capacity.found import Capacity, Ended, Stopped
from scorebench.capacity.history import History
from scorebench.capacity.next_rate import closed, next_rate
from scorebench.capacity.trial import ENOUGH, Measured, Plan, Step
from scorebench.verdicts.limits import Limit, check

BUDGET_S = 600.0
PRECISION = 0.06
"""The search ends when the rate that failed is at most this much above the one that held."""
MOST_USERS = 256
MOST_OPEN_USERS = 1_000
"""With more calls in flight, calls wait for a user; their response times count that wait."""
LADDER_SHARE, RUNG_S = 0.25, 5.0
GAIN = 1.05
"""The ladder has reached the top when twice the users bring less than this many times the throughput."""
OPEN_STEPS = 13
"""About as many open-loop steps as a search takes: each gets that part of the budget."""
SHORTEST_S, LONGEST_S = 5.0, 60.0
SPARE_CALLS = 1.2
"""Half of the time Poisson arrivals bring fewer calls than asked for, and a percentile needs its calls."""

FEWEST_OPEN_STEPS = 2 * ENOUGH
"""No search ends with fewer: the rate that held and the one that failed are each measured so often."""

Measure = Callable[[Plan], Measured]


def search(
    measure: Measure,
    limits: Sequence[Limit],
    *,
    budget_s: float = BUDGET_S,
    precision: float = PRECISION,
    most_users: int = MOST_USERS,
    too_short: Callable[[float], None] = lambda _needed_s: None,
) -> Capacity:
    """Ask `measure` for step after step until the edge is found, or the next step would go over the budget.

    A step is asked to last `Plan.duration_s`; what it takes beyond, for warm-up and drain, is learnt and
    counted. When `measure` raises Stopped, the answer is made of the steps until then.

    `too_short` is called after the ladder if the budget is too small to find an edge. Its argument is the
    budget, in seconds, that would be enough.
    """
    work = _Search(measure, tuple(limits), budget_s, precision, most_users)
    try:
        work.climb_ladder()
        if work.is_too_short:
            too_short(work.needed_s or 0.0)
        return work.result(work.find_edge() if work.history.rungs else Ended.NO_ANSWER)
    except Stopped as stopped:
        return work.result(stopped.why)


@dataclass
class _Search:
    """Measures within the budget: how long a step lasts, with how many users, and when no step fits."""

    measure: Measure
    limits: tuple[Limit, ...]
    budget_s: float
    precision: float
    most_users: int
    history: History = field(default_factory=History)
    overhead_s: float = 0.0

    @property
    def remaining_s(self) -> float:
        """What the budget leaves for a step, its overhead taken off."""
        return self.budget_s - self.history.spent_s - self.overhead_s

    @property
    def needed_s(self) -> float | None:
        """About what the ladder took, and as many open steps as usual, each as short as the limits allow."""
        return self._with_open_steps(OPEN_STEPS)

    @property
    def is_too_short(self) -> bool:
        """Whether the budget can't suffice, at the highest rate that the ladder reached."""
        least_s = self._with_open_steps(FEWEST_OPEN_STEPS)
        return least_s is not None and least_s > self.budget_s

    def _with_open_steps(self, count: int) -> float | None:
        if not self.history.rungs:
            return None
        step_s = self._least_open_s(self.history.top_per_s) + self.overhead_s
        return self.history.ladder_s + count * step_s

    def _least_open_s(self, rate: float) -> float:
        """As many calls as the percentiles of the limits need."""
        needed = max((limit.of.needed or 0 for limit in self.limits), default=0)
        return max(SHORTEST_S, SPARE_CALLS * needed / rate)

    # The ladder.

    def climb_ladder(self) -> None:
        users, best, idle = 1, 0.0, 0
        while users <= self.most_users and idle < 2 and self._has_time_for_rung():
            measured = self._take(self._rung_s(), users, None, "ladder").measured
            if measured.throughput_per_s <= 0 or measured.invalid:
                return
            idle = 0 if measured.throughput_per_s > GAIN * best else idle + 1
            best = max(best, measured.throughput_per_s)
            users *= 2

    def _has_time_for_rung(self) -> bool:
        remaining_s = self.remaining_s
        if self.history.steps:
            remaining_s -= (1 - LADDER_SHARE) * self.budget_s
        return self._rung_s() <= remaining_s

    def _rung_s(self) -> float:
        """Long enough for some 30 calls in a row at the slowest rung's service time, within the budget."""
        return max(min(RUNG_S, self.budget_s / 40), min(30 * self.history.slowest_s, self.budget_s / 20))

    # The edge.

    def find_edge(self) -> Ended:
        while not isinstance(following := next_rate(self.history, self.precision), Ended):
            rate, why = following
            duration_s = self._open_s(rate)
            if duration_s is None:
                return closed(self.history, self.precision) or Ended.BUDGET
            self._take(duration_s, self._users(rate), rate, why)
        return following

    def _open_s(self, rate: float) -> float | None:
        """An equal part of the budget, or what the limits' percentiles need; None if that does not fit."""
        least_s = self._least_open_s(rate)
        if self.remaining_s < least_s:
            return None
        part_s = (self.budget_s - self.history.ladder_s) / OPEN_STEPS - self.overhead_s
        return min(max(least_s, min(part_s, LONGEST_S)), self.remaining_s)

    def _users(self, rate: float) -> int:
        """Enough that calls wait at the server and not for a user, by Little's law far beyond the limits."""
        longest_s = max(
            self.history.slowest_s, *(limit.bound for limit in self.limits if limit.of.is_time), 0.0
        )
        return min(max(32, math.ceil(rate * 4 * longest_s)), MOST_OPEN_USERS)

    def _take(self, duration_s: float, users: int, rate: float | None, why: str) -> Step:
        plan = Plan(len(self.history.steps), duration_s, users, rate, why)
        step = Step(plan, self.measure(plan))
        if {reading.limit for reading in step.measured.readings} != set(self.limits):
            raise ValueError(f"step {plan.number}: expected a reading for each limit; its value may be None")
        self.history.steps.append(step)
        self.overhead_s = max(self.overhead_s, step.measured.duration_s - duration_s)
        return step

    # The answer.

    def result(self, ended: Ended) -> Capacity:
        held, failed = self.history.held, self.history.failed
        levelled_off = failed is not None and ended is Ended.NOTHING_BROKE
        return Capacity(
            limits=self.limits,
            ended=ended,
            held=held,
            sure=self.history.sure,
            failed=failed,
            wall=self.history.wall,
            knee=self.history.knee,
            plateau_per_s=failed.throughput_per_s if failed and levelled_off else None,
            floors=tuple(check(f, held.value(f) if held else None) for f in self.limits if f.of.is_floor),
            steps=tuple(self.history.steps),
            budget_s=self.budget_s,
            needed_s=self.needed_s,
        )
