"""Response times by formula, against closed forms and against simulated queues."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scorebench.plans.lengths import Lengths
from scorebench.plans.queues import erlang_c, exponential_queue_s, own_queue_s, shared_queue_s
from tests.queues import Draw, Queue, constant, exponential, md1_within, mm1_percentile, mmk_within

PLACES = (np.arange(20_000) + 0.5) / 20_000
"""Where in a distribution 20,000 lengths are that stand for it."""
CONSTANT = Lengths(np.array([0.01]), np.array([1.0]))
EXPONENTIAL = Lengths.counted(-np.log(1 - PLACES) * 0.01, np.ones(20_000, np.int64))


def lognormal(rng: np.random.Generator, count: int) -> np.ndarray:
    """Of mean 10 ms and squared coefficient of variation e^0.25 - 1 = 0.284, as web servers have them."""
    return rng.lognormal(math.log(0.01) - 0.125, 0.5, count)


def one_in_twenty(rng: np.random.Generator, count: int) -> np.ndarray:
    """5 ms, and 105 ms for every twentieth call: mean 10 ms, squared coefficient of variation 4.75."""
    return np.where(rng.random(count) < 0.05, 0.105, 0.005)


TWO_LENGTHS = Lengths(np.array([0.005, 0.105]), np.array([0.95, 0.05]))


def counted(draw: Draw) -> Lengths:
    values_s = np.sort(draw(np.random.default_rng(1), 100_000))
    return Lengths.counted(values_s, np.ones(len(values_s), np.int64))


def simulated(draw: Draw, servers: int, rate: float, q: float) -> float:
    """Two million calls of one server, a fifth of that for more."""
    seconds = (2_000_000 if servers == 1 else 400_000) / rate
    calls = Queue(draw, servers).open_loop(rate, seconds, np.random.default_rng(3))
    return float(np.quantile(calls.response_s, q))


@pytest.mark.parametrize(
    ("servers", "load", "share"),
    [
        (1, 0.7, 0.7),  # M/M/1: an arrival waits if the one server is busy
        (2, 1.0, 1 / 3),  # a^2/2 / (1 - a/2) / (1 + a + the same) = 1 / (1 + 1 + 1)
        (10, 8.0, 0.40918),  # tables of Erlang's C for 10 agents and 8 Erlangs: 40.9 %
        (3, 3.0, 1.0),
    ],
)
def test_erlang_c(servers: int, load: float, share: float) -> None:
    """The share that waits."""
    assert erlang_c(servers, load) == pytest.approx(share, rel=0.001)
    assert 0 < erlang_c(2000, 1500.0) < 1e-9  # what factorials would overflow for


@pytest.mark.parametrize("rate", [1e-9, 30.0, 50.0, 90.0, 99.0])
@pytest.mark.parametrize("q", [0.5, 0.9, 0.99])
def test_exponential_lengths_are_the_closed_form(rate: float, q: float) -> None:
    """M/M/1's response time is exponential with rate 100 - rate; all three formulas are that queue then."""
    exact = pytest.approx(mm1_percentile(rate, 100, q), rel=0.015)
    assert own_queue_s(rate, EXPONENTIAL, EXPONENTIAL, q) == exact
    assert exponential_queue_s(rate, 0.01, EXPONENTIAL, q) == exact
    assert shared_queue_s(1, rate, EXPONENTIAL, EXPONENTIAL, q) == exact


def test_a_percentile_of_the_sum_is_less_than_the_sum_of_percentiles() -> None:
    """At 50 of 100/s p99 is ln(100) / 50 = 92 ms; of the wait ln(50) / 50 = 78 ms, of a call 46 ms."""
    assert exponential_queue_s(50, 0.01, EXPONENTIAL, 0.99) == pytest.approx(0.0921, rel=0.01)


@pytest.mark.parametrize("rate", [30.0, 50.0, 70.0, 90.0])
@pytest.mark.parametrize("q", [0.9, 0.99])
def test_constant_lengths_are_the_closed_form(rate: float, q: float) -> None:
    """M/D/1, by Erlang's sum of 1909: that share of the calls is within what we say."""
    assert md1_within(rate, 100, own_queue_s(rate, CONSTANT, CONSTANT, q)) == pytest.approx(q, abs=0.003)


@pytest.mark.parametrize(("servers", "rate"), [(2, 130.0), (4, 320.0)])
@pytest.mark.parametrize("q", [0.5, 0.99])
def test_a_shared_queue_of_exponential_lengths_is_the_closed_form(
    servers: int, rate: float, q: float
) -> None:
    """M/M/c, by Erlang's C."""
    found = shared_queue_s(servers, rate, EXPONENTIAL, EXPONENTIAL, q)
    assert mmk_within(rate, 100, servers, found) == pytest.approx(q, abs=0.002)


@pytest.mark.parametrize(
    ("draw", "lengths"),
    [
        (lognormal, counted(lognormal)),
        (one_in_twenty, TWO_LENGTHS),
        (constant(100), CONSTANT),
        (exponential(100), EXPONENTIAL),
    ],
    ids=["lognormal", "one in twenty", "constant", "exponential"],
)
@pytest.mark.parametrize("rate", [30.0, 70.0])
@pytest.mark.parametrize("q", [0.5, 0.9, 0.99])
def test_any_lengths_are_what_a_simulated_queue_shows(
    draw: Draw, lengths: Lengths, rate: float, q: float
) -> None:
    """First come, first served: every percentile within 4 %."""
    assert own_queue_s(rate, lengths, lengths, q) == pytest.approx(simulated(draw, 1, rate, q), rel=0.04)


@pytest.mark.parametrize("servers", [2, 4])
@pytest.mark.parametrize(("draw", "lengths"), [(lognormal, counted(lognormal)), (constant(100), CONSTANT)])
def test_a_shared_queue_of_lengths_that_vary_less_is_near_a_simulated_one(
    servers: int, draw: Draw, lengths: Lengths
) -> None:
    """Lee and Longton's wait is an approximation: p99 at 70 % of what they carry within 8 %."""
    rate = 70.0 * servers
    found = shared_queue_s(servers, rate, lengths, lengths, 0.99)
    assert found == pytest.approx(simulated(draw, servers, rate, 0.99), rel=0.08)


def test_a_call_may_take_longer_than_it_keeps_its_server_busy() -> None:
    """40 ms on the way and 10 ms in the server: M/D/1's wait, then 50 ms; p50 is that without waiting."""
    alone = CONSTANT.scaled(0.05)
    for q in (0.5, 0.99):
        wait_s = own_queue_s(50, CONSTANT, CONSTANT, q) - 0.01
        assert own_queue_s(50, CONSTANT, alone, q) == pytest.approx(0.05 + wait_s, abs=0.0003)


def test_a_queue_that_grows_has_no_end() -> None:
    """As many calls as can be served, or more."""
    for rate in (100.0, 1e9):
        assert own_queue_s(rate, CONSTANT, CONSTANT, 0.5) == math.inf
        assert exponential_queue_s(rate, 0.01, CONSTANT, 0.5) == math.inf
        assert shared_queue_s(1, rate, CONSTANT, CONSTANT, 0.5) == math.inf


def test_lengths_far_apart_are_counted_too() -> None:
    """A call of an hour in a million of a millisecond; a microsecond or a thousand seconds."""
    rare = Lengths(np.array([0.001, 3600.0]), np.array([1 - 1e-6, 1e-6]))
    assert own_queue_s(1.0, rare, rare, 0.5) == pytest.approx(0.001, rel=0.05)
    apart = Lengths(np.array([1e-6, 1000.0]), np.array([0.5, 0.5]))
    assert own_queue_s(1e-9, apart, apart, 0.99) == pytest.approx(1000, rel=0.01)


def test_lengths_have_a_mean_a_variation_and_percentiles() -> None:
    """0.95 * 5 + 0.05 * 105 = 10 ms; (0.95 * 5^2 + 0.05 * 95^2) / 10^2 = 4.75."""
    assert (TWO_LENGTHS.mean_s, TWO_LENGTHS.variation) == pytest.approx((0.01, 4.75))
    assert (TWO_LENGTHS.percentile(0.95), TWO_LENGTHS.percentile(0.96)) == (0.005, 0.105)
    both = Lengths.together([CONSTANT, TWO_LENGTHS])
    assert both.values_s.tolist() == [0.005, 0.01, 0.105]
    assert both.shares.tolist() == [0.475, 0.5, 0.025]
