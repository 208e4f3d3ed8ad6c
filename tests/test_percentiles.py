"""Percentiles of counted values, their bounds, and the calls they need."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from scorebench.figures.percentiles import (
    Counts,
    Sample,
    Values,
    _binomial_quantile,
    calls_needed,
    clumping,
    estimate,
    percentile,
    pooled,
    upper_bound,
)

QS = (0.5, 0.9, 0.95, 0.99, 0.999)


def counted(sample: Values) -> tuple[Values, Counts]:
    values, counts = np.unique(sample, return_counts=True)
    return values, counts


@pytest.mark.parametrize(
    ("q", "expected"),
    [(0.2, 15), (0.3, 20), (0.4, 20), (0.5, 35), (0.99, 50), (0.05, 15), (0.07, 15)],
)
def test_nearest_rank_worked_by_hand(q: float, expected: float) -> None:
    """Of 15, 20, 35, 40, 50 the percentile is the ⌈5q⌉-th: ranks 1, 2, 2, 3, 5, 1, 1."""
    assert percentile([15, 20, 35, 40, 50], [1, 1, 1, 1, 1], q) == expected


def test_the_rank_is_that_of_the_decimal_that_was_written() -> None:
    """p7 of 1 … 100 is the 7th, although 0.07 · 100 is 7.000000000000001 in floats."""
    assert percentile(range(1, 101), [1] * 100, 0.07) == 7


def test_buckets_without_a_count_are_never_the_answer() -> None:
    """Empty buckets before, between and after do not show."""
    values, counts = [1, 2, 3, 4, 5], [0, 10, 0, 10, 0]
    assert [percentile(values, counts, q) for q in (0.01, 0.5, 0.51, 0.999)] == [2, 2, 4, 4]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200), st.floats(0.001, 0.999))
def test_a_percentile_agrees_with_numpy_and_was_seen(sample: list[float], q: float) -> None:
    """Nearest rank is numpy's inverted_cdf: a value of the sample, never outside its range."""
    found = percentile(*counted(sample), q)
    assert found in sample
    if abs(q * len(sample) - round(q * len(sample))) > 1e-6:  # at a whole rank numpy rounds as floats do
        assert found == np.percentile(sample, q * 100, method="inverted_cdf")


@settings(deadline=None)  # the first example imports scipy
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200), st.floats(0.01, 0.98))
def test_percentiles_ascend(sample: list[float], q: float) -> None:
    """A higher share is never a lower value, and more confidence never a lower bound."""
    lower, higher = percentile(*counted(sample), q), percentile(*counted(sample), q + 0.01)
    assert lower is not None
    assert higher is not None
    assert lower <= higher
    sure, surer = (upper_bound(*counted(sample), q, confidence=confidence) for confidence in (0.9, 0.99))
    assert surer is None or (sure is not None and sure <= surer)


def test_nothing_counted_has_no_percentile() -> None:
    """No calls: None, not 0."""
    assert percentile([], [], 0.5) is None
    assert percentile([1.0, 2.0], [0, 0], 0.5) is None
    assert upper_bound([], [], 0.5) is None
    nothing = estimate([], [], 0.99)
    assert (nothing.value, nothing.low, nothing.high, nothing.calls) == (None, None, None, 0)


@pytest.mark.parametrize("q", [0, 1, -0.5, 99, math.nan])
def test_a_share_outside_0_to_1_is_our_mistake(q: float) -> None:
    """99 for 0.99 raises and does not answer."""
    for function in (percentile, estimate, upper_bound):
        with pytest.raises(ValueError, match="a share between 0 and 1"):
            function([1.0], [1], q)


@pytest.mark.parametrize(
    ("q", "needed"),
    # p99 and p99.9 are the numbers MLPerf's rules name. p90: 64, likewise (single-stream). p50 by hand:
    # (1 + n) / 2^n < 0.01 holds first at n = 11, where it is 12 / 2048 = 0.0059 (n = 10: 11 / 1024 = 0.0107).
    [(0.99, 662), (0.999, 6636), (0.9, 64), (0.5, 11), (0.1, 64), (0.01, 662)],
)
def test_the_calls_a_percentile_needs_are_mlperfs(q: float, needed: int) -> None:
    """LoadGen's early stopping at 99 %: p90 64, p99 662, p99.9 6,636."""
    assert calls_needed(q) == needed


@pytest.mark.parametrize("q", [0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_the_calls_needed_are_the_fewest_that_keep_the_rule(q: float, confidence: float) -> None:
    """P(at most one of n beyond), added up term by term, is below 1 - confidence at n and not at n - 1."""

    def at_most_one_beyond(calls: int) -> float:
        beyond = min(q, 1 - q)
        return (1 - beyond) ** calls + calls * beyond * (1 - beyond) ** (calls - 1)

    needed = calls_needed(q, confidence)
    assert at_most_one_beyond(needed) < 1 - confidence <= at_most_one_beyond(needed - 1)


def test_too_few_calls_give_no_number_but_what_is_needed() -> None:
    """661 calls: no p99, needs 662, but bounds. 662 calls: a p99 with both bounds."""
    few = estimate(range(661), [1] * 661, 0.99)
    assert (few.value, few.needed, few.calls) == (None, 662, 661)
    # B binomial(661, 0.99): P(B < 647) = 0.0033 and P(B < 648) = 0.0078, on both sides of 0.005;
    # P(B >= 661) = 0.99^661 = 0.0013 and P(B >= 660) = 0.0100. So the 647th and the 661st, counted from 0.
    assert (few.low, few.high) == (646, 660)
    enough = estimate(range(662), [1] * 662, 0.99)
    assert enough.value == 655  # the 656th, ⌈0.99 · 662⌉ = ⌈655.38⌉, counted from 0
    assert enough.low is not None
    assert enough.high is not None


@pytest.mark.parametrize(
    ("q", "calls"),
    [(q, calls) for q in QS for calls in (11, 64, 130, 662, 6636, 100_000) if calls >= calls_needed(q)],
)
def test_the_ranks_are_those_of_the_binomial_quantiles(q: float, calls: int) -> None:
    """Against scipy.stats.binom, an independent code path: l = ppf(a/2), u = ppf(1 - a/2) + 1."""
    from scipy.stats import binom

    values, counts = range(1, calls + 1), np.ones(calls, dtype=np.int64)  # the value of rank r is r
    found = estimate(values, counts, q)
    assert found.low == binom.ppf(0.005, calls, q)
    assert found.high == binom.ppf(0.995, calls, q) + 1
    assert upper_bound(values, counts, q) == binom.ppf(0.99, calls, q) + 1


@pytest.mark.parametrize("q", QS)
@pytest.mark.parametrize("more", [0, 1, 7, 500])
def test_enough_calls_always_have_both_bounds(q: float, more: int) -> None:
    """From the number needed on, low ≤ value ≤ high exist, within what was seen."""
    calls = calls_needed(q) + more
    found = estimate(range(calls), [1] * calls, q)
    assert found.low is not None
    assert found.high is not None
    assert found.value is not None
    assert 0 <= found.low <= found.value <= found.high <= calls - 1


@pytest.mark.parametrize("q", QS)
def test_the_interval_holds_the_true_percentile_as_often_as_it_says(q: float) -> None:
    """In 1,000 samples of an exponential the 99 % interval misses -ln(1 - q) 1 to 25 times.

    At most 10 are expected; 26 would be a chance of 1 in 60,000. Never missing would mean bounds too wide;
    the discreteness of the ranks makes them wider than asked at the smallest sizes, so the sample is five
    times that.
    """
    rng = np.random.default_rng(12)
    calls = calls_needed(q) * 5
    truth = -math.log(1 - q)
    missed = over = 0
    for _ in range(1000):
        sample = np.sort(rng.exponential(size=calls))
        found = estimate(sample, np.ones(calls, dtype=np.int64), q)
        bound = upper_bound(sample, np.ones(calls, dtype=np.int64), q)
        assert found.low is not None
        assert found.high is not None
        assert bound is not None
        missed += not found.low <= truth <= found.high
        over += truth > bound
    assert 0 < missed <= 25
    assert 0 < over <= 25


def test_an_upper_bound_needs_one_call_beyond() -> None:
    """p99's one-sided bound at 99 % exists from 459 calls on: 0.99^459 = 0.00992, 0.99^458 = 0.01002."""
    assert upper_bound(range(458), [1] * 458, 0.99) is None
    assert upper_bound(range(459), [1] * 459, 0.99) == 458


def test_a_billion_calls_in_few_buckets_are_answered() -> None:
    """Counts are added, never unrolled, and the ranks stay exact."""
    found = estimate([0.001, 0.002, 0.003], [900_000_000, 99_000_000, 1_000_000], 0.999)
    assert (found.value, found.calls) == (0.002, 1_000_000_000)
    assert (found.low, found.high) == (0.002, 0.003)


def test_clumping_worked_by_hand() -> None:
    """12 s of 100 calls, all 12 slow ones in one second: 16 calls count as one.

    Share 0.01. Between the seconds (11² + 11 · 1²) / 11 = 12, independent calls 100 · 0.01 · 0.99 = 0.99:
    12.12 times as much. t(0.99; 11) = 2.718 for z = 2.326: 1 + 11.12 · (2.718 / 2.326)² = 16.18.
    """
    assert clumping([12] + [0] * 11, [100] * 12) == pytest.approx(16.18, abs=0.01)
    assert clumping([1] * 12, [100] * 12) == 1  # spread more evenly than chance does: still one for one


@pytest.mark.parametrize(
    ("beyond", "calls"), [([], []), ([1] * 5, [100] * 5), ([0] * 12, [100] * 12), ([5] * 12, [5] * 12)]
)
def test_clumping_that_can_not_be_told_is_none(beyond: list[int], calls: list[int]) -> None:
    """Too few seconds, no slow call, or nothing but slow calls."""
    assert clumping(beyond, calls) is None


def test_independent_calls_hardly_clump() -> None:
    """Of 100 runs of independent calls the median clumping is below 1.5, and bounds exist."""
    rng = np.random.default_rng(5)
    found = [clumping(rng.binomial(100, 0.01, 60).tolist(), [100] * 60) for _ in range(100)]
    assert np.median([value for value in found if value is not None]) < 1.5


def test_clumped_calls_support_no_bound_before_an_estimate() -> None:
    """700 calls have a p99; when ten count as one, no upper bound."""
    found = estimate(range(700), [1] * 700, 0.99, clumping=10)
    assert (found.value, found.high) == (692, None)
    assert upper_bound(range(700), [1] * 700, 0.99, clumping=10) is None


@given(st.floats(1, 50), st.floats(1, 50))
def test_more_clumping_never_makes_a_bound_tighter(some: float, more: float) -> None:
    """The lower bound goes down, the upper one goes up or away."""
    some, more = sorted((some, more))
    values, counts = np.arange(30_000.0), np.ones(30_000, dtype=np.int64)
    loose, tight = (estimate(values, counts, 0.99, clumping=c) for c in (more, some))
    slack = 50  # ranks are rounded outwards to whole calls, which can move them by one clump
    assert tight.low is not None
    assert loose.low is None or loose.low <= tight.low + slack
    assert loose.high is None or (tight.high is not None and tight.high <= loose.high + slack)


def test_pooled_runs_have_the_calls_of_all() -> None:
    """Two runs of 300 calls together have a bound that neither has alone; unknown clumping has none."""
    low, high = Sample(np.arange(300), [1] * 300), Sample(np.arange(300, 600), [1] * 300)
    assert low.upper_bound(0.99) is None
    assert pooled([high, low]).upper_bound(0.99) == 599
    assert pooled([low, Sample(np.arange(300, 600), [1] * 300, clumping=None)]).upper_bound(0.99) is None
    assert pooled([low, Sample(np.arange(300, 600), [1] * 300, clumping=3.0)]).clumping == 3.0


@given(
    st.integers(1, 40) | st.integers(1, 20_000),
    st.sampled_from(QS),
    st.sampled_from((0.005, 0.01, 0.99, 0.995)),
)
def test_quantiles_of_a_binomial_agree_with_scipy(calls: int, q: float, share: float) -> None:
    """Those of few calls are found without scipy: its own quantile is the reference."""
    assert _binomial_quantile(share, calls, q) == int(binom.ppf(share, calls, q))


@pytest.mark.parametrize("q", QS)
def test_the_calls_that_are_needed_agree_with_scipy(q: float) -> None:
    """The smallest n with P(at most 1 of n beyond) < 1 %, by scipy's distribution."""
    needed = calls_needed(q)
    assert binom.cdf(1, needed, 1 - q) < 0.01 <= binom.cdf(1, needed - 1, 1 - q)
