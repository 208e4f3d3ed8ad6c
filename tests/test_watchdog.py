"""One timer ends the waits that are past their deadline, no others, and goes when nothing is watched."""

from __future__ import annotations

import time
from time import perf_counter as clock

import gevent

from scorebench.client.watchdog import NEVER, PERIOD_S, Watchdog
from tests.client import connection_to, fate, request_to
from tests.scoring_server import Behaviour, Reply, scoring_server

A_WHILE_S = 5 * PERIOD_S


class Watched:
    """Has a deadline and writes down when it was told that it has passed."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.unsure = False
        self.expired_s: list[float] = []

    def expire(self) -> None:
        self.expired_s.append(clock())
        self.deadline = NEVER


def test_only_what_is_past_its_deadline_is_told() -> None:
    """Once, and not before its time; what has no deadline or a later one is left alone."""
    now = clock()
    first, second, later, never = (Watched(d) for d in (now - 1, now + 0.25, now + 60, NEVER))
    dog = Watchdog()
    for watched in (first, second, later, never):
        dog.watch(watched)
    gevent.sleep(0.25 + A_WHILE_S)
    for watched in (first, second, later, never):
        dog.forget(watched)
    assert [len(watched.expired_s) for watched in (first, second, later, never)] == [1, 1, 0, 0]
    assert second.expired_s[0] >= now + 0.25


def test_what_is_forgotten_is_not_told() -> None:
    """Even if its deadline passed while it was watched; forgetting twice, or a stranger, is harmless."""
    dog, watched = Watchdog(), Watched(0.0)
    dog.watch(watched)
    dog.forget(watched)
    dog.forget(watched)
    dog.forget(Watched(0.0))
    gevent.sleep(A_WHILE_S)
    assert watched.expired_s == []


def test_it_looks_again_after_a_rest() -> None:
    """When nothing was watched for a while, what is watched then is told all the same."""
    dog = Watchdog()
    for _ in range(3):
        watched = Watched(0.0)
        dog.watch(watched)
        gevent.sleep(A_WHILE_S)
        dog.forget(watched)
        assert len(watched.expired_s) == 1


def test_the_told_may_forget_themselves_and_bring_others() -> None:
    """A connection closes when it expires, and another may be opened, inside the timer's own callback."""
    dog = Watchdog()
    successor = Watched(0.0)

    class Closing(Watched):
        def expire(self) -> None:
            super().expire()
            dog.forget(self)
            dog.watch(successor)

    closing = Closing(0.0)
    dog.watch(closing)
    gevent.sleep(A_WHILE_S)
    dog.forget(successor)
    assert (len(closing.expired_s), len(successor.expired_s)) == (1, 1)


def test_it_keeps_no_program_alive() -> None:
    """With nothing else to wait for, the loop ends: the timer alone does not hold it."""
    dog, watched = Watchdog(), Watched(NEVER)
    dog.watch(watched)
    assert gevent.wait(timeout=1.0)
    dog.forget(watched)


def test_slow_calls_within_their_time_are_not_ended() -> None:
    """Many looks of the watchdog pass over a call that has time left."""
    with (
        scoring_server(Behaviour(default=Reply(service_s=0.5))) as server,
        connection_to(server.url, timeout_s=10.0) as connection,
    ):
        assert [fate(connection, request_to(server)) for _ in range(2)] == [200, 200]


def test_time_in_which_the_generator_stood_still_does_not_count() -> None:
    """A loop that is blocked for 0.6 s, as by a large answer, leaves a call its time."""
    dog, watched = Watchdog(), Watched(clock() + 0.3)
    dog.watch(watched)
    gevent.sleep(0.15)
    time.sleep(0.6)
    blocked_until_s = clock()
    gevent.sleep(A_WHILE_S)
    dog.forget(watched)
    # Of its 0.3 s it had used 0.15 s; the look that was due in the stall gives back what that took.
    assert len(watched.expired_s) == 1
    assert watched.expired_s[0] > blocked_until_s
