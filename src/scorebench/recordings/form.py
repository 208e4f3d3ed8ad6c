"""Recording ↔ the content of its file, and of a worker's message to the master. The schema is made from this.

Knows msgspec, which checks types and bounds in C as it reads. No file, no JSON.

Two promises are kept beside msgspec. It drops the names that a TypedDict does not know, while an environment
may hold more: `environment` is read as it is, and its known names are checked by `fault_in_environment`. And
it can't require a field that has a default: `Head` names the fields that every recording holds.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Struct

from scorebench.answers.outcome import BY_LABEL, label_of_today
from scorebench.recordings.histogram import Histogram
from scorebench.recordings.histogram_form import HistogramForm, histogram_of
from scorebench.recordings.histogram_form import form_of as histogram_form_of
from scorebench.recordings.recording import Fields, Recording
from scorebench.recordings.requests import Requests
from scorebench.recordings.slowest import MOST, SlowCall
from scorebench.recordings.stages import StageTally
from scorebench.recordings.stages_form import StagesForm, stages_of
from scorebench.recordings.stages_form import form_of as stages_form_of
from scorebench.recordings.stream_form import StreamsForm, buckets, form_of_streams, streams_of
from scorebench.recordings.tally import SecondTally, Tally, UserTally
from scorebench.recordings.types import (
    LONGEST_RUN_S,
    Count,
    Environment,
    Label,
    Seconds,
    Sum,
    UnixSecond,
    UnixTime,
    UserNumber,
)

T = TypeVar("T")
FORMAT: Literal[1] = 1
"""The version of this form; raised when an older reader could not make sense of it."""
HISTOGRAMS = ("service", "response", "lag", "failing")


class UserRow(NamedTuple):
    """[worker, user, calls, valid, sum_s, min_s, max_s]: service times of the valid calls, in seconds."""

    worker: Count
    user: UserNumber
    calls: Count
    valid: Count
    sum_s: Sum
    min_s: Seconds | None
    max_s: Seconds | None


class RequestRow(NamedTuple):
    """[method, name, worker, user, calls, valid, sum_s, min_s, max_s]: as in `UserRow`, of one request."""

    method: str
    name: str
    worker: Count
    user: UserNumber
    calls: Count
    valid: Count
    sum_s: Sum
    min_s: Seconds | None
    max_s: Seconds | None


class SecondRow(NamedTuple):
    """[Unix second, due, sent, rows, {outcome: calls that ended in it}, [[lowest us of a bucket], [calls]]].

    The last are the response times of the valid calls due in it, in 64 buckets a power of two.
    """

    second: UnixSecond
    due: Count
    sent: Count
    rows: Count
    done: dict[Label, Count]
    response_us: tuple[list[Count], list[Count]]


class TallyForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """A phase of the run. Times are seconds; service = done - sent, response = done - due."""

    outcomes: Annotated[dict[Label, Count], Meta(description="Calls by outcome.")]
    rows: Annotated[Count, Meta(description="Records in valid answers.")]
    late: Annotated[Count, Meta(description="Calls that were due while all users were busy.")]
    first_due_s: Annotated[UnixTime | None, Meta(description="Unix seconds; null if no call was due.")]
    last_done_s: Annotated[UnixTime | None, Meta(description="Unix seconds; null if no call was answered.")]
    service: Annotated[HistogramForm, Meta(description="From sent to done, of valid calls.")]
    response: Annotated[HistogramForm, Meta(description="From due to done, of valid calls.")]
    lag: Annotated[
        HistogramForm,
        Meta(
            description="From due to sent, if a free user waited for the due time: the generator's lateness."
        ),
    ]
    failing: Annotated[
        HistogramForm, Meta(description="From sent to done, of the calls that were not valid.")
    ]
    last_due_s: Annotated[UnixTime | None, Meta(description="Unix seconds; absent in old recordings.")] = None
    last_sent_s: Annotated[UnixTime | None, Meta(description="Unix seconds; absent in old recordings.")] = (
        None
    )
    waiting: Annotated[
        HistogramForm | None,
        Meta(description="From sent to the end of the run, of calls cut off; not in old recordings."),
    ] = None
    timed_out: Annotated[
        HistogramForm | None,
        Meta(description="From sent to done, of calls that a time limit ended; not in old recordings."),
    ] = None
    unanswered: Annotated[
        HistogramForm | None,
        Meta(
            description="How long calls that were cut off, that a time limit ended, or that no user was free "
            "to send had waited, from due on; not in old recordings."
        ),
    ] = None
    stages: Annotated[StagesForm | None, Meta(description="Where the time went; null without --timings.")] = (
        None
    )
    streams: Annotated[
        StreamsForm | None,
        Meta(description="Valid answers that were streams; null if there was none."),
    ] = None
    slowest: Annotated[
        list[SlowCall], Meta(max_length=MOST, description="The slowest calls, with --traceparent.")
    ] = msgspec.field(default_factory=list)
    users: list[UserRow]
    seconds: Annotated[list[SecondRow], Meta(max_length=LONGEST_RUN_S)]


class RecordingForm(Fields, forbid_unknown_fields=True, kw_only=True):
    """What was measured in one run: everything that its reports are made of.

    Times are seconds. Null is what was not measured.
    """

    format: Annotated[Literal[1], Meta(description="Version of this form.")]
    measured: Annotated[TallyForm, Meta(description="What the figures are made of.")]
    warm_up: Annotated[TallyForm, Meta(description="Recorded apart, left out of the figures.")]
    requests: Annotated[
        list[RequestRow],
        Meta(description="What was measured, by request and user, if a locustfile sends different requests."),
    ] = msgspec.field(default_factory=list)


class Head(Struct, kw_only=True):
    """The fields that every recording of this format holds; later ones have a default in `Fields`."""

    format: msgspec.Raw
    measured: msgspec.Raw
    warm_up: msgspec.Raw
    never_sent: msgspec.Raw
    reconnects: msgspec.Raw
    changed: msgspec.Raw
    examples: msgspec.Raw
    resources: msgspec.Raw
    environment: msgspec.Raw
    events: msgspec.Raw


class Report(Struct, kw_only=True):
    """What a worker counted since its last report, for the master."""

    recording: RecordingForm
    calls: dict[str, bytes] | None
    """With --keep-calls: the columns, as `calls.to_bytes` writes them."""
    resets: int
    """How often the worker has dropped what it had counted."""


def form_of(recording: Recording) -> RecordingForm:
    """What to write."""
    fields = {name: getattr(recording, name) for name in Fields.__struct_fields__}
    return RecordingForm(
        format=FORMAT,
        measured=_form_of_tally(recording.measured),
        warm_up=_form_of_tally(recording.warm_up),
        requests=_rows_of(recording.requests),
        **fields,
    )


def recording_of(form: RecordingForm) -> Recording:
    """What was read. ValueError where a histogram does not decode."""
    fields = {name: getattr(form, name) for name in Fields.__struct_fields__}
    fields["examples"] = _as_today(form.examples)
    return Recording(
        measured=_tally_of(form.measured),
        warm_up=_tally_of(form.warm_up),
        requests=_requests_of(form.requests),
        **fields,
    )


def fault_in_environment(environment: dict[str, Any]) -> str | None:
    """msgspec's line on the first known name whose value is of another type or out of bounds."""
    try:
        msgspec.convert(environment, Environment)
    except msgspec.ValidationError as problem:
        return str(problem)
    return None


def _rows_of(requests: Requests) -> list[RequestRow]:
    return [
        RequestRow(*name, *key, u.calls, u.valid, u.sum_s, u.min_s, u.max_s)
        for name, users in requests.users.items()
        for key, u in users.items()
    ]


def _requests_of(rows: list[RequestRow]) -> Requests:
    requests = Requests()
    for row in rows:
        users = requests.users.setdefault((row.method, row.name), {})
        users[row.worker, row.user] = UserTally(*row[4:])
    return requests


def _form_of_tally(tally: Tally) -> TallyForm:
    return TallyForm(
        outcomes={outcome.label: count for outcome, count in tally.outcomes.items()},
        rows=tally.rows,
        late=tally.late,
        first_due_s=tally.first_due_s,
        last_due_s=tally.last_due_s,
        last_sent_s=tally.last_sent_s,
        last_done_s=tally.last_done_s,
        waiting=histogram_form_of(tally.waiting),
        timed_out=histogram_form_of(tally.timed_out),
        unanswered=histogram_form_of(tally.unanswered),
        stages=stages_form_of(tally.stages) if tally.stages.calls else None,
        slowest=tally.slowest,
        streams=None if tally.streams is None else form_of_streams(tally.streams),
        users=[UserRow(*key, u.calls, u.valid, u.sum_s, u.min_s, u.max_s) for key, u in tally.users.items()],
        seconds=[
            SecondRow(second, s.due, s.sent, s.rows, s.done, ([*s.response_us], [*s.response_us.values()]))
            for second, s in tally.seconds.items()
        ],
        **{name: histogram_form_of(getattr(tally, name)) for name in HISTOGRAMS},
    )


def _tally_of(form: TallyForm) -> Tally:
    return Tally(
        outcomes=Counter({BY_LABEL[label]: count for label, count in _as_today(form.outcomes).items()}),
        rows=form.rows,
        late=form.late,
        first_due_s=form.first_due_s,
        last_due_s=form.last_due_s,
        last_sent_s=form.last_sent_s,
        last_done_s=form.last_done_s,
        waiting=_histogram_of(form.waiting),
        timed_out=_histogram_of(form.timed_out),
        unanswered=_histogram_of(form.waiting if form.unanswered is None else form.unanswered),
        stages=StageTally() if form.stages is None else stages_of(form.stages),
        slowest=[msgspec.structs.replace(one, outcome=label_of_today(one.outcome)) for one in form.slowest],
        streams=None if form.streams is None else streams_of(form.streams),
        users={(row.worker, row.user): UserTally(*row[2:]) for row in form.users},
        seconds={row.second: _second_of(row) for row in form.seconds},
        **{name: histogram_of(getattr(form, name)) for name in HISTOGRAMS},
    )


def _histogram_of(form: HistogramForm | None) -> Histogram:
    return Histogram() if form is None else histogram_of(form)


def _second_of(row: SecondRow) -> SecondTally:
    return SecondTally(
        row.due, row.sent, _as_today(row.done), row.rows, buckets(row.second, *row.response_us)
    )


def _as_today(by_label: dict[str, T]) -> dict[str, T]:
    """With the names that outcomes have today: a recording of an earlier version is read as it was meant."""
    return {label_of_today(label): value for label, value in by_label.items()}
