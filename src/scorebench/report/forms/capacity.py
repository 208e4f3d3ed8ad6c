"""The content of capacity.json: a search for the highest rate. Computes nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from scorebench.capacity.found import Capacity, Ended
from scorebench.capacity.trial import Step, Tried
from scorebench.report.forms.figures import Whole
from scorebench.verdicts.limits import check

FORMAT: Literal[1] = 1
"""The version of this form."""
ByLimit = Annotated[
    dict[str, float | None], Meta(description="By limit: seconds, a share of 1, or a number a second.")
]


class TriedForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """All steps at one rate."""

    rate_per_s: Annotated[float, Meta(description="Calls a second that were asked for.")]
    throughput_per_s: Annotated[float, Meta(description="Valid answers a second; the median of the steps.")]
    steps: list[Whole]
    broke: Annotated[
        list[str],
        Meta(
            description="Metrics whose limits were missed, most often first; 'throughput' where it did "
            "not follow."
        ),
    ]
    figures: ByLimit
    at_most: ByLimit


class KneeForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """The fewest users with nearly the most power (throughput over service time), and their step."""

    step: Whole
    users: Annotated[int, Meta(ge=1)]


class StepForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """One run of the search."""

    number: Whole
    why: Annotated[str, Meta(description="What the step was for.")]
    users: Annotated[int, Meta(ge=1)]
    rate_per_s: Annotated[
        float | None, Meta(description="Calls a second in an open loop; null in a closed one.")
    ]
    duration_s: Annotated[float, Meta(description="Seconds it was asked to last.")]
    took_s: Annotated[float, Meta(description="Seconds it took, with warm-up and drain.")]
    sent_per_s: float
    throughput_per_s: float
    mean_service_s: Annotated[float | None, Meta(description="Seconds from sent to done, of valid calls.")]
    calls_in_service: Annotated[
        float | None, Meta(description="Little's law: throughput times mean service time.")
    ]
    little_error: Annotated[
        float | None, Meta(description="How far that is from what was counted, as a share.")
    ]
    figures: ByLimit
    met: dict[str, bool | None]
    held: Annotated[bool | None, Meta(description="Null in a closed loop, and where the step can't say.")]
    invalid: Annotated[str | None, Meta(description="Why the measurement can't be used.")]


class CapacityForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a search for the highest rate found.

    Times are seconds, rates are calls a second. Null is what was not measured, or what too few calls support.
    """

    format: Annotated[Literal[1], Meta(description="Version of this form.")]
    ended: Annotated[Ended, Meta(description="Why the search ended.")]
    limits: Annotated[list[str], Meta(description="As they were given.")]
    held: Annotated[TriedForm | None, Meta(description="The highest rate that held.")]
    sure: Annotated[TriedForm | None, Meta(description="The highest rate that held by its 99 % bounds too.")]
    failed: Annotated[TriedForm | None, Meta(description="The lowest rate that did not hold.")]
    wall: Annotated[
        TriedForm | None,
        Meta(description="The lowest rate at which the measurement itself was not valid."),
    ]
    knee: KneeForm | None
    plateau_per_s: Annotated[
        float | None, Meta(description="Where throughput levelled off while no limit broke.")
    ]
    budget_s: Annotated[float, Meta(description="Seconds that the search was given.")]
    spent_s: Annotated[float, Meta(description="Seconds that its steps took.")]
    steps: list[StepForm]
    environment: Annotated[dict[str, Any], Meta(description="As in the recording of the first step.")]


def form_of(capacity: Capacity, environment: dict[str, Any]) -> CapacityForm:
    """What to write; `environment` is the environment of the first step."""
    knee = capacity.knee
    return CapacityForm(
        format=FORMAT,
        ended=capacity.ended,
        limits=[limit.text for limit in capacity.limits],
        held=_tried(capacity.held, capacity),
        sure=_tried(capacity.sure, capacity),
        failed=_tried(capacity.failed, capacity),
        wall=_tried(capacity.wall, capacity),
        knee=None if knee is None else KneeForm(step=knee.plan.number, users=knee.plan.users),
        plateau_per_s=capacity.plateau_per_s,
        budget_s=capacity.budget_s,
        spent_s=capacity.spent_s,
        steps=[_step(step) for step in capacity.steps],
        environment=environment,
    )


def _tried(tried: Tried | None, capacity: Capacity) -> TriedForm | None:
    if tried is None:
        return None
    return TriedForm(
        rate_per_s=tried.rate_per_s,
        throughput_per_s=tried.throughput_per_s,
        steps=[step.plan.number for step in tried.steps],
        broke=list(tried.broke),
        figures={limit.text: tried.value(limit) for limit in capacity.limits},
        at_most={limit.text: tried.upper(limit) for limit in capacity.limits},
    )


def _step(step: Step) -> StepForm:
    plan, measured = step.plan, step.measured
    return StepForm(
        number=plan.number,
        why=plan.why,
        users=plan.users,
        rate_per_s=plan.rate_per_s,
        duration_s=plan.duration_s,
        took_s=measured.duration_s,
        sent_per_s=measured.achieved_per_s,
        throughput_per_s=measured.throughput_per_s,
        mean_service_s=measured.mean_service_s,
        calls_in_service=step.calls_in_service,
        little_error=step.little_error,
        figures={reading.limit.text: reading.value for reading in measured.readings},
        met={r.limit.text: check(r.limit, r.value).met for r in measured.readings},
        held=None if plan.rate_per_s is None else step.held,
        invalid=measured.invalid,
    )
