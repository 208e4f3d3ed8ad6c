"""What a search for capacity found → text and JSON. Knows their forms; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scorebench.capacity.found import Capacity
from scorebench.capacity.sentences import sentences
from scorebench.capacity.trial import Plan, Step
from scorebench.report import text
from scorebench.report.data import dumped
from scorebench.report.forms.capacity import form_of
from scorebench.report.sent import header
from scorebench.report.words import NOT_MEASURED
from scorebench.units import say_rate, say_seconds
from scorebench.verdicts.limits import Limit


def render(
    capacity: Capacity,
    *,
    target_per_s: float | None = None,
    server_workers: int | None = None,
    environment: Mapping[str, Any] | None = None,
) -> str:
    """The answer in sentences, what was sent and to what, then every step behind it."""
    answer = sentences(capacity, target_per_s=target_per_s, server_workers=server_workers)
    lines = [sentence[0].upper() + sentence[1:] + "." for sentence in answer]
    if lines_above := header(environment or {}):
        lines += ["", *lines_above]
    if capacity.steps:
        lines += ["", *text.table(steps(capacity), text_columns=2)]
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
    return [load_text(step.plan), *rates, service, *figures, result_text(step)]


def load_text(plan: Plan) -> str:
    """`4 users` in a closed loop, `96/s` in an open one."""
    if plan.rate_per_s is not None:
        return say_rate(plan.rate_per_s)
    return "1 user" if plan.users == 1 else f"{plan.users} users"


def result_text(step: Step) -> str:
    """Whether the rate held; empty for a step of the ladder."""
    if step.plan.rate_per_s is None:
        return "-" if step.measured.invalid is None else "not valid"
    if step.why_unusable:
        return f"not usable: {step.why_unusable}"
    return "holds" if step.held else f"{' and '.join(step.broke)} broke"


def _figure(limit: Limit, value: float | None) -> str:
    return NOT_MEASURED if value is None else limit.of.say(value)


def render_json(capacity: Capacity, environment: dict[str, Any]) -> str:
    """The text of capacity.json; its schema is schemas/capacity.schema.json. Seconds, calls a second."""
    return dumped(form_of(capacity, environment), indent=2)
