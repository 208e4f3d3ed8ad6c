"""The simulated queues reproduce theory, and a broken one does not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.queues import (
    Calls,
    Queue,
    constant,
    crossing,
    erlang_c,
    exponential,
    lindley,
    md1_mean,
    md1_within,
    mm1_capacity,
    mm1_percentile,
    mmk_within,
    poisson,
    turns,
)

HOURS = 3600.0 * 3  # a million calls and more: the mean at 80 % load is known to about 1 %


def simulated(queue: Queue, rate: float, seed: int = 1) -> Calls:
    return queue.open_loop(rate, HOURS, np.random.default_rng(seed))


@pytest.mark.parametrize("rate", [50.0, 80.0])
def test_mm1_has_the_response_times_of_theory(rate: float) -> None:
    """Mean 1/(μ - λ) and p99 ln(100)/(μ - λ), within 4 %."""
    response_s = simulated(Queue(exponential(100)), rate).response_s
    assert response_s.mean() == pytest.approx(1 / (100 - rate), rel=0.04)
    assert np.percentile(response_s, 99) == pytest.approx(mm1_percentile(rate, 100, 0.99), rel=0.04)


@pytest.mark.parametrize("rate", [50.0, 80.0])
def test_md1_has_the_response_times_of_theory(rate: float) -> None:
    """Mean by Pollaczek-Khinchine, and the share within 20 and 50 ms by Erlang's sum."""
    response_s = simulated(Queue(constant(100)), rate).response_s
    assert response_s.mean() == pytest.approx(md1_mean(rate, 100), rel=0.03)
    for limit_s in (0.02, 0.05):
        assert np.mean(response_s <= limit_s) == pytest.approx(md1_within(rate, 100, limit_s), abs=0.005)


@pytest.mark.parametrize("servers", [2, 4])
def test_mmk_has_the_response_times_of_theory(servers: int) -> None:
    """The share within 30 and 80 ms by Erlang C."""
    rate = 40.0 * servers
    queue = Queue(exponential(50), servers)
    response_s = queue.open_loop(rate, HOURS / 3 / servers, np.random.default_rng(2)).response_s
    for limit_s in (0.03, 0.08):
        assert np.mean(response_s <= limit_s) == pytest.approx(
            mmk_within(rate, 50, servers, limit_s), abs=0.012
        )


def test_a_queue_that_forgets_to_wait_does_not_reproduce_theory() -> None:
    """So many servers that no call waits fail the M/M/1 test by far more than its tolerance."""
    response_s = Queue(exponential(100), 1000).open_loop(80, 600, np.random.default_rng(1)).response_s
    assert response_s.mean() < 0.5 * (1 / 20)
    assert np.percentile(response_s, 99) < 0.5 * mm1_percentile(80, 100, 0.99)


def test_a_wrong_number_of_servers_does_not_reproduce_theory() -> None:
    """Three servers in place of two miss Erlang C's share by far more than the tolerance."""
    response_s = Queue(exponential(50), 3).open_loop(80, 3600, np.random.default_rng(2)).response_s
    assert abs(np.mean(response_s <= 0.03) - mmk_within(80, 50, 2, 0.03)) > 0.1


def test_lindleys_recursion_by_hand() -> None:
    """Arrivals at 0, 1, 2, 9 with 3, 1, 1, 1 of service wait 0, 2, 2, 0."""
    assert lindley(np.array([0.0, 1, 2, 9]), np.array([3.0, 1, 1, 1])).tolist() == [0, 2, 2, 0]
    assert lindley(np.zeros(0), np.zeros(0)).size == 0


def test_one_server_by_recursion_and_by_events_agree() -> None:
    """The vectorised single server and the event loop with one server give the same completions."""
    queue = Queue(exponential(100))
    rng = np.random.default_rng(3)
    calls = queue.open_loop(70, 60, rng)
    service_s = np.random.default_rng(4).exponential(0.01, len(calls.due_s))
    by_recursion = calls.due_s + lindley(calls.due_s, service_s) + service_s
    free = 0.0
    for due, service, done in zip(calls.due_s, service_s, by_recursion, strict=True):
        free = max(due, free) + service
        assert done == pytest.approx(free)


def test_a_closed_loop_keeps_its_users_busy() -> None:
    """Little's law: throughput times time in service is the number of users, at one and at two servers."""
    for servers in (1, 2):
        for users in (1, 2, 8):
            calls = Queue(exponential(100), servers).closed_loop(users, 200, np.random.default_rng(users))
            throughput = len(calls.due_s) / 200
            assert throughput == pytest.approx(100 * min(users, servers), rel=0.05)
            assert throughput * calls.response_s.mean() == pytest.approx(users, rel=0.01)


def test_the_crossings_are_where_theory_puts_them() -> None:
    """M/M/1 with 100/s and p99 at 100 ms: 100 - ln(100)/0.1 = 53.95; one server by Erlang C agrees."""
    assert mm1_capacity(100, 0.99, 0.1) == pytest.approx(100 - math.log(100) / 0.1)
    one_server = crossing(lambda rate: mmk_within(rate, 100, 1, 0.1) if rate else 1.0, 0.99, 99.9)
    assert one_server == pytest.approx(53.95, abs=0.01)
    assert erlang_c(80, 100, 1) == pytest.approx(0.8)  # of one server: its load
    # Two servers at load 0.8, by hand: B = (1.6²/2)/(1 + 1.6 + 1.28) = 0.3299, C = B/(1 - 0.8(1 - B)) =
    # 0.7111.
    assert erlang_c(80, 50, 2) == pytest.approx(0.7111, abs=1e-4)


def test_calls_that_take_turns_have_the_mean_of_theory() -> None:
    """Processor sharing: the mean is 1/(1 - load) times that of a call alone (Kleinrock, 1967)."""
    rng = np.random.default_rng(4)
    due_s = poisson(60, 2000, rng)
    response_s = turns(due_s, np.full(len(due_s), 0.01))
    assert response_s.mean() == pytest.approx(0.01 / (1 - 0.6), rel=0.03)
