"""The content of versus.json. Computes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from scorebench.comparison.versus import DuelResult, State
from scorebench.report.forms.figures import Whole

FORMAT: Literal[1] = 1
"""The version of this form."""


class AnswerForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """What the pairs say about one metric; `fail_if` is the threshold, if there is one."""

    metric: str
    fail_if: str | None
    state: State
    pairs: Whole
    a: Annotated[float | None, Meta(description="A's figure, in SI units: the median over the pairs.")]
    b: Annotated[float | None, Meta(description="B's figure, likewise.")]
    change: Annotated[float | None, Meta(description="B's figure / A's figure - 1, by Hodges and Lehmann.")]
    low: Annotated[float | None, Meta(description="Lower bound of the change; all looks together 95 % sure.")]
    high: Annotated[float | None, Meta(description="Upper bound of the change.")]


class DifferentForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """A row that A and B predict differently; `call` and `row` count from 1."""

    call: Whole
    row: Whole
    a: Any
    b: Any


class AlikeForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """The predictions of A and B for the same bodies."""

    rows: Whole
    differing: Whole
    unread: Annotated[Whole, Meta(description="Bodies that were not answered with predictions by both.")]
    problem: str
    examples: list[DifferentForm]


class VersusForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """One comparison of A and B."""

    format: Literal[1] = FORMAT
    sides: Mapping[str, str]
    round_s: float
    most_pairs: Whole
    measured: Annotated[Whole, Meta(description="Pairs that were measured, without the warm-up.")]
    answers: list[AnswerForm]
    predictions: AlikeForm | None
    failures: Annotated[Mapping[str, str], Meta(description="By side, why calls were not valid.")]
    not_valid: Annotated[Mapping[str, str], Meta(description="By side, why rounds were not valid.")] = field(
        default_factory=dict
    )
    unusable: Annotated[Whole, Meta(description="Pairs with a round that is not valid, or failed.")] = 0


def form_of(result: DuelResult) -> VersusForm:
    """The content of the file."""
    alike = result.alike
    return VersusForm(
        sides=result.sides,
        round_s=result.round_s,
        most_pairs=result.most_pairs,
        measured=result.measured,
        answers=[
            AnswerForm(
                metric=one.question.metric,
                fail_if=None if one.question.threshold is None else one.question.threshold.text,
                state=one.state,
                pairs=one.pairs,
                a=one.a,
                b=one.b,
                change=one.change,
                low=one.low,
                high=one.high,
            )
            for one in result.answers
        ],
        predictions=None
        if alike is None
        else AlikeForm(
            rows=alike.rows,
            differing=alike.differing,
            unread=alike.unread,
            problem=alike.problem,
            examples=[DifferentForm(call=one.body, row=one.row, a=one.a, b=one.b) for one in alike.examples],
        ),
        failures=result.failures,
        not_valid=result.not_valid,
        unusable=result.unusable,
    )
