"""The simulated measurements measure what they say, and show what is wrong."""

from __future__ import annotations

import pytest

from scorebench.capacity.trial import Plan
from scorebench.verdicts.limits import parse_limit
from tests.measuring import P99, SimulatedServer, cliff, with_accidents
from tests.queues import Queue, exponential, mm1_percentile

MEAN = parse_limit("mean<1s")


def opened(rate: float, seconds: float = 3000.0) -> Plan:
    return Plan(0, seconds, 32, rate, "")


def test_a_simulated_server_measures_what_theory_says() -> None:
    """M/M/1 at half load for 150,000 calls: p99 within 5 % of theory, what was asked sent and answered."""
    measured = SimulatedServer(Queue(exponential(100)), [P99, MEAN], 1)(opened(50))
    p99, mean = measured.readings
    assert p99.value == pytest.approx(mm1_percentile(50, 100, 0.99), rel=0.05)
    assert mean.value == pytest.approx(0.02, rel=0.05)
    assert measured.achieved_per_s == pytest.approx(50, rel=0.02)
    assert measured.throughput_per_s == pytest.approx(50, rel=0.02)
    assert measured.duration_s == 3003


def test_a_simulated_server_that_is_asked_too_much_shows_it() -> None:
    """120/s at a server of 100/s: it answers 100, and response times go through the roof."""
    measured = SimulatedServer(Queue(exponential(100)), [P99], 1)(opened(120, 60))
    assert measured.throughput_per_s == pytest.approx(100, rel=0.05)
    assert (measured.readings[0].value or 0) > 5


def test_too_short_a_step_has_no_percentile() -> None:
    """10 s at 20/s are 200 calls: no p99."""
    assert SimulatedServer(Queue(exponential(100)), [P99], 1)(opened(20, 10)).readings[0].value is None


def test_a_cliff_is_where_it_was_put() -> None:
    """At the rate 10 ms, just beyond it 10 s and no more answers than before."""
    below, beyond = cliff(150, [P99], 1)(opened(150)), cliff(150, [P99], 1)(opened(150.1))
    assert below.readings[0].value == pytest.approx(0.01, rel=0.1)
    assert beyond.readings[0].value == 10
    assert beyond.throughput_per_s == 150


def test_accidents_come_as_often_as_asked() -> None:
    """Of 1,000 steps 100 are spoilt, give or take four standard deviations of 9.5; with none asked, none."""
    disturbed = with_accidents(cliff(150, [P99], 1), 0.1, 1)
    spoilt = sum((disturbed(opened(10)).readings[0].value or 0) > 1 for _ in range(1000))
    assert abs(spoilt - 100) < 38
    assert (with_accidents(cliff(150, [P99], 1), 0.0, 1)(opened(10)).readings[0].value or 0) < 0.1
