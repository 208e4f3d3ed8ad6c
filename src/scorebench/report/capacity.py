"""What a search for capacity found → text and JSON. Knows their forms; computes nothing."""

from __future__ import annotations

from typing import Any

from scorebench.capacity.found import Capacity
from scorebench.capacity.sentences import sentences
from scorebench.capacity.trial import Step, Tried
from scorebench.report import text
from scorebench.report.data import dumped
from scorebench.report.words import NOT_MEASURED
from scorebench.units import say_rate, say_seconds
from scorebench.verdicts.limits import Limit, check

FORMAT = 1
"""The version of the form of capacity.json."""


def render(
    capacity: Capacity, *, target_per_s: float | None = None, server_workers: int | None = None
) -> str:
    """The answer in sentences, then every step that it rests on."""
    said = sentences(capacity, target_per_s=target_per_s, server_workers=server_workers)
    lines = [sentence[0].upper() + sentence[1:] + "." for sentence in said]
    if capacity.steps:
        lines += ["", *text.table(steps(capacity), left=2)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def steps(capacity: Capacity) -> list[list[str]]:
    """Head and a row a step: what was asked, what came, each limit's figure, and what it says."""
    metrics = [limit.metric for limit in capacity.limits]
    rows = [["Step", "load", "sent", "valid", "service mean", *metrics, "says"]]
    return rows + [[str(step.plan.number), *_cells(step, capacity.limits)] for step in capacity.steps]


def _cells(step: Step, limits: tuple[Limit, ...]) -> list[str]:
    measured = step.measured
    service = NOT_MEASURED if measured.mean_service_s is None else say_seconds(measured.mean_service_s)
    values = {reading.limit: reading.value for reading in measured.readings}
    figures = [_figure(limit, values[limit]) for limit in limits]
    rates = [say_rate(measured.achieved_per_s), say_rate(measured.throughput_per_s)]
    return [said_load(step), *rates, service, *figures, said_result(step)]


def said_load(step: Step) -> str:
    """`4 users` in a closed loop, `96/s` in an open one."""
    plan = step.plan
    if plan.rate_per_s is not None:
        return say_rate(plan.rate_per_s)
    return "1 user" if plan.users == 1 else f"{plan.users} users"


def said_result(step: Step) -> str:
    """What a step says of its rate; a rung of the ladder says nothing."""
    if step.plan.rate_per_s is None:
        return "-" if step.measured.invalid is None else "not valid"
    if step.why_unusable:
        return f"not usable: {step.why_unusable}"
    return "holds" if step.held else f"{' and '.join(step.broke)} broke"


def _figure(limit: Limit, value: float | None) -> str:
    return NOT_MEASURED if value is None else limit.of.say(value)


def render_json(capacity: Capacity, told: dict[str, Any]) -> str:
    """The text of capacity.json; its schema is schemas/capacity.schema.json. Seconds, calls a second."""
    knee = capacity.knee
    return dumped(
        {
            "format": FORMAT,
            "ended": str(capacity.ended),
            "limits": [limit.text for limit in capacity.limits],
            "held": _tried(capacity.held, capacity),
            "sure": _tried(capacity.sure, capacity),
            "failed": _tried(capacity.failed, capacity),
            "wall": _tried(capacity.wall, capacity),
            "knee": None if knee is None else {"step": knee.plan.number, "users": knee.plan.users},
            "plateau_per_s": capacity.plateau_per_s,
            "budget_s": capacity.budget_s,
            "spent_s": capacity.spent_s,
            "steps": [_step(step) for step in capacity.steps],
            "environment": told,
        },
        indent=2,
    )


def _tried(tried: Tried | None, capacity: Capacity) -> dict[str, Any] | None:
    if tried is None:
        return None
    return {
        "rate_per_s": tried.rate_per_s,
        "throughput_per_s": tried.throughput_per_s,
        "steps": [step.plan.number for step in tried.steps],
        "broke": list(tried.broke),
        "figures": {limit.text: tried.value(limit) for limit in capacity.limits},
        "at_most": {limit.text: tried.upper(limit) for limit in capacity.limits},
    }


def _step(step: Step) -> dict[str, Any]:
    plan, measured = step.plan, step.measured
    return {
        "number": plan.number,
        "why": plan.why,
        "users": plan.users,
        "rate_per_s": plan.rate_per_s,
        "duration_s": plan.duration_s,
        "took_s": measured.duration_s,
        "sent_per_s": measured.achieved_per_s,
        "throughput_per_s": measured.throughput_per_s,
        "mean_service_s": measured.mean_service_s,
        "calls_in_service": step.calls_in_service,
        "little_error": step.little_error,
        "figures": {reading.limit.text: reading.value for reading in measured.readings},
        "met": {r.limit.text: check(r.limit, r.value).met for r in measured.readings},
        "held": None if plan.rate_per_s is None else step.held,
        "invalid": measured.invalid,
    }
