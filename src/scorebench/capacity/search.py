"""Capacity: a function that measures, and limits → the highest rate that holds. No Locust, no clock.

First a ladder of closed loops, 1, 2, 4, … users, until throughput stops growing: it finds the region, and the
knee. Then open loops with Poisson arrivals, where response times are honest: the rate goes up and down by the
worst margin until the highest rate that held and the lowest that failed are close. A failure is believed when
it comes twice, and both edges are measured again before the search ends. What a step costs is what its
measurement says it took.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scorebench.capacity.found import Capacity, Ended, Stopped
from scorebench.capacity.trial import CLEAR_MARGIN, NOT_FOLLOWED, Measured, Plan, Step, Tried
from scorebench.verdicts.limits import Limit, check

BUDGET_S = 600.0
PRECISION = 0.06
"""The search ends when the rate that failed is at most this much above the one that held."""
MOST_USERS = 256
MOST_OPEN_USERS = 1_000
"""Beyond it calls wait for a user: they count from when they were due all the same."""
LADDER_SHARE, RUNG_S = 0.25, 5.0
GAIN = 1.05
"""Twice the users that bring less than this many times the throughput bring nothing."""
NEARLY_ALL_POWER = 0.95
OPEN_STEPS = 13
"""About as many open-loop steps as a search takes: each gets that part of the budget."""
SHORTEST_S, LONGEST_S = 5.0, 60.0
SPARE_CALLS = 1.2
"""Poisson arrivals bring fewer calls than asked half of the time; percentiles need theirs all the same."""
FIRST_SHARE, LOWEST_SHARE = 0.6, 0.1
"""Of the ladder's throughput: where to begin, and the rate below which none is looked for."""

Measure = Callable[[Plan], Measured]


def search(
    measure: Measure,
    limits: Sequence[Limit],
    *,
    budget_s: float = BUDGET_S,
    precision: float = PRECISION,
    most_users: int = MOST_USERS,
) -> Capacity:
    """Ask `measure` for step after step until the edge is found, or the next step would go over the budget.

    A step is asked to last `Plan.duration_s`; what it takes beyond, for warm-up and drain, is learnt and
    counted. When `measure` raises Stopped, the answer is made of the steps until then.
    """
    work = _Search(measure, tuple(limits), budget_s, precision, most_users)
    try:
        work.climb_ladder()
        return work.result(work.find_edge() if work.rungs else Ended.NO_ANSWER)
    except Stopped as stopped:
        return work.result(stopped.why)


@dataclass
class _Search:
    measure: Measure
    limits: tuple[Limit, ...]
    budget_s: float
    precision: float
    most_users: int
    steps: list[Step] = field(default_factory=list)
    overhead_s: float = 0.0

    @property
    def left_s(self) -> float:
        """What the budget leaves for a step, its overhead taken off."""
        return self.budget_s - sum(step.measured.duration_s for step in self.steps) - self.overhead_s

    @property
    def rungs(self) -> list[Step]:
        return [s for s in self.steps if s.plan.rate_per_s is None and s.measured.throughput_per_s > 0]

    @property
    def top_per_s(self) -> float:
        return max(step.measured.throughput_per_s for step in self.rungs)

    @property
    def tried(self) -> list[Tried]:
        rates = sorted({s.plan.rate_per_s for s in self.steps if s.plan.rate_per_s is not None})
        return [Tried(rate, tuple(s for s in self.steps if s.plan.rate_per_s == rate)) for rate in rates]

    @property
    def above(self) -> Tried | None:
        """The lowest rate that can't be recommended: it failed, or could not be measured."""
        return next((t for t in self.tried if t.failed or t.is_wall), None)

    @property
    def held(self) -> Tried | None:
        top = self.above.rate_per_s if self.above else math.inf
        return next((t for t in reversed(self.tried) if t.held and t.rate_per_s < top), None)

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
        share_left_s = self.left_s - (1 - LADDER_SHARE) * self.budget_s
        return self._rung_s() <= (share_left_s if self.steps else self.left_s)

    def _rung_s(self) -> float:
        """Some 30 calls in a row by the slowest rung, within reason."""
        slowest_s = max((step.measured.mean_service_s or 0.0 for step in self.rungs), default=0.0)
        return max(min(RUNG_S, self.budget_s / 40), min(30 * slowest_s, self.budget_s / 20))

    # The edge.

    def find_edge(self) -> Ended:
        while not isinstance(following := self._next(), Ended):
            rate, why = following
            duration_s = self._open_s(rate)
            if duration_s is None:
                return self._closed() or Ended.BUDGET
            self._take(duration_s, self._users(rate), rate, why)
        return following

    def _next(self) -> tuple[float, str] | Ended:
        """The next rate and why it is next, or why there is none."""
        held, above = self.held, self.above
        if undecided := next((t for t in self.tried if t.undecided), None):
            return undecided.rate_per_s, "again: is it so?"
        if held and above:
            return self._closer(held, above)
        if held:
            return self._up(held), "held: higher"
        if above is None:
            return self._first(), "first guess"
        if above.rate_per_s > self._lowest() * 1.01:
            return self._down(above), "failed: lower"
        return Ended.NOT_VALID if above.is_wall else Ended.NOTHING_HELD

    def _closer(self, held: Tried, above: Tried) -> tuple[float, str] | Ended:
        closed = self._closed()
        if closed is None:
            return self._between(held, above), "between"
        if loose := next((edge for edge in (held, above) if not edge.is_settled), None):
            return loose.rate_per_s, "again at the edge"
        return closed

    def _closed(self) -> Ended | None:
        """What was found when held and failed are close; None while they are not."""
        held, above = self.held, self.above
        if held is None or above is None or above.rate_per_s > held.rate_per_s * (1 + self.precision):
            return None
        if above.is_wall:
            return Ended.NOT_VALID
        return Ended.NOTHING_BROKE if above.broke == (NOT_FOLLOWED,) else Ended.FOUND

    def _first(self) -> float:
        """Far below the usual when a single user, who never waits, breaks a limit already."""
        alone = next((step.margin for step in self.rungs if step.plan.users == 1), None)
        hopeless = alone is not None and alone < 0
        return self._lowest() if hopeless else FIRST_SHARE * self.top_per_s

    def _lowest(self) -> float:
        return LOWEST_SHARE * self.top_per_s

    def _up(self, held: Tried) -> float:
        """To where the margin is 0, were it -1 at the ladder's throughput and straight between."""
        rate, top = held.rate_per_s, self.top_per_s
        if rate >= top:
            return rate * 1.15
        margin = CLEAR_MARGIN if held.margin is None else held.margin
        guess = rate + (top - rate) * margin / (margin + 1)
        return min(max(guess, rate * 1.1), rate * 1.6)

    def _down(self, above: Tried) -> float:
        rate, margin, top = above.rate_per_s, above.margin, self.top_per_s
        guess = rate / 2
        if margin is not None and margin > -1 and rate < top:
            guess = rate + (top - rate) * margin / (margin + 1)
        return max(min(max(guess, 0.3 * rate), 0.9 * rate), self._lowest())

    def _between(self, held: Tried, above: Tried) -> float:
        """Where a straight line between the two margins crosses 0, but never close to either end."""
        share = 0.5
        if held.margin is not None and above.margin is not None and above.margin < 0 <= held.margin:
            share = held.margin / (held.margin - above.margin)
        return held.rate_per_s + (above.rate_per_s - held.rate_per_s) * min(max(share, 0.2), 0.8)

    def _open_s(self, rate: float) -> float | None:
        """A part of the budget, but what the limits' percentiles need; None when that is not left."""
        needed = max((limit.of.needed or 0 for limit in self.limits), default=0)
        least_s = max(SHORTEST_S, SPARE_CALLS * needed / rate)
        if self.left_s < least_s:
            return None
        ladder_s = sum(s.measured.duration_s for s in self.steps if s.plan.rate_per_s is None)
        part_s = (self.budget_s - ladder_s) / OPEN_STEPS - self.overhead_s
        return min(max(least_s, min(part_s, LONGEST_S)), self.left_s)

    def _users(self, rate: float) -> int:
        """Enough that calls wait at the server and not for a user, by Little's law far beyond the limits."""
        times_s = [step.measured.mean_service_s or 0.0 for step in self.rungs]
        times_s += [limit.bound for limit in self.limits if limit.of.is_time]
        return min(max(32, math.ceil(rate * 4 * max(times_s))), MOST_OPEN_USERS)

    def _take(self, duration_s: float, users: int, rate: float | None, why: str) -> Step:
        plan = Plan(len(self.steps), duration_s, users, rate, why)
        step = Step(plan, self.measure(plan))
        if {reading.limit for reading in step.measured.readings} != set(self.limits):
            raise ValueError(
                f"step {plan.number}: a reading is wanted for each limit, None where there is none"
            )
        self.steps.append(step)
        self.overhead_s = max(self.overhead_s, step.measured.duration_s - duration_s)
        return step

    # The answer.

    def result(self, ended: Ended) -> Capacity:
        held, failed = self.held, next((t for t in self.tried if t.failed), None)
        levelled_off = failed is not None and ended is Ended.NOTHING_BROKE
        return Capacity(
            limits=self.limits,
            ended=ended,
            held=held,
            sure=self._sure(held),
            failed=failed,
            wall=next((t for t in self.tried if t.is_wall), None),
            knee=self._knee(),
            plateau_per_s=failed.throughput_per_s if failed and levelled_off else None,
            floors=tuple(check(f, held.value(f) if held else None) for f in self.limits if f.of.is_floor),
            steps=tuple(self.steps),
            budget_s=self.budget_s,
        )

    def _sure(self, held: Tried | None) -> Tried | None:
        if held is None:
            return None
        below = (t for t in reversed(self.tried) if t.rate_per_s <= held.rate_per_s)
        return next((t for t in below if t.held and t.is_sure), None)

    def _knee(self) -> Step | None:
        """The fewest users with nearly the most power, throughput over service time (Kleinrock, ICC 1979)."""
        power = [
            (step.measured.throughput_per_s / step.measured.mean_service_s, step)
            for step in self.rungs
            if step.measured.mean_service_s
        ]
        most = max((value for value, _ in power), default=0.0)
        return next((step for value, step in power if value >= NEARLY_ALL_POWER * most), None)
