"""The parts of a call add up to its response time, whatever client and server say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.server_timing import parse
from scorebench.recordings.calls import Calls
from scorebench.recordings.parts import PARTS, parts_of
from scorebench.recordings.split import split_of
from tests.recordings import START_S, calls

Phases = tuple[float, float, float, float, float]


def split_calls(times: list[tuple[float, float, float]], phases: list[Phases], told: list[bytes]) -> Calls:
    """Calls by (due, sent, done); phases as the connection notes them, its clock 0 at START_S."""
    flat = [number for one in phases for number in one]
    return replace(calls(times), split=split_of(flat, told, START_S))


def parts_in(one: Calls) -> list[dict[str, float]]:
    """Of each call, the parts that took time, in ms to the microsecond."""
    assert one.split is not None
    parts, _, _ = parts_of(one, [parse(header) for header in one.split.server_timings])
    return [
        {part: round(1e3 * float(seconds[n]), 3) for part, seconds in parts.items() if abs(seconds[n]) > 1e-7}
        for n in range(len(one))
    ]


def test_a_call_worked_by_hand() -> None:
    """Due 0, sent 5 ms, opened in 1 + 2 + 3 ms, all sent at 15, first byte at 40, done at 42 ms.

    Sending: 15 - 5 - 6 = 4. Waiting: 25, of which the server was 20: 5 are the network's. Of the 20 its
    stages are 1 + 2 + 3 + 4 + 5 + 1 = 16; 4 are around them.
    """
    header = b"total;dur=20, read;dur=1, queue;dur=2, parse;dur=3, schema;dur=4, predict;dur=5, write;dur=1"
    one = split_calls([(0, 0.005, 0.042)], [(0.001, 0.002, 0.003, 0.015, 0.040)], [header])
    assert parts_in(one) == [
        {
            "turn": 5,
            "name": 1,
            "connect": 2,
            "tls": 3,
            "send": 4,
            "network": 5,
            "read": 1,
            "queue": 2,
            "parse": 3,
            "schema": 4,
            "predict": 5,
            "write": 1,
            "around": 4,
            "receive": 2,
        }
    ]


def test_what_no_server_tells_is_not_known() -> None:
    """The same wait without a header, and with one of metrics that are no stages."""
    times, phases = [(0.0, 0.0, 0.042)] * 2, [(0.0, 0.0, 0.0, 0.001, 0.040)] * 2
    one = split_calls(times, phases, [b"", b"db;dur=30"])
    assert parts_in(one) == [{"send": 1, "unknown": 39, "receive": 2}] * 2


def test_stages_without_a_total_leave_the_rest_unknown() -> None:
    """Between stages and the first byte may be the network or the server: nobody said."""
    one = split_calls([(0, 0, 0.042)], [(0, 0, 0, 0.001, 0.040)], [b"predict;dur=30"])
    assert parts_in(one) == [{"send": 1, "predict": 30, "unknown": 9, "receive": 2}]


def test_a_server_that_reads_while_the_client_sends() -> None:
    """Sending lasts until 30 ms and the answer comes at 40. The server's total is 35, of which it read 28.

    So 25 of its 35 lie before the last byte was sent, all of them in reading: 3 of it are left, the total's
    other 7 are around it, and none of the wait is the network's.
    """
    one = split_calls([(0, 0, 0.040)], [(0, 0, 0, 0.030, 0.040)], [b"total;dur=35, read;dur=28"])
    assert parts_in(one) == [{"send": 30, "read": 3, "around": 7}]


def test_a_generator_that_notes_late_what_it_has_sent() -> None:
    """It was stopped right after its send and says 10 ms; the server's total leaves 2 ms for sending."""
    one = split_calls([(0, 0, 0.040)], [(0, 0, 0, 0.010, 0.040)], [b"total;dur=38, predict;dur=30"])
    assert parts_in(one) == [{"send": 2, "predict": 30, "around": 8}]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"total;dur=50, predict;dur=5", id="a total longer than the call"),
        pytest.param(b"total;dur=10, predict;dur=11", id="a stage longer than the total"),
        pytest.param(b"predict;dur=41", id="a stage longer than the call"),
    ],
)
def test_what_contradicts_the_call_is_not_used(header: bytes) -> None:
    """The call lasts 40 ms, of which it sends for 10."""
    one = split_calls([(0, 0, 0.040)], [(0, 0, 0, 0.010, 0.040)], [header])
    assert parts_in(one) == [{"send": 10, "unknown": 30}]
    _, used, dropped = parts_of(one, [parse(header)])
    assert (used.tolist(), dropped.tolist()) == ([False], [True])


_MS = st.floats(0, 60).map(lambda ms: round(ms, 3))


@given(
    st.lists(st.tuples(_MS, _MS, _MS), min_size=1, max_size=5),
    st.lists(st.tuples(_MS, _MS, _MS, _MS, _MS), min_size=5, max_size=5),
    st.lists(st.dictionaries(st.sampled_from(["total", *PARTS]), _MS), min_size=5, max_size=5),
)
def test_the_parts_add_up(
    times: list[tuple[float, float, float]],
    phases: list[tuple[float, float, float, float, float]],
    told: list[dict[str, float]],
) -> None:
    """Whatever was noted or told, each part is at least 0 (to what rounding allows) and nothing is lost."""
    whole = [(0.0, due / 1e3, (due + more) / 1e3) for due, more, _ in times]
    noted = [tuple(value / 1e3 for value in one) for one in phases[: len(whole)]]
    headers = [", ".join(f"{name};dur={ms}" for name, ms in one.items()).encode() for one in told]
    one = split_calls(whole, noted, headers[: len(whole)])  # type: ignore[arg-type]
    assert one.split is not None
    parts, _, _ = parts_of(one, [parse(header) for header in one.split.server_timings])
    assert list(parts) == list(PARTS)
    np.testing.assert_allclose(np.sum([*parts.values()], axis=0), one.done_s - one.due_s, atol=1e-6)
    assert all(seconds.min() >= -2e-4 for seconds in parts.values())
