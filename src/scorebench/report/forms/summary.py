"""The content of summary.json: the figures of a run and the verdict. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from scorebench.figures.metric import Metric
from scorebench.figures.metrics import every
from scorebench.figures.moved import ServerMetrics
from scorebench.figures.percentiles import QUANTILES, calls_needed
from scorebench.figures.summary import LeftOut, RequestFigures, Summary, UserFigures
from scorebench.recordings.slowest import SlowCall
from scorebench.recordings.types import Count, Event, Example, Label
from scorebench.report.forms import streams
from scorebench.report.forms.figures import Figure, Intervals, Share, Times
from scorebench.report.forms.stages import StagesFiguresForm
from scorebench.report.forms.stages import form_of as stages_form_of
from scorebench.report.forms.streams import StreamFiguresForm
from scorebench.verdicts.limits import COMPARISONS, Checked
from scorebench.verdicts.verdict import Verdict

FORMAT: Literal[1] = 1
"""The version of this form."""


class AccountingForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """due = valid + invalid + failed + cut_off + never_sent."""

    due: Count
    valid: Count
    invalid: Count
    failed: Count
    cut_off: Annotated[Count, Meta(description="In flight at the end, and no answer was due yet.")]
    overdue: Annotated[
        Count,
        Meta(description="Of failed: cut off at the end after longer than any answer makes plausible."),
    ]
    never_sent: Annotated[
        dict[str, Count], Meta(description="Calls that were due and did not leave, by cause.")
    ]
    adds_up: bool
    mismatches: Annotated[list[str], Meta(description="Counts of the same calls that differ.")]


class FindingForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """A finding about the measurement."""

    severity: Literal["invalid", "warning", "note"]
    code: str
    text: str
    advice: str


class LimitForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """A limit, and what was measured."""

    limit: str
    metric: str
    comparison: Annotated[str, Meta(extra_json_schema={"enum": list(COMPARISONS)})]
    bound: Annotated[float, Meta(description="Seconds, a share of 1, or a number a second.")]
    value: Annotated[float | None, Meta(description="What was measured, in the bound's unit.")]
    met: bool | None
    why: str


class VerdictForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """Whether the measurement is valid, and whether the limits were met."""

    valid: Annotated[bool, Meta(description="Whether the measurement can be believed.")]
    met: Annotated[
        bool | None,
        Meta(description="Whether all limits were met; null: none was given, or one could not be judged."),
    ]
    exit_code: Annotated[
        Literal[0, 1, 3, 4],
        Meta(
            description="0 good, 1 more calls failed than allowed, 3 a limit was missed, "
            "4 the measurement is not valid."
        ),
    ]
    failures: Annotated[Count, Meta(description="Calls that ended without a valid answer.")]
    allowed_failures: Annotated[Count, Meta(description="0, unless a limit on 'valid' allows for more.")]
    lost: Annotated[bool, Meta(description="The run was ended by its own stop condition.")]
    findings: Annotated[list[FindingForm], Meta(description="Gravest first.")]
    limits: list[LimitForm]


class MetricForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """A metric in SI units; low and high hold the true value with 99 % certainty."""

    value: Figure | None
    unit: Annotated[str, Meta(description="Empty for a share of 1.")]
    low: Figure | None
    high: Figure | None


class FiguresForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """The figures of one run.

    Times are seconds, rates are a second. Null is what was not measured, or what too few calls support.
    """

    format: Annotated[Literal[1], Meta(description="Version of this form.")]
    calls: Annotated[Count, Meta(description="Calls sent, without those of the warm-up.")]
    valid: Annotated[Count, Meta(description="Calls with a valid answer.")]
    valid_share: Annotated[
        Share | None, Meta(description="Of the calls whose fate is known, between 0 and 1.")
    ]
    rows: Annotated[Count, Meta(description="Records in valid answers.")]
    wall_time_s: Annotated[
        Figure | None, Meta(description="Seconds from the first due time to the end of the load.")
    ]
    throughput_per_s: Annotated[Figure | None, Meta(description="Valid answers a second.")]
    rows_per_s: Annotated[Figure | None, Meta(description="Records in valid answers, a second.")]
    sent_per_s: Annotated[Figure | None, Meta(description="Calls sent, a second.")]
    due_per_s: Annotated[Figure | None, Meta(description="Calls that came due, a second.")]
    service_time_s: Annotated[Times, Meta(description="Seconds from sent to done, of valid calls.")]
    service_time_interval_s: Intervals
    response_time_s: Annotated[
        Times,
        Meta(description="Seconds from due to done, of valid calls; in a closed loop as the service time."),
    ]
    response_time_interval_s: Intervals
    lag_s: Annotated[
        dict[str, float | None],
        Meta(
            description="Seconds that the generator itself was late; `calls` are those that a free user "
            "waited to send."
        ),
    ]
    streams: Annotated[StreamFiguresForm | None, Meta(description="Null if no valid answer was a stream.")]
    late: Annotated[Count, Meta(description="Calls that were due while all users were busy.")]
    calls_needed: Annotated[
        dict[str, Count],
        Meta(description="Calls below which a percentile is null (MLPerf's early stopping at 99 %)."),
    ]
    outcomes: Annotated[dict[Label, Count], Meta(description="Calls by outcome.")]
    slowest: Annotated[list[SlowCall], Meta(description="The slowest calls, with --traceparent.")]
    accounting: AccountingForm
    users: list[UserFigures]
    requests: Annotated[
        list[RequestFigures],
        Meta(description="By method and name, if a locustfile sends different requests; else empty."),
    ]
    reconnects: Annotated[
        Count, Meta(description="Connections that had ended before a call arrived, and were opened again.")
    ]
    sent_twice: Annotated[
        Count,
        Meta(description="Calls that were sent on such a connection in vain, and again on the new one."),
    ]
    unasked: Annotated[
        Count,
        Meta(description="Connections that were closed because the server sent more than it was asked for."),
    ]
    changed: Annotated[Count, Meta(description="Answers to a payload that differed from its first.")]
    changed_example: Annotated[
        dict[str, Example],
        Meta(description="Two answers that differ: `body`, its number; `first` and `then`, cut."),
    ]
    examples: Annotated[
        dict[Label, Example], Meta(description="The first answer of each outcome but 'valid', cut to 2 kB.")
    ]
    warm_up: LeftOut
    environment: Annotated[
        dict[str, Any], Meta(description="What the figures depend on. Absent or null: not known.")
    ]
    events: list[Event]
    server_metrics: Annotated[
        ServerMetrics | None,
        Meta(description="Which of the server's own metrics moved with latency; null without --scrape."),
    ] = None
    stages: Annotated[
        StagesFiguresForm | None, Meta(description="Where the time went; null without --timings.")
    ] = None


class SummaryForm(FiguresForm, forbid_unknown_fields=True, kw_only=True):
    """The figures of one run, and what they are worth.

    Times are seconds, rates are a second. Null is what was not measured, or what too few calls support.
    """

    metrics: Annotated[
        dict[str, MetricForm], Meta(description="Every metric by the name that a limit gives it.")
    ]
    verdict: VerdictForm


def form_of(summary: Summary, verdict: Verdict) -> SummaryForm:
    """What to write."""
    metrics = {
        metric.name: MetricForm(value=value, unit=metric.unit.name, low=low, high=high)
        for metric, value, (low, high) in by_metric(summary)
    }
    figures = msgspec.structs.asdict(figures_of(summary))
    return SummaryForm(**figures, metrics=metrics, verdict=_verdict(verdict))


def by_metric(summary: Summary) -> Iterator[tuple[Metric, float | None, tuple[float | None, float | None]]]:
    """Every metric with what it came to, and its bounds."""
    for metric in every():
        found = metric.estimate(summary)
        if found is None:
            yield metric, metric.of(summary), (None, None)
        else:
            yield metric, found.value, (found.low, found.high)


def figures_of(summary: Summary) -> FiguresForm:
    """The figures alone."""
    same = {name: getattr(summary, name) for name in _SAME}
    account = summary.accounting
    return FiguresForm(
        format=FORMAT,
        service_time_s=summary.service.by_name(),
        service_time_interval_s=summary.service.intervals(),
        response_time_s=summary.response.by_name(),
        response_time_interval_s=summary.response.intervals(),
        lag_s=summary.lag.by_name() | {"calls": summary.lag.count},
        streams=None if summary.streams is None else streams.form_of(summary.streams),
        calls_needed={name: calls_needed(q) for name, q in QUANTILES.items()},
        accounting=AccountingForm(**vars(account), adds_up=account.adds_up),
        users=list(summary.users),
        requests=list(summary.requests),
        events=list(summary.events),
        stages=stages_form_of(summary.stages),
        **same,
    )


def _verdict(verdict: Verdict) -> VerdictForm:
    return VerdictForm(
        valid=verdict.valid,
        met=verdict.met,
        exit_code=verdict.exit_code.value,
        failures=verdict.failures,
        allowed_failures=verdict.allowed_failures,
        lost=verdict.lost,
        findings=[
            FindingForm(severity=f.severity.value, code=f.code, text=f.text, advice=f.advice)
            for f in verdict.findings
        ],
        limits=[_limit(checked) for checked in verdict.checked],
    )


def _limit(checked: Checked) -> LimitForm:
    limit = checked.limit
    return LimitForm(
        limit=limit.text,
        metric=limit.metric,
        comparison=limit.op,
        bound=limit.bound,
        value=checked.value,
        met=checked.met,
        why=checked.why,
    )


_SAME = [
    name
    for name in FiguresForm.__struct_fields__
    if name in Summary.__dataclass_fields__
    and name not in ("accounting", "streams", "users", "requests", "events", "stages")
]
"""What the file has under the name that `Summary` has for it."""
