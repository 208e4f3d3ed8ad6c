"""Counts, sums and histograms of calls: per outcome, per user, per second."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.outcome import Group, Outcome
from scorebench.recordings.bands import coarse_us
from scorebench.recordings.calls import Calls
from scorebench.recordings.recording import Recording
from scorebench.recordings.tally import Tally, UserTally
from tests.recordings import (
    START_S,
    batches,
    calls,
    data_of,
    evenly,
    from_data,
    recording,
    tally_data,
    through_msgpack,
)

SECOND = int(START_S)


def tally(*parts: Calls) -> Tally:
    made = Tally()
    for part in parts:
        made.add(part)
    return made


def same(left: Tally, right: Tally) -> bool:
    """All counts equal, sums to the last digits that adding in another order may change."""
    return _rounded(tally_data(left)) == _rounded(tally_data(right))


def _rounded(value: object) -> object:
    """With floats to twelve digits, and what has no order sorted."""
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return sorted((_rounded(item) for item in value), key=repr)
    return value


def test_same_goes_red() -> None:
    """The comparison that these tests rest on sees one call more, another user, another second."""
    one = tally(calls([(0, 0, 1)]))
    assert not same(one, tally(calls([(0, 0, 1)] * 2)))
    assert not same(one, tally(calls([(0, 0, 1)], user=1)))
    assert not same(one, tally(calls([(1, 1, 2)])))


def test_a_small_batch_worked_by_hand() -> None:
    """Three calls of two users, one failed: each figure can be counted on the fingers."""
    found = tally(
        calls(
            [(0.0, 0.1, 0.4), (0.5, 0.5, 1.5), (1.0, 1.2, 1.3)],
            outcome=[Outcome.VALID, Outcome.MODEL_ERROR, Outcome.VALID],
            user=[0, 0, 1],
            waited=[True, True, False],
            rows=[2, 3, 4],
        )
    )
    assert (found.calls, found.valid, found.rows) == (3, 2, 6)
    assert found.service.sum_s == pytest.approx(0.3 + 0.1)
    assert found.response.sum_s == pytest.approx(0.4 + 0.3)
    assert found.failing.sum_s == pytest.approx(1.0)
    assert found.lag.count == 2
    assert found.lag.max_s == pytest.approx(0.1, abs=1e-6)
    assert found.late == 1
    assert found.last_done_s is not None
    assert found.first_due_s is not None
    assert found.last_done_s - found.first_due_s == pytest.approx(1.5)
    assert [(u.calls, u.valid) for u in found.users.values()] == [(2, 1), (1, 1)]
    assert found.users[0, 0].mean_s == pytest.approx(0.3, abs=1e-6)


def test_a_user_without_a_valid_call_has_no_times() -> None:
    """Failed calls are counted, and have no mean, least or greatest."""
    user = tally(calls([(0, 0, 1)] * 2, outcome=Outcome.OVERLOADED)).users[0, 0]
    assert user == UserTally(calls=2)
    assert user.mean_s is None


def test_a_second_counts_what_happened_in_it() -> None:
    """Due at 0.9, sent at 1.1, done at 2.1: three seconds; the response time stays with the first."""
    seconds = tally(calls([(0.9, 1.1, 2.1)], rows=5)).seconds
    first, second, third = (seconds[SECOND + offset] for offset in range(3))
    assert (first.due, first.sent, first.rows, first.done) == (1, 0, 0, {})
    assert list(first.response_us.values()) == [1]
    assert (second.due, second.sent) == (0, 1)
    assert (third.done, third.rows) == ({"valid": 1}, 5)


@given(batches())
def test_every_call_stands_in_each_account(batch: Calls) -> None:
    """Groups, users, seconds and histograms each count all calls, once."""
    found = tally(batch)
    assert found.calls == len(batch) == sum(found.in_group(group) for group in Group)
    assert found.calls == sum(user.calls for user in found.users.values())
    assert found.valid == sum(user.valid for user in found.users.values()) == found.service.count
    assert found.calls == found.service.count + found.failing.count
    seconds = found.seconds.values()
    for counted in (
        sum(second.due for second in seconds),
        sum(second.sent for second in seconds),
        sum(sum(second.done.values()) for second in seconds),
    ):
        assert counted == found.calls
    assert found.valid == sum(sum(second.response_us.values()) for second in seconds)
    assert found.rows == sum(second.rows for second in seconds)


@given(batches(), st.lists(st.integers(0, 3), min_size=40, max_size=40))
def test_merging_any_split_equals_adding_at_once(batch: Calls, owners: list[int]) -> None:
    """However calls are dealt to four workers, and in whatever order they merge, the tally is the same."""
    owner = np.array(owners[: len(batch)], dtype=np.int64)
    parts = [tally(batch.select(owner == worker)) for worker in (2, 0, 3, 1)]
    merged = Tally()
    for part in parts:
        merged.merge(part)
    assert same(merged, tally(batch))


@given(batches())
def test_a_round_trip_through_json_and_msgpack_changes_nothing(batch: Calls) -> None:
    """What a worker sends and what a file holds reads back as the same tally."""
    found = tally(batch)
    made = Recording(measured=found)
    assert same(from_data(data_of(made)).measured, found)
    assert same(through_msgpack(made).measured, found)


def test_a_tally_that_was_read_goes_on_counting() -> None:
    """Merged into one that was read from a file, more calls are added to it."""
    found = from_data(data_of(recording(calls(evenly(10))))).measured
    found.merge(tally(calls(evenly(5), user=1)))
    assert found.calls == found.service.count == 15
    assert len(found.users) == 2


def test_workers_users_stay_apart() -> None:
    """User 0 of two workers are two users."""
    left, right = tally(calls(evenly(3))), tally(calls(evenly(4)))
    left.rename_users(1)
    right.rename_users(2)
    left.merge(right)
    assert {key: user.calls for key, user in left.users.items()} == {(1, 0): 3, (2, 0): 4}


@given(st.lists(st.floats(0, 10_000), min_size=1))
def test_a_coarse_bucket_is_within_two_percent(durations_s: list[float]) -> None:
    """The lowest microsecond of the bucket is at most a 64th below the duration, and never above it."""
    microseconds = np.rint(np.array(durations_s) * 1e6)
    coarse = coarse_us(np.array(durations_s))
    assert np.all(coarse <= microseconds)
    assert np.all(microseconds - coarse <= microseconds / 64)
    assert len({us for us in coarse.tolist() if 2**20 <= us < 2**21}) <= 64
