"""The slowest calls of a run, by the ids of their traces. Knows columns; nothing of who traces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from msgspec import Meta, Struct

from scorebench.answers.outcome import Group, Outcome
from scorebench.recordings.types import Label, Seconds, UnixTime

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scorebench.recordings.calls import Calls

MOST = 20
"""Kept of a run."""


class SlowCall(Struct, frozen=True, forbid_unknown_fields=True):
    """One call with the id that it was traced by."""

    trace_id: Annotated[str, Meta(pattern="^[0-9a-f]{32}$", description="As W3C's traceparent has it.")]
    sent_s: Annotated[UnixTime, Meta(description="Unix seconds.")]
    service_s: Annotated[Seconds, Meta(description="From sent to done.")]
    response_s: Annotated[Seconds, Meta(description="From due to done.")]
    outcome: Label


def slowest(calls: Iterable[SlowCall]) -> list[SlowCall]:
    """The MOST slowest of them, by service time."""
    return sorted(calls, key=lambda call: call.service_s, reverse=True)[:MOST]


def slowest_in(calls: Calls) -> list[SlowCall]:
    """Those of a batch that was traced; calls that were cut off, or never left, have no end to tell."""
    assert calls.traces is not None
    service_s = np.maximum(calls.done_s - calls.sent_s, 0.0)
    found: list[SlowCall] = []
    for index in np.argsort(-service_s, kind="stable").tolist():
        outcome, trace_id = Outcome(int(calls.outcome[index])), str(calls.traces[index])
        if outcome.group is not Group.CUT_OFF and trace_id:
            response_s = max(float(calls.done_s[index] - calls.due_s[index]), 0.0)
            sent_s = float(calls.sent_s[index])
            found.append(SlowCall(trace_id, sent_s, float(service_s[index]), response_s, outcome.label))
        if len(found) == MOST:
            break
    return found
