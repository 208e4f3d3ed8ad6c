"""The content of the JSON of a comparison. Computes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from scorebench.comparison.compare import Change, Comparison, Difference, Gate
from scorebench.report.forms.figures import Whole

FORMAT: Literal[1] = 1
"""The version of this form."""


class SetForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """A set of runs."""

    name: str
    runs: Whole


class MiddleForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """The median over runs, and bounds with 95 % certainty; null below six runs."""

    value: float
    low: float | None
    high: float | None
    runs: Annotated[int, Meta(ge=1, description="Runs that have the figure.")]
    within: Annotated[
        tuple[float, float] | None,
        Meta(description="Of a single run: the bounds of the percentile by its own calls, 99 % sure."),
    ]


class MetricForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """One metric of both sets."""

    metric: str
    before: MiddleForm | None
    after: MiddleForm | None
    ratio: Annotated[float | None, Meta(description="after / before - 1.")]
    p: Annotated[float | None, Meta(description="Of Mann-Whitney's U, two-sided.")]
    change: Change


class GateForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """A threshold of --fail-if; `failed` is null where the runs can't decide."""

    fail_if: str
    failed: bool | None
    low: Annotated[float | None, Meta(description="after / before - 1 is above this, 95 % sure.")]
    high: Annotated[float | None, Meta(description="after / before - 1 is below this.")]
    why: str


class PairForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """One set against the first."""

    before: SetForm
    after: SetForm
    geometric_mean: Annotated[
        float | None, Meta(description="Of the ratios after / before of the response times.")
    ]
    metrics: list[MetricForm]
    gates: list[GateForm]


class ComparisonForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """Sets of runs, each against the first.

    Times are seconds, shares are of 1, rates a second. Null is what was not measured or can't be said.
    """

    format: Annotated[Literal[1], Meta(description="Version of this form.")]
    warnings: list[str]
    comparisons: list[PairForm]


def form_of(
    comparisons: Sequence[Comparison], warnings: Sequence[str], why: Callable[[Gate], str]
) -> ComparisonForm:
    """What to write; `why` says in words what a gate found."""
    pairs = [_pair(one, why) for one in comparisons]
    return ComparisonForm(format=FORMAT, warnings=list(warnings), comparisons=pairs)


def _pair(one: Comparison, why: Callable[[Gate], str]) -> PairForm:
    return PairForm(
        before=SetForm(name=one.before.name, runs=len(one.before.runs)),
        after=SetForm(name=one.after.name, runs=len(one.after.runs)),
        geometric_mean=one.geometric_mean,
        metrics=[_metric(difference) for difference in one.differences],
        gates=[
            GateForm(fail_if=g.threshold.text, failed=g.failed, low=g.low, high=g.high, why=why(g))
            for g in one.gates
        ],
    )


def _metric(found: Difference) -> MetricForm:
    return MetricForm(
        metric=found.metric,
        before=None if found.before is None else MiddleForm(**vars(found.before)),
        after=None if found.after is None else MiddleForm(**vars(found.after)),
        ratio=found.ratio,
        p=found.p,
        change=found.change,
    )
