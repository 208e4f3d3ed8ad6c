"""Recordings made by hand: calls whose every number the test knows. Knows columns; no server, no clock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from hypothesis import strategies as st

from scorebench.answers.outcome import Outcome
from scorebench.recordings.calls import Calls
from scorebench.recordings.form import RecordingForm, form_of, recording_of
from scorebench.recordings.recording import Recording
from scorebench.recordings.tally import Tally
from scorebench.report.data import dumped

START_S = 1_700_000_000.0
"""A Unix time on a whole second."""

Call = tuple[float, float, float]
"""(due, sent, done) in seconds from START_S."""


def calls(
    times: Sequence[Call],
    outcome: int | Sequence[int] = Outcome.VALID,
    user: int | Sequence[int] = 0,
    *,
    waited: bool | Sequence[bool] = True,
    rows: int | Sequence[int] = 1,
) -> Calls:
    """One call a (due, sent, done); what is given once goes for all."""
    table = np.array(times, dtype=np.float64).reshape(-1, 3) + START_S

    def column(value: object, kind: type = np.int64) -> Any:
        return np.broadcast_to(np.asarray(value, kind), len(table)).copy()

    return Calls(
        user=column(user),
        due_s=table[:, 0],
        sent_s=table[:, 1],
        done_s=table[:, 2],
        outcome=column(outcome),
        waited=column(waited, np.bool_),
        payload=column(0),
        rows=column(rows),
    )


def evenly(
    count: int, rate_per_s: float = 100.0, service_s: float | Sequence[float] = 0.01, lag_s: float = 0.0
) -> list[Call]:
    """`count` calls due at a constant rate, each sent `lag_s` late and answered `service_s` after that."""
    services = np.broadcast_to(service_s, count).tolist()
    return [
        (due, due + lag_s, due + lag_s + service)
        for due, service in zip((np.arange(count) / rate_per_s).tolist(), services, strict=True)
    ]


def recording(measured: Calls, **told: Any) -> Recording:
    """A recording of these calls and nothing else; `told` is its environment."""
    made = Recording(environment=told)
    made.add(measured)
    return made


def with_due(made: Recording, due: int) -> Recording:
    """The same recording, in which that many calls came due."""
    made.due = due
    return made


def data_of(made: Recording) -> dict[str, Any]:
    """The recording as any reader of JSON gets it from its file."""
    data: dict[str, Any] = json.loads(dumped(form_of(made)))
    return data


def from_data(data: dict[str, Any]) -> Recording:
    """The recording that stands in such data."""
    return recording_of(msgspec.json.decode(json.dumps(data), type=RecordingForm))


def tally_data(tally: Tally) -> dict[str, Any]:
    """One tally, as it stands in a file."""
    data: dict[str, Any] = data_of(Recording(measured=tally))["measured"]
    return data


def through_msgpack(made: Recording) -> Recording:
    """As it goes from a worker to the master."""
    return recording_of(msgspec.msgpack.decode(msgspec.msgpack.encode(form_of(made)), type=RecordingForm))


def batches() -> st.SearchStrategy[Calls]:
    """Any calls: some late, some slow, a few users, every outcome, one to three rows."""
    time_s = st.floats(0, 20).map(lambda seconds: round(seconds, 6))
    call = st.tuples(
        time_s,
        st.floats(0, 2),
        st.floats(1e-6, 100),
        st.sampled_from(list(Outcome)),
        st.integers(0, 3),
        st.booleans(),
        st.integers(1, 3),
    )
    return st.lists(call, max_size=40).map(_batch)


def _batch(drawn: list[tuple[float, float, float, Outcome, int, bool, int]]) -> Calls:
    return calls(
        [(due, due + late, due + late + service) for due, late, service, *_ in drawn],
        outcome=[outcome for _, _, _, outcome, *_ in drawn],
        user=[user for *_, user, _, _ in drawn],
        waited=[waited for *_, waited, _ in drawn],
        rows=[rows for *_, rows in drawn],
    )
