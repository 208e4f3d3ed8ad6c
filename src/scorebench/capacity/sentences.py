"""What a search for capacity found, in sentences. Knows wording; measures and computes nothing."""

from __future__ import annotations

import math

from scorebench.capacity.found import Capacity, Ended
from scorebench.capacity.trial import NOT_FOLLOWED, Tried
from scorebench.figures.percentiles import CONFIDENCE
from scorebench.units import say_length, say_percent, say_rate, say_seconds
from scorebench.verdicts.limits import Limit

WITH_AN_EDGE = (Ended.FOUND, Ended.NOTHING_BROKE)
LITTLE_TOLERANCE = 0.1
"""Little's law may be off by this much; beyond it the figures of a step contradict each other."""


def sentences(
    capacity: Capacity, *, target_per_s: float | None = None, server_workers: int | None = None
) -> list[str]:
    """The answer first, then what broke, then the knee; for `target_per_s`, how many workers it takes.

    `server_workers` is how many the measured server had; without it whole servers are counted.
    """
    found = [_held(capacity), *_not_sure(capacity), *_above(capacity), *_floors(capacity), *_ended(capacity)]
    found += [*_knee(capacity), *_little(capacity)]
    if target_per_s is not None:
        found += _plan(capacity, target_per_s, server_workers)
    return found


def _held(capacity: Capacity) -> str:
    held = capacity.held
    if held is not None:
        figures = ", ".join(_figure(held, limit) for limit in capacity.limits if not limit.of.is_floor)
        return f"holds {say_rate(held.rate_per_s)}" + (f" with {figures}" if figures else "")
    if capacity.ended is Ended.NO_ANSWER:
        return "no call got a valid answer, so there is nothing to search"
    if capacity.ended is Ended.NOTHING_HELD:
        return "even the lowest rate tried does not hold"
    if capacity.ended is Ended.NOT_VALID:
        return "no rate could be measured"
    return _none_held(capacity)


def _none_held(capacity: Capacity) -> str:
    tried = [step for step in capacity.steps if step.plan.rate_per_s is not None]
    if not tried:
        return "no rate was tried"
    if all(step.why_unusable for step in tried):
        return "no rate could be measured"
    return "no rate held" if capacity.failed else "no rate was shown to hold, and none to fail"


def _figure(tried: Tried, limit: Limit) -> str:
    upper = tried.upper(limit)
    bound = "" if upper is None else f" ({say_percent(CONFIDENCE)} sure: at most {limit.of.say(upper)})"
    return tried.figure_text(limit) + bound


def _not_sure(capacity: Capacity) -> list[str]:
    held, sure = capacity.held, capacity.sure
    if held is None or held == sure:
        return []
    if sure is None:
        return [f"no rate is {say_percent(CONFIDENCE)} sure to hold: give --budget more to measure longer"]
    return [f"{say_rate(sure.rate_per_s)} is {say_percent(CONFIDENCE)} sure to hold"]


def _above(capacity: Capacity) -> list[str]:
    reasons = []
    failed, wall = capacity.failed, capacity.wall
    if capacity.ended is Ended.NOTHING_BROKE and capacity.plateau_per_s is not None:
        return [f"no limit broke: throughput levelled off at {say_rate(capacity.plateau_per_s)}"]
    if failed is not None:
        what = " and ".join(_broke(failed, metric, capacity) for metric in failed.broke)
        reasons.append(f"fails at {say_rate(failed.rate_per_s)}, where {what}")
    if wall is not None:
        why = next(step.why_unusable for step in reversed(wall.steps) if step.why_unusable)
        reasons.append(f"at {say_rate(wall.rate_per_s)} the measurement itself is not valid: {why}")
    return reasons


def _broke(failed: Tried, metric: str, capacity: Capacity) -> str:
    if metric == NOT_FOLLOWED:
        return f"throughput did not follow ({say_rate(failed.throughput_per_s)})"
    limit = next(limit for limit in capacity.limits if limit.metric == metric)
    value = failed.value(limit)
    return f"{metric} broke" + ("" if value is None else f" ({limit.of.say(value)})")


def _floors(capacity: Capacity) -> list[str]:
    return [
        f"{floor.limit.text} is not reached: {floor.why}" for floor in capacity.floors if floor.met is False
    ]


def _ended(capacity: Capacity) -> list[str]:
    if capacity.ended is Ended.SERVER_ENDED:
        return ["the server ended during the search: see its log in this folder"]
    if capacity.ended is Ended.STOPPED:
        return ["the search was stopped early"]
    if capacity.ended is not Ended.BUDGET:
        return []
    needed_s = capacity.needed_s
    more = "more" if needed_s is None or needed_s <= capacity.budget_s else f"{as_budget(needed_s)} or more"
    return [
        f"the budget of {say_seconds(capacity.budget_s)} ended the search early: the edge is not measured as "
        f"often as it should be; give --budget {more}"
    ]


def too_short(budget_s: float, needed_s: float) -> str:
    """Said once the region is known, before the rest of a budget is spent that can't suffice."""
    return (
        f"the budget of {say_length(budget_s)} is too short to find the edge here; --budget "
        f"{as_budget(needed_s)} would do. The search goes on, and says what it can"
    )


def as_budget(seconds: float) -> str:
    """As --budget takes it, rounded up: `90s`, `6m`."""
    return f"{math.ceil(seconds / 10) * 10}s" if seconds <= 120 else f"{math.ceil(seconds / 60)}m"


def _knee(capacity: Capacity) -> list[str]:
    knee = capacity.knee
    closed = [s for s in capacity.steps if s.plan.rate_per_s is None and s.measured.throughput_per_s > 0]
    if knee is None and len(closed) == 1:
        return ["calls were measured with one number of users only, so no knee is known"]
    if knee is None or knee.calls_in_service is None:
        return []
    error = knee.little_error
    law = ""
    if error is not None and error <= LITTLE_TOLERANCE:
        law = f" (Little's law agrees within {max(1, math.ceil(error * 100))} %)"
    return [f"at the knee {knee.calls_in_service:.1f} calls were in service{law}"]


def _little(capacity: Capacity) -> list[str]:
    """The step at which Little's law is off most, if that is too much."""
    off = [
        (step.little_error, step) for step in capacity.steps if (step.little_error or 0.0) > LITTLE_TOLERANCE
    ]
    if not off:
        return []
    error, step = max(off, key=lambda pair: pair[0] or 0.0)
    load = f"{step.plan.users} users" if step.plan.rate_per_s is None else say_rate(step.plan.rate_per_s)
    return [
        f"at {load} Little's law is off by {say_percent(error or 0.0)}: the figures of that step don't add up"
    ]


def _plan(capacity: Capacity, target_per_s: float, server_workers: int | None) -> list[str]:
    count = capacity.workers_for(target_per_s, server_workers or 1)
    if count is None:
        return []
    what = ("worker" if server_workers else "server") + ("" if count == 1 else "s")
    caveat = "" if capacity.ended in WITH_AN_EDGE else " (the edge was not found: it may be fewer or more)"
    return [f"for {say_rate(target_per_s)} with these figures plan for {count:,} {what}{caveat}"]
