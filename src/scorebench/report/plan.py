"""A plan → text. Computes nothing."""

from __future__ import annotations

import math

from scorebench.plans.plan import MOST_WORKERS, LimitedBy, Plan
from scorebench.report.words import NOT_MEASURED, count
from scorebench.units import say_rate, say_seconds

CANNOT_KNOW = (
    "other payloads, another machine, and arrivals in bursts",
    "whether memory, disk or network of the machine limits that many workers",
)


def render(plan: Plan, limit: str) -> str:
    """The answer, its interval, why, and what it cannot know."""
    return "\n".join([*_answer(plan, limit), *_reasons(plan), *_unknown(plan)]) + "\n"


def _answer(plan: Plan, limit: str) -> list[str]:
    want = f"{say_rate(plan.rate_per_s)} at {limit}"
    if plan.workers is None:
        alone = f"a call alone takes {say_seconds(plan.alone_s)}"
        many = f"{MOST_WORKERS:,} workers would be too few"
        return [f"No number of workers keeps {want}: {alone if plan.alone_s >= plan.within_s else many}."]
    high = "no upper bound" if plan.high is None else f"{plan.high}"
    return [
        f"{count(plan.workers, 'worker')} for {want} (between {plan.low} and {high}).",
        f"Expect {_expected(plan)}.",
        f"Limited by {plan.limited_by}: {_limit(plan)}.",
    ]


def _expected(plan: Plan) -> str:
    found = plan.expected
    if found is None:
        return NOT_MEASURED
    if found.high_s == math.inf:
        return f"{say_seconds(found.s)} (at least {say_seconds(found.low_s)}; it may be too few)"
    return f"{say_seconds(found.s)} (between {say_seconds(found.low_s)} and {say_seconds(found.high_s)})"


def _limit(plan: Plan) -> str:
    if plan.limited_by is not LimitedBy.CPU:
        return "one worker fewer would not do"
    return f"that takes {plan.cpu:.1f} cores, and the machine that was measured has {plan.cores}"


def _reasons(plan: Plan) -> list[str]:
    lines = [
        f"{count(one.workers, 'worker')} carried {say_rate(one.per_s)} ({say_rate(one.low_per_s)} to "
        f"{say_rate(one.high_per_s)})."
        for one in plan.carried
    ]
    if plan.contention is not None:
        lines.append(f"Each additional worker carries less: contention {plan.contention:.2g} (Amdahl's law).")
    lines.append(f"A call alone takes {say_seconds(plan.alone_s)}; the rest is waiting.")
    if plan.workers is not None:
        lines.append(_takes(plan))
    return lines


def _takes(plan: Plan) -> str:
    if plan.cpu is None and plan.rss_bytes is None:
        return "CPU and memory of the server were not measured."
    cores = f"CPU {NOT_MEASURED}" if plan.cpu is None else f"{plan.cpu:.1f} cores"
    memory = (
        f"memory {NOT_MEASURED}" if plan.rss_bytes is None else f"{plan.rss_bytes / 1e6:,.0f} MB of memory"
    )
    return f"That takes {cores} and {memory}, if both grow as they did so far."


def _unknown(plan: Plan) -> list[str]:
    unknown = list(CANNOT_KNOW)
    if not plan.is_counted:
        unknown.insert(0, "how many workers the server had that was measured: all of it counts as one worker")
    elif plan.contention is None:
        unknown.insert(0, "how workers share the machine, as one number of them was measured (--workers 1,2)")
    return ["What this cannot know: " + "; ".join(unknown) + ".", "Measure it: scorebench capacity."]
