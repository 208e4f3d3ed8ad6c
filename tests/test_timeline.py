"""One row a second, gaps included."""

from __future__ import annotations

import pytest
from hypothesis import given

from scorebench.answers.outcome import Outcome
from scorebench.figures.timeline import _second, middle_s, timeline
from scorebench.recordings.calls import Calls
from scorebench.recordings.tally import SecondTally, Tally
from tests.recordings import START_S, batches, calls, evenly


def tally(batch: Calls) -> Tally:
    made = Tally()
    made.add(batch)
    return made


def test_a_stall_is_seconds_with_zeros() -> None:
    """Calls in second 0 and second 4: the three between are there, with nothing due and no time."""
    rows = timeline(tally(calls([(0, 0, 0.1), (4, 4, 4.1)])))
    assert [row.due for row in rows] == [1, 0, 0, 0, 1]
    assert [row.t_s for row in rows] == [0, 1, 2, 3, 4]
    assert rows[0].unix_s == START_S
    assert [row.max_s is None for row in rows] == [False, True, True, True, False]


def test_ends_are_told_apart_by_group() -> None:
    """One call each of valid, invalid, failed and cut off, all ending in the same second."""
    outcomes = [Outcome.VALID, Outcome.NAN_PREDICTION, Outcome.OVERLOADED, Outcome.CUT_OFF]
    (row,) = timeline(tally(calls([(0, 0, 0.5)] * 4, outcome=outcomes, rows=3)))
    assert (row.valid, row.invalid, row.failed, row.cut_off, row.rows) == (1, 1, 1, 1, 3)


def test_a_percentile_of_a_second_needs_its_calls_too() -> None:
    """A hundred calls support p50 and not p95; 130 support p95 and not p99."""
    hundred, more = (timeline(tally(calls(evenly(n, rate_per_s=1_000))))[0] for n in (100, 130))
    assert hundred.p50_s == pytest.approx(0.01, rel=0.01)
    assert hundred.p95_s is None
    assert more.p95_s == pytest.approx(0.01, rel=0.01)
    assert more.p99_s is None


def test_nothing_measured_has_no_seconds() -> None:
    """An empty tally has an empty timeline."""
    assert timeline(Tally()) == ()


def test_a_second_without_calls_is_a_second_of_nothing() -> None:
    """Between two seconds with calls, one without: counts of 0 and no time, as of an empty tally."""
    made = Tally()
    made.add(calls([(0, 0, 0.1), (2, 2, 2.1)]))
    assert timeline(made)[1] == _second(1, timeline(made)[1].unix_s, SecondTally())


@given(batches())
def test_the_seconds_add_up_to_the_run(batch: Calls) -> None:
    """No call is lost between seconds, and they follow each other without a gap."""
    rows = timeline(tally(batch))
    assert sum(row.due for row in rows) == sum(row.sent for row in rows) == len(batch)
    assert sum(row.valid + row.invalid + row.failed + row.cut_off for row in rows) == len(batch)
    assert [row.t_s for row in rows] == list(range(len(rows)))


@pytest.mark.parametrize(
    ("lowest_us", "expected_us"), [(0, 0), (127, 127), (128, 128.5), (1 << 20, 1048576 + 8191.5)]
)
def test_the_middle_of_a_coarse_bucket(lowest_us: int, expected_us: float) -> None:
    """Up to 127 µs a bucket is one microsecond wide; from 128 on two; from 2^20 on 2^14."""
    assert middle_s(lowest_us) == pytest.approx(expected_us / 1e6)
