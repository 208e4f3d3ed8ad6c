"""The helper that makes recordings: what it is given comes out, and a wrong shape is refused."""

from __future__ import annotations

import pytest

from tests.recordings import START_S, calls, evenly, recording


def test_times_count_from_the_start() -> None:
    """Due 1, sent 2, done 4 are those seconds after START_S."""
    made = calls([(1, 2, 4)])
    assert (made.due_s[0], made.sent_s[0], made.done_s[0]) == (START_S + 1, START_S + 2, START_S + 4)


def test_a_column_of_another_length_is_refused() -> None:
    """Two users for three calls is a mistake in the test."""
    with pytest.raises(ValueError, match="broadcast"):
        calls([(0, 0, 1)] * 3, user=[0, 1])


def test_evenly_keeps_rate_lag_and_service() -> None:
    """At 10/s the third call is due at 0.2 s, sent 0.1 s late and answered 0.5 s later."""
    assert evenly(3, rate_per_s=10, service_s=0.5, lag_s=0.1)[2] == pytest.approx((0.2, 0.3, 0.8))


def test_a_recording_holds_the_calls_and_what_was_told() -> None:
    """Two calls in, two calls counted; the keyword arguments are its environment."""
    made = recording(calls(evenly(2)), host_cores=2)
    assert made.measured.calls == 2
    assert made.environment == {"host_cores": 2}
