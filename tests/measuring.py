"""Measuring functions to search with: a simulated queue, a cliff, accidents; and steps made by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scorebench.capacity.search import Measure
from scorebench.capacity.trial import Measured, Plan, Reading, Step, Tried
from scorebench.figures.clumps import Clumps
from scorebench.figures.percentiles import Sample, estimate
from scorebench.recordings.bands import coarse_us
from scorebench.verdicts.limits import Limit, parse_limit
from tests.queues import Calls, Queue

WARM_UP_S = 3.0
P99 = parse_limit("p99<100ms")


@dataclass
class SimulatedServer:
    """Measures a queue as a load test would: a warm-up, then the plan's time; remembers what it was asked."""

    queue: Queue
    limits: Sequence[Limit]
    seed: int

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.plans: list[Plan] = []

    def __call__(self, plan: Plan) -> Measured:
        self.plans.append(plan)
        seconds = WARM_UP_S + plan.duration_s
        if plan.rate_per_s is None:
            calls = self.queue.closed_loop(plan.users, seconds, self.rng)
        else:
            calls = self.queue.open_loop(plan.rate_per_s, seconds, self.rng)
        return self._measured(calls, plan)

    def _measured(self, calls: Calls, plan: Plan) -> Measured:
        sent = calls.due_s >= WARM_UP_S
        response_s = calls.response_s[sent]
        answered = np.sum((calls.done_s >= WARM_UP_S) & (calls.done_s < WARM_UP_S + plan.duration_s))
        return Measured(
            duration_s=plan.duration_s + WARM_UP_S,
            achieved_per_s=len(response_s) / plan.duration_s,
            throughput_per_s=float(answered) / plan.duration_s,
            mean_service_s=float(response_s.mean()) if len(response_s) else None,
            readings=tuple(self._reading(limit, response_s, calls.due_s[sent]) for limit in self.limits),
        )

    def _reading(self, limit: Limit, response_s: NDArray[np.float64], due_s: NDArray[np.float64]) -> Reading:
        if limit.metric == "mean":
            return Reading(limit, float(response_s.mean()))
        if limit.of.q is None:
            return Reading(limit, {"valid": 1.0, "throughput": 50.0}[limit.metric])
        values, counts = np.unique(response_s, return_counts=True)
        found = estimate(values, counts, limit.of.q)
        if found.value is None:
            return Reading(limit, None)
        clumped = clumps_of(due_s - WARM_UP_S, response_s).at(found.value)
        return Reading(limit, found.value, Sample(values, counts, clumped))


def clumps_of(due_s: NDArray[np.float64], response_s: NDArray[np.float64]) -> Clumps:
    """What a run would have recorded of these calls, second by second."""
    second, bucket_us = due_s.astype(int), coarse_us(response_s)
    return Clumps({int(one): Counter(bucket_us[second == one].tolist()) for one in np.unique(second)})


def cliff(rate_per_s: float, limits: Sequence[Limit], seed: int, accidents: float = 0.0) -> Measure:
    """10 ms whatever the rate, and 10 s beyond a certain one; now and then a step with an accident of 5 s."""
    rng = np.random.default_rng(seed)

    def measure(plan: Plan) -> Measured:
        offered = plan.rate_per_s or min(plan.users / 0.01, rate_per_s)
        time_s = 10.0 if offered > rate_per_s else 0.01 * rng.uniform(0.95, 1.05)
        time_s = 5.0 if rng.random() < accidents else time_s
        service_s = plan.users / offered if plan.rate_per_s is None else time_s
        readings = tuple(Reading(limit, time_s) for limit in limits)
        return Measured(plan.duration_s + 1, offered, min(offered, rate_per_s), service_s, readings)

    return measure


def with_accidents(measure: Measure, share: float, seed: int) -> Measure:
    """Some steps come out a second slower, as when the machine did something else for a while."""
    rng = np.random.default_rng(1000 + seed)

    def disturbed(plan: Plan) -> Measured:
        measured = measure(plan)
        if rng.random() >= share:
            return measured
        return replace(
            measured, readings=tuple(replace(r, value=(r.value or 0.0) + 1) for r in measured.readings)
        )

    return disturbed


def tried(rate: float, *values: float | None, invalid: str | None = None) -> Tried:
    plan = Plan(0, 60.0, 32, rate, "")
    return Tried(
        rate,
        tuple(
            Step(plan, Measured(60.0, rate, rate, 0.01, (Reading(P99, v),), invalid=invalid)) for v in values
        ),
    )
