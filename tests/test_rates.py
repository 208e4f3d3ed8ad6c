"""Rates come from the schedule: held against what was offered and servers whose capacity is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorebench.answers.outcome import Outcome
from scorebench.figures.summary import Summary, summarise
from scorebench.load.schedule import ALL_USERS_BUSY
from scorebench.recordings.recording import Recording
from scorebench.verdicts.limits import check, parse_limit
from tests.queues import Queue, exponential
from tests.recordings import START_S, calls, recording


def open_loop(
    rate_per_s: float, seconds: float, service_s: float = 0.01, arrivals: str = "constant"
) -> Recording:
    """Due at a constant rate from 0 until `seconds`, each answered after `service_s`, and all waited for."""
    due = np.arange(0, seconds - 1e-9, 1 / rate_per_s)
    made = recording(
        calls([(at, at, at + service_s) for at in due]), arrivals=arrivals, offered_rate_per_s=rate_per_s
    )
    made.environment["load_ended_s"] = START_S + seconds
    return made


def queue(capacity_per_s: float, rate_per_s: float, seconds: float) -> Recording:
    """A server that takes 1 / `capacity_per_s` a call, one after the other; every call is waited for."""
    due = np.arange(0, seconds - 1e-9, 1 / rate_per_s)
    done, free = [], 0.0
    for at in due.tolist():
        free = max(at, free) + 1 / capacity_per_s
        done.append(free)
    made = recording(
        calls([(at, at, end) for at, end in zip(due, done, strict=True)]),
        arrivals="constant",
        offered_rate_per_s=rate_per_s,
    )
    made.environment["load_ended_s"] = START_S + seconds
    return made


def closed_loop(users: int, seconds: float, service_s: float, seed: int | None = None) -> Recording:
    """Each user calls until `seconds`; those in flight are waited for. Exponential times with a seed."""
    random = None if seed is None else np.random.default_rng(seed)
    times, who = [], []
    for user in range(users):
        at = 0.0
        while at < seconds:
            took = service_s if random is None else float(random.exponential(service_s))
            times.append((at, at, at + took))
            who.append(user)
            at += took
    made = recording(calls(times, user=who, waited=False))
    made.environment["load_ended_s"] = START_S + seconds
    return made


@pytest.mark.parametrize("service_s", [0.001, 0.1, 2.0, 10.0])
@pytest.mark.parametrize("rate_per_s", [0.2, 1.0, 5.0, 100.0, 5_000.0])
@pytest.mark.parametrize("seconds", [5.0, 20.0])
def test_what_a_server_keeps_up_with_is_what_was_offered(
    rate_per_s: float, service_s: float, seconds: float
) -> None:
    """All calls answered: throughput, sent and offered rate are the rate, however long an answer takes.

    5/s offered to a server of 2 s had been 4.08/s, and one call in five seconds 583/s.
    """
    found = summarise(open_loop(rate_per_s, seconds, service_s))
    for rate in (found.throughput_per_s, found.sent_per_s, found.due_per_s):
        assert rate == pytest.approx(rate_per_s, rel=1e-3)
    assert found.wall_time_s == pytest.approx(found.calls / rate_per_s, rel=1e-3)


def test_a_million_calls() -> None:
    """5,000/s for 200 s."""
    assert summarise(open_loop(5_000, 200)).throughput_per_s == pytest.approx(5_000, rel=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.2, 500), st.floats(0.001, 10), st.integers(1, 400))
def test_any_number_of_calls_has_its_rate(rate_per_s: float, service_s: float, count: int) -> None:
    """--calls N at a rate: the schedule lasts N intervals. There is a rate, or it was shorter than 1 s."""
    found = summarise(open_loop(rate_per_s, count / rate_per_s, service_s))
    if found.throughput_per_s is None:
        assert count < 10
        assert count / rate_per_s < 1
    else:
        assert found.throughput_per_s == pytest.approx(rate_per_s, rel=0.02)


@pytest.mark.parametrize(
    ("capacity_per_s", "rate_per_s", "seconds"), [(50, 100, 10), (50, 60, 60), (200, 900, 2)]
)
def test_an_overloaded_server_is_not_credited_with_what_was_offered(
    capacity_per_s: float, rate_per_s: float, seconds: float
) -> None:
    """Every call was answered in the end, but at the server's pace: its capacity is the throughput."""
    found = summarise(queue(capacity_per_s, rate_per_s, seconds))
    assert found.throughput_per_s == pytest.approx(capacity_per_s, rel=0.03)
    assert found.due_per_s == pytest.approx(rate_per_s, rel=0.01)


def test_one_slow_answer_changes_no_rate() -> None:
    """The last of 1,000 calls takes a minute: 100/s all the same. It had been 14/s."""
    times = [(k / 100, k / 100, k / 100 + (60.0 if k == 999 else 0.01)) for k in range(1_000)]
    made = recording(calls(times), arrivals="constant", offered_rate_per_s=100.0)
    assert summarise(made).throughput_per_s == pytest.approx(100, rel=0.05)
    closed = closed_loop(10, 10.0, 0.1)
    closed.add(calls([(9.9, 9.9, 69.9)], user=10, waited=False))
    assert summarise(closed).throughput_per_s == pytest.approx(100, rel=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_poisson_arrivals_at_a_queue(seed: int) -> None:
    """M/M/1 at 85 % load: it keeps up, so throughput is the number of calls over the time."""
    made = Queue(exponential(100)).open_loop(85, 60, np.random.default_rng(seed))
    times = list(zip(made.due_s, made.due_s, made.done_s, strict=True))
    of = recording(calls(times), arrivals="poisson", offered_rate_per_s=85.0)
    of.environment["load_ended_s"] = START_S + 60
    assert summarise(of).throughput_per_s == pytest.approx(len(times) / 60, rel=0.02)


@pytest.mark.parametrize(("seconds", "service_s"), [(5.0, 2.0), (5.9, 2.0), (30.0, 0.01), (3.0, 10.0)])
@pytest.mark.parametrize("users", [1, 8])
def test_a_closed_loop_is_as_fast_as_its_users(users: int, seconds: float, service_s: float) -> None:
    """Users over service time, whatever part of a call the end of the run cuts through."""
    found = summarise(closed_loop(users, seconds, service_s))
    assert found.throughput_per_s == pytest.approx(users / service_s, rel=0.001)
    assert found.sent_per_s == pytest.approx(users / service_s, rel=0.001)


def test_a_closed_loop_of_random_times() -> None:
    """Exponential times of 1 s, 8 users for 20 s: 8/s over 200 runs, within two standard errors."""
    found = [summarise(closed_loop(8, 20.0, 1.0, seed)).throughput_per_s for seed in range(200)]
    # One run's rate varies by the root of its 160 calls: 8 / 12.6; 200 of them by 0.045.
    assert np.mean([rate for rate in found if rate]) == pytest.approx(8, abs=0.1)


def test_time_goes_on_when_the_server_does_not() -> None:
    """Frozen after 2 of 10 s: four users with 200 answers in 10 s are 20/s. It had been 100/s."""
    frozen = closed_loop(4, 2.0, 0.04)
    frozen.add(calls([(2.0, 2.0, 70.0)] * 4, outcome=Outcome.CUT_OFF, user=[0, 1, 2, 3], waited=False))
    frozen.environment["load_ended_s"] = START_S + 10
    found = summarise(frozen)
    # The mean service time, 40 ms of 10 s, goes to the calls in flight at the end.
    assert found.throughput_per_s == pytest.approx(20, rel=0.005)
    assert found.wall_time_s == pytest.approx(10, rel=0.005)


def test_time_goes_on_in_an_open_loop_too() -> None:
    """The same at 100/s with 4 users: 200 answers, 4 cut off, 796 never sent, all of them due."""
    frozen = open_loop(100, 2.0)
    frozen.add(calls([(2 + k / 100, 2 + k / 100, 70.0) for k in range(4)], outcome=Outcome.CUT_OFF))
    frozen.add_never_sent(ALL_USERS_BUSY, 796)
    frozen.environment["load_ended_s"] = START_S + 10
    found = summarise(frozen)
    assert found.throughput_per_s == pytest.approx(20, rel=0.001)
    assert found.due_per_s == pytest.approx(100, rel=0.001)


@pytest.mark.parametrize(("rate_per_s", "seconds"), [(20.0, 3.0), (20.0, 12.0), (40.0, 30.0), (200.0, 10.0)])
def test_calls_that_were_never_sent_slow_no_answer_down(rate_per_s: float, seconds: float) -> None:
    """Two users of a server of 0.3 s have 6.67 answers a second, whatever was offered and for how long.

    They work off the calls in the order in which these were due. The due times of those that were sent cover
    the first part of the run, and the answers all of it: 20 of 20/s in 3 s were due in the first second.
    """
    sent = 2 * round(seconds / 0.3)
    times = [(one / rate_per_s, one // 2 * 0.3, one // 2 * 0.3 + 0.3) for one in range(sent)]
    made = recording(calls(times), arrivals="constant", offered_rate_per_s=rate_per_s)
    made.environment["load_ended_s"] = START_S + seconds
    made.add_never_sent(ALL_USERS_BUSY, round(seconds * rate_per_s) - sent)
    summary = summarise(made)
    assert summary.throughput_per_s == pytest.approx(2 / 0.3, rel=0.03)
    assert summary.due_per_s == pytest.approx(rate_per_s, rel=0.01)


def test_one_call_is_no_rate() -> None:
    """A call of 0.4 ms had been 2,451/s: a rate takes ten calls, or a second."""
    found: Summary = summarise(closed_loop(1, 0.0001, 0.0004))
    assert (found.calls, found.throughput_per_s, found.sent_per_s) == (1, None, None)
    checked = check(parse_limit("throughput>100/s"), found.figure("throughput"))
    assert (checked.met, checked.why) == (None, "throughput was not measured: it needs 10 calls, or 1 s")


def test_one_call_in_five_seconds_is_a_rate() -> None:
    """0.2/s, which misses a floor of 100/s; it had met it."""
    found = summarise(open_loop(0.2, 5.0, 0.0017))
    assert found.throughput_per_s == pytest.approx(0.2)
    assert check(parse_limit("throughput>100/s"), found.figure("throughput")).met is False


def test_a_first_call_found_no_busy_user() -> None:
    """A user's first call may be due before the user is there: only later ones waited for a user."""
    first = recording(calls([(0, 0.002, 0.01)], waited=False), arrivals="constant")
    assert summarise(first).late == 0
    times = [(0, 0.002, 0.5), (0.1, 0.5, 0.9), (0.2, 0.9, 1.3), (0.3, 1.3, 1.7)]
    assert summarise(recording(calls(times, waited=False), arrivals="constant")).late == 3
