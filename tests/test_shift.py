"""Bounds that need no normal distribution: against scipy's tests, and by how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, wilcoxon

from scorebench.comparison.shift import paired, unpaired

TRIALS = 500


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("count", [6, 9, 15, 40])
def test_bounds_of_pairs_are_what_wilcoxon_does_not_reject(count: int, seed: int) -> None:
    """Just within the bounds scipy's exact p is above alpha, just beyond them it is not."""
    values = np.random.default_rng(seed).normal(1, 3, count)
    found = paired(values.tolist(), 0.05)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high
    for bound, inward in ((found.low, 1e-9), (found.high, -1e-9)):
        assert wilcoxon(values - bound - inward, method="exact").pvalue > 0.05
        assert wilcoxon(values - bound + inward, method="exact").pvalue <= 0.05


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("first", "second"), [(4, 4), (6, 9), (10, 10), (3, 25)])
def test_bounds_of_two_sets_are_what_mann_whitney_does_not_reject(first: int, second: int, seed: int) -> None:
    """The same, with scipy's exact U."""
    draw = np.random.default_rng(seed)
    before, after = draw.normal(0, 1, first), draw.normal(0.5, 2, second)
    found = unpaired(before.tolist(), after.tolist(), 0.05)
    assert found.low is not None
    assert found.high is not None
    for bound, inward in ((found.low, 1e-9), (found.high, -1e-9)):
        assert mannwhitneyu(after - bound - inward, before, method="exact").pvalue > 0.05
        assert mannwhitneyu(after - bound + inward, before, method="exact").pvalue <= 0.05


def test_the_estimates_by_hand() -> None:
    """The middle of the Walsh averages 1, 2, 2.5, 3, 3.5, 4 … of (1, 3, 4): 1 2 2.5 3 3.5 4, so 2.75.

    And of the differences 3-1, 3-2, 7-1, 7-2 = 2, 1, 6, 5: 3.5.
    """
    assert paired([1.0, 3.0, 4.0], 0.05).value == 2.75
    assert unpaired([1.0, 2.0], [3.0, 7.0], 0.05).value == 3.5


def test_too_few_values_have_no_bounds() -> None:
    """Of five signs 2 in 32 orders are one-sided, 6 %; of three and three values 2 in 20 are, 10 %."""
    assert paired([1.0] * 5, 0.05).low is None
    assert paired([1.0] * 6, 0.05).low == 1.0
    assert unpaired([1.0] * 3, [2.0] * 3, 0.05).low is None


def test_bounds_hold_the_truth_as_often_as_they_say() -> None:
    """Of 500 samples with heavy tails at most 5 % lie outside, by more than chance allows: 40 of 500."""
    draw = np.random.default_rng(5)
    outside = 0
    for _ in range(TRIALS):
        found = paired((draw.standard_t(2, 12) + 3).tolist(), 0.05)
        assert found.low is not None
        assert found.high is not None
        outside += not found.low <= 3 <= found.high
    assert 0 < outside <= 40
