"""How slow calls cluster over the seconds of a run."""

from __future__ import annotations

import numpy as np

from scorebench.clumps import Clumps
from scorebench.tally import Tally
from tests.recordings import calls, evenly


def clumps(services_s: list[float]) -> Clumps:
    """At a hundred calls a second."""
    made = Tally()
    made.add(calls(evenly(len(services_s), service_s=services_s)))
    return Clumps(made.seconds)


def test_calls_that_are_slow_at_random_count_each_for_itself() -> None:
    """A tenth of 2,400 calls are slow at random: about one call counts as one, far from a hundred."""
    slow = np.where(np.random.default_rng(1).random(2_400) < 0.1, 0.1, 0.01)
    found = clumps(slow.tolist()).at(0.05)
    assert found is not None
    assert 1 <= found < 6


def test_a_burst_of_slow_calls_counts_as_few() -> None:
    """The same tenth in one piece is one event: a hundred and more calls count as one."""
    found = clumps([0.1] * 240 + [0.01] * 2_160).at(0.05)
    assert found is not None
    assert found > 100


def test_a_short_run_can_not_tell() -> None:
    """In three seconds there are too few stretches to compare."""
    assert clumps([0.01] * 150 + [0.1] * 150).at(0.05) is None


def test_equal_times_have_no_clumps() -> None:
    """Where all calls took the same time no second differs from another."""
    assert clumps([0.01] * 1_000).at(0.01) == 1.0


def test_the_slowest_bucket_counts_where_nothing_is_slower() -> None:
    """At the maximum nothing lies beyond: the calls of its own bucket are looked at instead."""
    found = clumps([0.1] * 240 + [0.01] * 2_160).at(0.1)
    assert found is not None
    assert found > 100


def test_no_seconds_no_clumps() -> None:
    """An empty run has nothing to differ."""
    assert Clumps({}).at(0.01) == 1.0
