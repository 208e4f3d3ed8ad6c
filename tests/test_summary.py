"""A recording's figures: worked by hand, bounded by what was measured, and None where nothing was."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.outcome import Outcome
from scorebench.figures.percentiles import QUANTILES
from scorebench.figures.summary import Summary, summarise
from scorebench.load.warm_up import WarmUp
from scorebench.recordings.calls import Calls
from scorebench.recordings.recording import Recording
from scorebench.recordings.warm_up_gate import WarmUpGate
from scorebench.report.data import dumped
from scorebench.report.forms.summary import figures_of
from scorebench.verdicts.findings import look
from tests.recordings import START_S, batches, calls, data_of, evenly, from_data, recording


def of(measured: Calls, **told: object) -> Summary:
    return summarise(recording(measured, **told))


def as_data(summary: Summary) -> dict[str, Any]:
    """The figures as any reader of JSON gets them."""
    data: dict[str, Any] = json.loads(dumped(figures_of(summary)))
    return data


def test_rates_worked_by_hand() -> None:
    """Ten calls of five rows due over 0.9 s, the last answered 0.1 s after: ten valid answers a second."""
    found = of(calls(evenly(10, rate_per_s=10, service_s=0.1), rows=5))
    assert found.wall_time_s == pytest.approx(1.0)
    assert found.throughput_per_s == pytest.approx(10.0)
    assert found.rows_per_s == pytest.approx(50.0)
    assert (found.calls, found.valid, found.rows, found.valid_share) == (10, 10, 50, 1.0)


def test_an_error_page_is_no_throughput() -> None:
    """Of four calls answered in a second one is valid: 1 valid answer a second, 4 sent, a share of 1/4."""
    outcomes = [Outcome.VALID, Outcome.GATEWAY_ERROR, Outcome.WRONG_COUNT, Outcome.MODEL_ERROR]
    found = of(calls([(0, 0, 1)] * 4, outcome=outcomes))
    assert found.throughput_per_s == pytest.approx(1.0)
    assert found.sent_per_s == pytest.approx(4.0)
    assert found.valid_share == 0.25


def test_what_is_cut_off_is_no_answer_either_way() -> None:
    """Three valid and one cut off: all whose fate is known are valid."""
    found = of(calls([(0, 0, 1)] * 4, outcome=[0, 0, 0, Outcome.CUT_OFF]))
    assert found.valid_share == 1.0
    assert found.accounting.cut_off == 1


def test_service_counts_from_sent_and_response_from_due() -> None:
    """Due at 0, sent at 0.2, done at 0.3: 0.1 s of service, 0.3 s of response, 0.2 s of lag."""
    found = of(calls([(0.0, 0.2, 0.3)]))
    assert found.service.mean_s == pytest.approx(0.1, abs=1e-6)
    assert found.response.mean_s == pytest.approx(0.3, abs=1e-6)
    assert found.lag.mean_s == pytest.approx(0.2, abs=1e-6)


def test_nothing_measured_is_none_and_never_zero() -> None:
    """An empty recording: counts of 0, and not one time or rate."""
    found = as_data(summarise(Recording()))
    assert (found["calls"], found["valid"], found["accounting"]["due"]) == (0, 0, 0)
    for rate in ("wall_time_s", "throughput_per_s", "rows_per_s", "sent_per_s", "valid_share"):
        assert found[rate] is None
    for times in ("service_time_s", "response_time_s"):
        assert set(found[times].values()) == {None}


def test_a_percentile_without_enough_calls_is_none() -> None:
    """661 calls support p95 and not p99, 662 do: MLPerf's early stopping at 99 %."""
    below, enough = (as_data(of(calls(evenly(many)))) for many in (661, 662))
    assert below["calls_needed"] == {"p50": 11, "p90": 64, "p95": 130, "p99": 662, "p99.9": 6636}
    assert below["service_time_s"]["p95"] is not None
    assert below["service_time_s"]["p99"] is None
    assert below["service_time_interval_s"]["p99.9"] is None
    assert enough["service_time_s"]["p99"] == pytest.approx(0.01, rel=1e-3)
    assert enough["service_time_s"]["p99.9"] is None


@given(batches())
def test_no_figure_leaves_the_measured_range(batch: Calls) -> None:
    """Mean, percentiles and their bounds lie between the least and the greatest; percentiles ascend."""
    found = of(batch)
    for times in (found.service, found.response, found.lag):
        seen = [e.value for e in times.percentiles.values() if e.value is not None]
        bounds = [b for e in times.percentiles.values() for b in (e.low, e.high) if b is not None]
        assert seen == sorted(seen)
        if times.count:
            assert times.min_s is not None
            assert times.max_s is not None
            assert times.mean_s is not None
            assert all(times.min_s <= value <= times.max_s for value in [*seen, *bounds])
            assert times.min_s * (1 - 1e-9) <= times.mean_s <= times.max_s * (1 + 1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(700, 2_000))
def test_bounds_hold_their_percentile(seed: int, count: int) -> None:
    """Whatever the times, each percentile lies between its own bounds."""
    services = np.random.default_rng(seed).gamma(2, 0.01, count)
    found = of(calls(evenly(count, service_s=services.tolist())))
    for estimate in found.service.percentiles.values():
        if estimate.low is not None and estimate.high is not None:
            assert estimate.value is not None
            assert estimate.low <= estimate.value <= estimate.high


@given(st.integers(0, 2**32 - 1), st.integers(20, 2_000), st.integers(1, 60))
def test_bounds_ascend_with_their_percentiles(seed: int, count: int, bursts: int) -> None:
    """p50 is never above p90, so it is not above p90's upper bound, nor p90 below p50's lower one."""
    random = np.random.default_rng(seed)
    services = np.repeat(random.gamma(2, 0.01, bursts), -(-count // bursts))[:count]
    found = of(calls(evenly(count, service_s=services.tolist()))).service.percentiles.values()
    for side in ("low", "high"):
        known = [bound for estimate in found if (bound := getattr(estimate, side)) is not None]
        assert known == sorted(known)


def test_calls_that_queue_widen_the_bounds() -> None:
    """The same times, once in no order and once the slow ones together: less is known of the second."""
    times = np.random.default_rng(3).gamma(2, 0.01, 3_000)
    mixed, together = (
        of(calls(evenly(3_000, service_s=services.tolist()))).service.percentile(0.9)
        for services in (times, np.sort(times))
    )
    assert mixed.value == together.value
    assert mixed.low is not None
    assert together.low is None or together.low < mixed.low
    assert together.high is None


def test_users_are_told_apart_by_worker() -> None:
    """User 0 of two workers stands there twice, in order, each with its own mean."""
    left, right = (recording(calls(evenly(2, service_s=s))) for s in (0.1, 0.3))
    left.rename_users(2)
    right.rename_users(1)
    left.merge(right)
    users = summarise(left).users
    assert [(user.worker, user.user, user.calls) for user in users] == [(1, 0, 2), (2, 0, 2)]
    assert [user.mean_s for user in users] == [pytest.approx(0.3), pytest.approx(0.1)]


def test_the_mean_of_users_agrees_with_the_whole() -> None:
    """Calls-weighted, the users' means are the mean of all: one tally feeds both."""
    found = of(calls(evenly(9, service_s=[k / 100 for k in range(1, 10)]), user=[0, 1, 2] * 3))
    weighted = sum(user.valid * (user.mean_s or 0) for user in found.users)
    assert weighted == pytest.approx(found.service.sum_s) == pytest.approx(0.45)


def test_a_call_that_hangs_since_the_warm_up_makes_no_rate_lower() -> None:
    """100/s of 10 ms for 5 s after 3 s of warm-up; one more of its first second is cut off at the end.

    That one counts from the warm-up's end on: 5 s are measured, with no answer missing in the first of them.
    """
    made, times = Recording(), evenly(800)
    outcome = [Outcome.VALID] * 800 + [Outcome.CUT_OFF]
    WarmUpGate(WarmUp(seconds=3.0)).add(made, calls([*times, (0.5, 0.5, 9.0)], outcome, waited=False))
    made.environment["load_ended_s"] = START_S + 8.0
    summary = summarise(made)
    assert summary.valid == 500
    assert summary.wall_time_s == pytest.approx(5.0, abs=0.01)
    assert summary.throughput_per_s == pytest.approx(100.0, rel=0.01)
    assert summary.service_waits.max_s == pytest.approx(6.0, rel=0.01)  # 9.0 - 3.0
    assert summary.accounting.overdue == 1
    assert {one.code for one in look(summary, made)} == {"overdue"}


def test_nor_since_a_warm_up_of_so_many_calls() -> None:
    """The same with a warm-up of 300 calls, which ends with the one that is due at 2.99 s."""
    made, gate = Recording(), WarmUpGate(WarmUp(calls=300))
    gate.add(made, calls(evenly(300), waited=False))
    later = [(due + 3, sent + 3, done + 3) for due, sent, done in evenly(500)]
    outcome = [Outcome.VALID] * 500 + [Outcome.CUT_OFF]
    gate.add(made, calls([*later, (0.5, 0.5, 9.0)], outcome, waited=False))
    made.environment["load_ended_s"] = START_S + 8.0
    summary = summarise(made)
    assert summary.valid == 500
    assert summary.wall_time_s == pytest.approx(5.0, abs=0.03)


def test_the_warm_up_is_in_no_figure() -> None:
    """Ten slow calls of the warm-up leave the measured maximum alone, and stand apart."""
    made = Recording()
    gate = WarmUpGate(WarmUp(seconds=1.0))
    gate.add(made, calls(evenly(10, rate_per_s=10, service_s=0.9)))
    gate.add(made, calls([(1.0, 1.0, 1.1)]))
    found = summarise(made)
    assert (found.calls, found.warm_up.calls) == (1, 10)
    assert found.service.max_s == pytest.approx(0.1)
    assert found.warm_up.max_s == pytest.approx(0.9)
    assert found.wall_time_s == pytest.approx(0.1)


METRICS = {
    "p50": 0.5,
    "p99": 0.99,
    "mean": 0.505,
    "max": 1.0,
    "service_p50": 0.49,
    "service_mean": 0.495,
    "lag_mean": 0.01,
    "lag_max": 0.01,
}


@pytest.mark.parametrize(("metric", "expected"), METRICS.items())
def test_each_metric_of_a_limit_is_found(metric: str, expected: float) -> None:
    """Response times of 0.01 … 1.00 s, seven calls each, all sent 10 ms late: every name has its figure."""
    response = np.repeat(np.arange(1, 101) / 100, 7)
    found = of(calls([(0, 0.01, done) for done in response.tolist()]))
    assert found.figure(metric) == pytest.approx(expected, rel=2e-3, abs=1e-6)


def test_metrics_that_are_no_times() -> None:
    """The share of valid calls, valid answers a second, rows a second."""
    found = of(calls([(0, 0, 2)] * 4, outcome=[0, 0, 0, Outcome.OVERLOADED], rows=3))
    assert [found.figure(m) for m in ("valid", "throughput", "rows")] == [0.75, 1.5, 4.5]


def test_a_percentile_of_any_share_can_be_asked() -> None:
    """p97.5 of 1 … 1,000 ms is 975 ms, within the three digits of the histogram."""
    found = of(calls(evenly(1_000, service_s=[k / 1_000 for k in range(1, 1_001)])))
    assert found.figure("p97.5") == pytest.approx(0.975, rel=1e-3)
    estimate = found.estimate("p97.5")
    assert estimate is not None
    assert estimate.needed == 263
    assert found.estimate("mean") is None


@given(batches())
def test_a_summary_is_plain_json(batch: Calls) -> None:
    """No NaN, no infinity; and a recording that was read back gives the same figures."""
    made = recording(batch, arrivals="poisson")
    again = from_data(data_of(made))
    assert as_data(summarise(made)) == as_data(summarise(again))


def test_every_output_holds_the_same_percentiles() -> None:
    """Values, bounds and the calls needed are told for the same names."""
    found = as_data(summarise(Recording()))
    for part in ("service_time_interval_s", "response_time_interval_s", "calls_needed"):
        assert list(found[part]) == list(QUANTILES)
    assert set(QUANTILES) < set(found["service_time_s"])


def test_without_bounds_percentiles_keep_their_values() -> None:
    """What is shown while a run goes on: the same percentiles, bounds not known."""
    mixed = np.random.default_rng(1).permutation(np.linspace(0.01, 0.02, 1_000))
    made = recording(calls(evenly(1_000, service_s=mixed.tolist())))
    with_bounds, without = (summarise(made, bounds=bounds).response.percentiles for bounds in (True, False))
    assert [found.value for found in without.values()] == [found.value for found in with_bounds.values()]
    assert with_bounds["p50"].low is not None
    assert {found.low for found in without.values()} == {None}
