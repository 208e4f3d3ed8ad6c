"""Trends: what rises is found, what does not is not accused more often than chance may."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from scorebench.figures.trend import trend

MB = 1e6
RUNS = 1000


def noise(random: np.random.Generator, seconds: int, dependence: float, spread: float) -> np.ndarray:
    """Values a second; each keeps `dependence` of the last one's distance from 0 (AR(1))."""
    made: np.ndarray = lfilter([spread], [1, -dependence], random.standard_normal(seconds))
    return made


def test_the_slope_of_a_line_is_its_slope() -> None:
    """1 MB a minute, no noise: exactly that, with equal bounds; p = 2 * (1 - Phi(275 / 40.3)) < 1e-9."""
    found = trend([(float(t), 300 * MB + t * MB / 60) for t in range(1200)])
    assert found is not None
    assert [found.per_s, found.low_per_s, found.high_per_s] == pytest.approx([MB / 60] * 3)
    assert found.p < 1e-9
    assert found.rises(0.05)


@pytest.mark.parametrize("dependence", [0.0, 0.9, 0.99])
def test_steady_memory_is_not_accused(dependence: float) -> None:
    """1,000 runs of 20 minutes at 5 %: at most 5 % of them seem to rise, where values hang together too.

    The test is two-sided, so that 2.5 % are due to fall on this side.
    """
    random = np.random.default_rng(7)
    rises = 0
    for _ in range(RUNS):
        values = 300 * MB + noise(random, 1200, dependence, 0.5 * MB)
        found = trend(list(enumerate(values.tolist())))
        assert found is not None
        rises += found.rises(0.05)
    assert rises <= 0.05 * RUNS, rises


def test_a_leak_of_1_mb_a_minute_is_found_within_twenty_minutes() -> None:
    """In noise that hangs together: in each of 200 runs, and 90 % of the bounds or more hold the slope."""
    random = np.random.default_rng(8)
    held = 0
    for _ in range(200):
        values = 300 * MB + noise(random, 1200, 0.9, 0.5 * MB) + np.arange(1200) * MB / 60
        found = trend(list(enumerate(values.tolist())))
        assert found is not None
        assert found.rises(0.05)
        held += found.low_per_s <= MB / 60 <= found.high_per_s
    assert held >= 180, held


def test_growth_at_the_start_is_no_trend() -> None:
    """Caches fill for the first 3 of 20 minutes; then nothing grows."""
    random = np.random.default_rng(9)
    values = 300 * MB + np.minimum(np.arange(1200) / 180, 1) * 80 * MB + noise(random, 1200, 0.0, MB)
    found = trend(list(enumerate(values.tolist())))
    assert found is not None
    assert not found.rises(0.01)


def test_too_few_points_and_constant_values_have_none() -> None:
    """48 points after the first fifth are needed; what never changes has p = 1."""
    assert trend([]) is None
    assert trend([(float(t), 1.0) for t in range(50)]) is None
    flat = trend([(float(t), 5.0) for t in range(100)])
    assert flat is not None
    assert (flat.p, flat.rises(0.05)) == (1.0, False)


@pytest.mark.parametrize("power", [0.7, 1.0, 1.4])
def test_a_leak_that_slows_down_or_speeds_up_is_found(power: float) -> None:
    """20 MB in all, of which the noise of a second is 0.3: each of 20 runs of 480 seconds."""
    random, share = np.random.default_rng(21), np.linspace(0, 1, 480)
    for _ in range(20):
        values = 400 + 20 * share**power + 0.3 * random.standard_normal(480)
        found = trend(list(enumerate(values.tolist())))
        assert found is not None
        assert found.rises(0.01)
