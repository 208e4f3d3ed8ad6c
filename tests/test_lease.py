"""How long a worker sends without a word from its master: on a simulated clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scorebench.cluster.lease import BEAT_S, GIVE_UP_S, LEASE_S, SILENT_S, Lease


def test_a_worker_that_hears_of_its_master_goes_on() -> None:
    """Each beat is answered within 0.1 s: the lease never ends."""
    lease = Lease(0.0)
    for number in range(1, 100):
        lease.beat(number, number * BEAT_S)
        lease.heard(number)
        assert lease.holds(number * BEAT_S + 0.1)


def test_a_worker_without_a_master_stops_within_three_seconds() -> None:
    """The last answered beat left at 1 s: no call leaves from 3 s on, and at 11 s the master is dead."""
    lease = Lease(0.0)
    lease.beat(1, 1.0)
    lease.heard(1)
    assert lease.holds(1.0 + LEASE_S - 0.01)
    assert not lease.holds(1.0 + LEASE_S)
    assert LEASE_S <= 3.0
    assert not lease.is_lost(1.0 + GIVE_UP_S)
    assert lease.is_lost(1.01 + GIVE_UP_S)


@given(delays_s=st.lists(st.floats(0.0, 5.0), max_size=20), look_s=st.floats(0.0, 20.0))
def test_whoever_is_taken_for_silent_sends_no_more(delays_s: list[float], look_s: float) -> None:
    """A master waits longer since it heard a beat than the beat's lease lasts, however late the beat came."""
    lease, heard_s = Lease(0.0), 0.0
    for number, delay_s in enumerate(delays_s, 1):
        sent_s = number * BEAT_S
        lease.beat(number, sent_s)
        if sent_s + delay_s <= look_s:
            heard_s = max(heard_s, sent_s + delay_s)
            lease.heard(number)
    if look_s - heard_s > SILENT_S:
        assert not lease.holds(look_s)


def test_an_answer_to_an_old_beat_does_not_shorten_the_lease() -> None:
    """Answers may cross: the latest beat that was heard counts."""
    lease = Lease(0.0)
    lease.beat(1, 1.0)
    lease.beat(2, 2.0)
    lease.heard(2)
    lease.heard(1)
    assert lease.holds(2.0 + LEASE_S - 0.01)
