"""What is not steady is named with its size, and noise is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scorebench.verdicts.steadiness import FEWEST_BEATS, Unsteadiness, judge
from tests.queues import Calls, Draw, Floats, Queue, constant, exponential, poisson

Profile = Callable[[Floats], NDArray[Any]]
Series = tuple[list[int], list[float | None]]


def level(at: Floats) -> Floats:
    return np.ones_like(at)


def seconds_of(done_s: Floats, response_s: Floats, seconds: int) -> Series:
    """Answers in each second, and their mean response time."""
    inside = done_s < seconds
    second = done_s[inside].astype(int)
    calls = np.bincount(second, minlength=seconds)
    sums_s = np.bincount(second, weights=response_s[inside], minlength=seconds)
    return calls.tolist(), [float(s / n) if n else None for s, n in zip(sums_s, calls, strict=True)]


def independent(
    rate: float, seconds: int, seed: int, draw: Draw, *, latency: Profile = level, kept: Profile = level
) -> Series:
    """Poisson answers whose latencies don't depend on each other; the profiles change them over the run."""
    rng = np.random.default_rng(seed)
    done_s = poisson(rate, seconds, rng)
    done_s = done_s[rng.random(len(done_s)) < kept(done_s / seconds)]
    return seconds_of(done_s, draw(rng, len(done_s)) * latency(done_s / seconds), seconds)


def in_queue(rate: float, load: float, seconds: int, seed: int) -> Series:
    """An M/M/1 queue that has run for a while."""
    warm_up_s = 30
    calls = Queue(exponential(rate / load)).open_loop(rate, seconds + warm_up_s, np.random.default_rng(seed))
    warm = calls.done_s > warm_up_s
    return seconds_of(calls.done_s[warm] - warm_up_s, calls.response_s[warm], seconds)


def log_normal(rng: np.random.Generator, count: int) -> Floats:
    return rng.lognormal(-4, 1.5, count)


def two_humps(rng: np.random.Generator, count: int) -> Floats:
    return np.where(rng.random(count) < 0.5, 0.002, 0.02)


def one_in_a_hundred_slow(rng: np.random.Generator, count: int) -> Floats:
    return np.where(rng.random(count) < 0.01, 0.2, 0.01)


def found(series: Series) -> list[tuple[str, str]]:
    findings = judge(*series).findings
    assert findings is not None
    return [(finding.kind, finding.metric) for finding in findings]


def test_a_third_without_calls_is_said_in_words() -> None:
    """The text says so; a ratio to zero would be infinite."""
    (one,) = (one for one in judge([30] * 20 + [0] * 10, [0.01] * 20 + [None] * 10).findings or ())
    assert one.text == "unsteady: throughput was zero in a third of the run"


@pytest.mark.parametrize(
    "draw", [constant(100), exponential(100), log_normal, two_humps, one_in_a_hundred_slow]
)
@pytest.mark.parametrize(("rate", "seconds"), [(20, 30), (20, 120), (100, 30), (100, 120), (1000, 30)])
def test_pure_noise_is_steady(rate: float, seconds: int, draw: Draw) -> None:
    """Poisson arrivals at 20 to 1,000 a second, latencies of any spread: at most 4 of 50 runs raise an alarm.

    Were the rate of false alarms 1 in 50, 5 or more of 50 would come once in 300.
    """
    alarms = sum(bool(found(independent(rate, seconds, seed, draw))) for seed in range(50))
    assert alarms <= 4


@pytest.mark.parametrize("load", [0.5, 0.8])
@pytest.mark.parametrize(("rate", "seconds"), [(20, 60), (100, 30), (100, 60)])
def test_a_queue_at_rest_is_steady(rate: float, seconds: int, load: float) -> None:
    """M/M/1, where waiting times hang together over seconds: of 50 runs at most 5 are called unsteady."""
    assert sum(bool(found(in_queue(rate, load, seconds, seed))) for seed in range(50)) <= 5


@pytest.mark.parametrize("users", [1, 8])
def test_a_closed_loop_is_steady(users: int) -> None:
    """Users that wait for their answers, at two servers: no finding in 20 runs."""
    for seed in range(20):
        calls: Calls = Queue(exponential(50), 2).closed_loop(users, 60, np.random.default_rng(seed))
        assert found(seconds_of(calls.done_s, calls.response_s, 60)) == []


@pytest.mark.parametrize("metric", ["latency", "throughput"])
def test_a_change_half_way_is_found(metric: str) -> None:
    """Latency half as high again, or throughput down by half, from the middle on: in 18 of 20 runs."""
    hits = 0
    for seed in range(20):
        if metric == "latency":
            series = independent(200, 60, seed, exponential(100), latency=lambda at: 1 + 0.5 * (at > 0.5))
        else:
            series = independent(200, 60, seed, exponential(100), kept=lambda at: 1 - 0.5 * (at > 0.5))
        names = found(series)
        assert {name for _, name in names} <= {metric}
        hits += bool(names)
    assert hits >= 18


def test_a_trend_is_named_with_its_size() -> None:
    """Latency that doubles over the run: a trend of 100 %, give or take 25, in 18 of 20 runs."""
    trends: list[Unsteadiness] = []
    for seed in range(20):
        findings = judge(*independent(200, 60, seed, exponential(100), latency=lambda at: 1 + at)).findings
        trends += [finding for finding in findings or () if finding.kind == "trend"]
    assert len(trends) >= 18
    assert np.median([trend.size for trend in trends]) == pytest.approx(1.0, abs=0.25)
    assert all(trend.text.startswith("trend: latency rose by ") for trend in trends)
    assert all("queue or memory" in trend.advice for trend in trends)


def test_a_falling_trend_is_said_to_fall() -> None:
    """Throughput that falls to half over the run fell by 50 %, give or take 10."""
    series = independent(500, 60, 1, exponential(100), kept=lambda at: 1 - 0.5 * at)
    (trend,) = judge(*series).findings or ()
    assert trend.size == pytest.approx(0.5, abs=0.1)
    assert trend.text.startswith("trend: throughput fell by ")


def test_a_slow_start_is_named_with_its_length_and_size() -> None:
    """Three times the latency in the first 6 of 60 s: named so, and nothing else is, in 18 of 20 runs."""
    named = []
    for seed in range(20):
        series = independent(200, 60, seed, exponential(100), latency=lambda at: 1 + 2 * (at < 0.1))
        findings = judge(*series).findings or ()
        if [finding.kind for finding in findings] == ["slow start"]:
            named.append(findings[0])
    assert len(named) >= 18
    assert np.median([start.size for start in named]) == pytest.approx(2, abs=0.4)
    assert {start.advice for start in named} == {"lengthen --warm-up by 6 s or more"}
    assert any(start.text.startswith("slow start: in the first 6 s latency was ") for start in named)


def test_a_hump_in_the_middle_is_unsteady() -> None:
    """Twice the latency in the middle fifth shows in no slope, but in the thirds: 18 of 20 runs."""
    hits = 0
    for seed in range(20):
        series = independent(
            500, 60, seed, exponential(100), latency=lambda at: 1 + 1.0 * ((at > 0.4) & (at < 0.6))
        )
        hits += found(series) == [("unsteady", "latency")]
    assert hits >= 18


def test_a_server_that_dies_is_found_and_not_an_error() -> None:
    """No answer in the last two thirds of the run, and so too few latencies to judge: throughput tells."""
    calls = [100] * 8 + [0] * 22
    names = found((calls, [0.01] * 8 + [None] * 22))
    assert {metric for _, metric in names} == {"throughput"}


@pytest.mark.parametrize(
    ("calls", "latency_s"),
    [([], []), ([0] * 60, [None] * 60), ([100] * 8, [0.01] * 8), ([1] * 100, [0.01] * 100)],
    ids=["nothing", "no answer", "8 s", "100 calls"],
)
def test_a_run_too_short_is_not_judged(calls: list[int], latency_s: list[float | None]) -> None:
    """Fewer than nine beats of twenty calls: neither steady nor unsteady, and why."""
    steadiness = judge(calls, latency_s)
    assert steadiness.findings is None
    assert steadiness.why_not == (
        f"too short to tell whether it was steady: that takes {FEWEST_BEATS} times 20 calls, and 9 s"
    )


def test_series_of_different_length_are_our_mistake() -> None:
    """Counts and latencies are of the same seconds."""
    with pytest.raises(ValueError, match="2 seconds of calls, 1 of latency"):
        judge([1, 2], [0.1])


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(1, 10**6), st.floats(1e-6, 1e4)),
            st.tuples(st.integers(0, 3), st.none()),
        ),
        max_size=60,
    )
)
def test_any_series_is_judged(seconds: list[tuple[int, float | None]]) -> None:
    """No run, however odd, breaks the judge; every finding has a size above zero and a text."""
    for finding in judge([count for count, _ in seconds], [latency for _, latency in seconds]).findings or ():
        assert finding.size > 0
        assert finding.text.startswith(finding.kind)
        assert finding.advice


def test_a_long_run_is_judged_in_beats() -> None:
    """A day at 5/s is drawn together into 120 beats and judged like any other."""
    assert found(independent(5, 24 * 3600, 3, exponential(100))) == []
