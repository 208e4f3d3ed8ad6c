"""A run's recording: warm-up apart, workers merged, and nothing lost in a file."""

from __future__ import annotations

import gc
import json
import weakref
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.outcome import Outcome
from scorebench.load.warm_up import WarmUp
from scorebench.recordings.calls import Calls
from scorebench.recordings.form import RecordingForm, recording_of
from scorebench.recordings.recording import EXAMPLE_BYTES, Fields, Recording
from scorebench.recordings.types import Count
from scorebench.recordings.warm_up_gate import WarmUpGate
from tests.recordings import START_S, batches, calls, data_of, evenly, from_data, recording, through_msgpack


def full(batch: Calls) -> Recording:
    """A recording in which every field holds something."""
    made = recording(batch, host_cores=2, server={"kind": "url"})
    made.warm_up.add(batch)
    made.add_never_sent("all users busy", 3)
    made.add_example("model error", "HTTP 500: <script>")
    made.reconnects, made.changed, made.due = 4, 5, 6
    made.sent_twice, made.unasked = 2, 3
    made.resources.append({"t_s": START_S, "who": "generator", "cpu": 0.5, "rss_bytes": 10**8})
    made.events.append({"t_s": START_S, "what": "server restarted"})
    return made


@given(batches(), st.floats(0, 20))
def test_each_call_is_either_warm_up_or_measured(batch: Calls, warm_up_s: float) -> None:
    """What was due in the warm-up and did not fail after it is in it; all else is measured."""
    made = Recording()
    if not len(batch):
        return
    WarmUpGate(WarmUp(seconds=warm_up_s)).add(made, batch)
    end_s = batch.due_s.min() + warm_up_s
    failed_later = (batch.outcome != Outcome.VALID) & (batch.done_s >= end_s)
    early = int(((batch.due_s < end_s) & ~failed_later).sum())
    assert (made.warm_up.calls, made.measured.calls) == (early, len(batch) - early)


def test_a_call_is_measured_by_its_due_time() -> None:
    """Due in the warm-up and sent after it belongs to the warm-up: its wait began there."""
    made = Recording()
    gate = WarmUpGate(WarmUp(seconds=1.0))
    gate.add(made, calls([(0.0, 1.5, 2.0), (1.0, 1.6, 2.0)]))
    assert (made.warm_up.calls, made.measured.calls) == (1, 1)


@pytest.mark.parametrize("outcome", [Outcome.CUT_OFF, Outcome.CLIENT_TIMEOUT, Outcome.CONNECTION_RESET])
def test_what_hangs_since_the_warm_up_is_measured(outcome: Outcome) -> None:
    """A warm-up of 1 s: what failed in it is left out, what began in it and failed after it is not."""
    made = Recording()
    times = [(0.0, 0.0, 0.5), (0.25, 0.25, 30.0), (2.0, 2.0, 2.1)]
    WarmUpGate(WarmUp(seconds=1.0)).add(made, calls(times, [outcome, outcome, Outcome.VALID]))
    assert (made.warm_up.calls, made.measured.calls, made.measured.outcomes[outcome]) == (1, 2, 1)


@given(batches())
def test_a_round_trip_changes_nothing(batch: Calls) -> None:
    """Through JSON, as in the file, and through msgpack, as between worker and master."""
    made = full(batch)
    for read in (from_data(data_of(made)), through_msgpack(made)):
        assert data_of(read) == data_of(made)


def test_merging_adds_every_field() -> None:
    """Two workers' recordings: counts add up, the first example stays, samples stand side by side."""
    left, right = full(calls(evenly(3))), full(calls(evenly(4)))
    right.examples = {"model error": "another", "overloaded": "busy"}
    right.environment = {"host_cores": 99, "python": "3.11"}
    left.merge(right)
    assert (left.measured.calls, left.warm_up.calls) == (7, 7)
    assert left.never_sent == {"all users busy": 6}
    assert (left.reconnects, left.changed) == (8, 10)
    assert (left.sent_twice, left.unasked) == (4, 6)
    assert left.examples == {"model error": "HTTP 500: <script>", "overloaded": "busy"}
    assert left.environment["host_cores"] == 2
    assert left.environment["python"] == "3.11"
    assert len(left.resources) == len(left.events) == 2


def test_a_workers_samples_bear_its_number() -> None:
    """After renaming, users and the sampled process say which worker they are of."""
    made = full(calls(evenly(1)))
    made.rename_users(7)
    assert list(made.measured.users) == [(7, 0)]
    assert made.resources[0]["who"] == "generator 7"


def test_only_the_first_answer_of_a_kind_is_kept_and_cut() -> None:
    """A million error pages leave one example of 2 kB."""
    made = Recording()
    made.add_example("gateway error", "x" * 10_000)
    made.add_example("gateway error", "y")
    assert made.examples == {"gateway error": "x" * EXAMPLE_BYTES}


def test_nothing_unsent_is_no_cause() -> None:
    """A cause of 0 calls is not written down."""
    made = Recording()
    made.add_never_sent("all users busy", 0)
    assert made.never_sent == {}


class Later(Fields, kw_only=True):
    """As somebody adds a field."""

    waits: Count | None = None


def test_a_new_field_is_one_line() -> None:
    """A field with a default is left out of older files, and read from newer ones."""
    assert msgspec.json.decode(b"{}", type=Later).waits is None
    assert msgspec.json.decode(msgspec.json.encode(Later(waits=3)), type=Later).waits == 3


def test_labels_of_earlier_versions_are_read() -> None:
    """`not signed` of an earlier version is `not signed in`: in counts, seconds, examples, slowest calls."""
    now, then = Outcome.NOT_SIGNED_IN.label, "not signed"
    made = recording(
        replace(calls(evenly(2), outcome=Outcome.NOT_SIGNED_IN), traces=np.array(["1" * 32] * 2))
    )
    made.add_example(now, "no token")
    text = json.dumps(data_of(made))
    assert text.count(f'"{now}"') >= 5
    old = msgspec.json.decode(text.replace(f'"{now}"', f'"{then}"'), type=RecordingForm)
    assert data_of(recording_of(old)) == data_of(made)


def test_what_is_dropped_is_gone_at_once() -> None:
    """A run makes a new recording after each report: none may wait for Python's search for cycles."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            made = full(calls(evenly(3)))
            assert data_of(made)["measured"]["service"]
        made_of = weakref.ref(made.measured.service)
        del made
        assert made_of() is None
        assert gc.collect() < 100, (
            "cycles of the reader of JSON, and none of a recording's hundreds of objects"
        )
    finally:
        gc.enable()
