"""How slow calls cluster over the seconds of a run."""

from __future__ import annotations

import numpy as np
import pytest

from scorebench.figures.clumps import Clumps
from scorebench.figures.percentiles import estimate
from scorebench.recordings.tally import Tally
from tests.measuring import clumps_of
from tests.queues import Queue, exponential, mm1_percentile
from tests.recordings import calls, evenly


def clumps(services_s: list[float]) -> Clumps:
    """At a hundred calls a second."""
    made = Tally()
    made.add(calls(evenly(len(services_s), service_s=services_s)))
    return Clumps(made.response_seconds)


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


def test_a_value_below_all_of_them_tells_nothing() -> None:
    """Calls that queued all answered later than the service took: how that clumps they can't say."""
    assert clumps([0.1] * 240 + [0.2] * 2_160).at(0.01) is None


def test_no_seconds_no_clumps() -> None:
    """An empty run has nothing to differ."""
    assert Clumps({}).at(0.01) == 1.0


def misses(load: float, service_rate: float, seconds: int) -> tuple[int, int, int]:
    """Of 200 runs at an M/M/1 queue those whose p99's bounds miss the truth: bounds as if calls were
    independent, by the calls beyond p99 alone, and by all that `Clumps` looks at."""
    truth = mm1_percentile(service_rate * load, service_rate, 0.99)
    found = [_missed(load, service_rate, seconds, seed, truth) for seed in range(200)]
    independent, alone, both = (sum(column) for column in zip(*found, strict=True))
    return independent, alone, both


def _missed(load: float, service_rate: float, seconds: int, seed: int, truth: float) -> list[bool]:
    made = Queue(exponential(service_rate)).open_loop(
        service_rate * load, seconds + 5, np.random.default_rng(seed)
    )
    warm = made.due_s > 5
    response_s = made.response_s[warm]
    clumped = clumps_of(made.due_s[warm] - 5, response_s)
    values, counts = np.unique(response_s, return_counts=True)
    p99 = estimate(values, counts, 0.99).value
    assert p99 is not None
    bounds = []
    for clumping in (1.0, clumped._beyond(int(p99 * 1e6)), clumped.at(p99)):
        assert clumping is not None
        bounds.append(estimate(values, counts, 0.99, clumping=clumping))
    return [(b.low is not None and b.low > truth) or (b.high is not None and b.high < truth) for b in bounds]


@pytest.mark.parametrize(
    ("load", "service_rate", "seconds"), [(0.3, 200, 30), (0.5, 200, 30), (0.85, 200, 120), (0.95, 1000, 60)]
)
def test_bounds_hold_for_calls_that_queue(load: float, service_rate: float, seconds: int) -> None:
    """M/M/1 at 30 to 95 % load: p99's 99 % bounds miss the truth in at most 5 of 200 runs.

    Two are expected of bounds that are as sure as they say; six or more would be a chance of 1 in 60. As if
    calls were independent ten times as many miss.
    """
    independent, _, both = misses(load, service_rate, seconds)
    assert both <= 5
    assert independent >= 20


def test_the_calls_beyond_a_percentile_are_too_few_to_know_how_they_clump() -> None:
    """By them alone the bounds at 85 % load miss more often than they say."""
    _, alone, _ = misses(0.85, 200, 120)
    assert alone > 5
