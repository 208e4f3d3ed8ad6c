"""The bench that holds a plan against runs: what counts as held, and what it says of many."""

from __future__ import annotations

import math

import pytest
from bench.plan import Held, summed_up

from scorebench.figures.percentiles import Estimate
from scorebench.plans.plan import Response

PLANNED = Response(s=0.1, low_s=0.08, high_s=0.2)


def measured(value: float | None, low: float | None, high: float | None) -> Estimate:
    """Of 1,000 calls."""
    return Estimate(0.99, value, low, high, 662, 1000)


@pytest.mark.parametrize(
    ("found", "outcome", "off"),
    [
        (measured(0.09, 0.07, 0.12), "inside", 1 / 9),
        (measured(0.25, 0.19, 0.4), "meets", -0.6),
        (measured(0.25, 0.21, 0.4), "outside", -0.6),
        (measured(0.07, 0.06, 0.09), "meets", 3 / 7),
        (measured(0.25, None, None), "outside", -0.6),  # without bounds it is its value
        (measured(None, 0.1, None), "too few calls", None),
    ],
)
def test_a_percentile_is_inside_meets_or_is_outside(found: Estimate, outcome: str, off: float | None) -> None:
    """Planned: 100 ms, between 80 and 200."""
    held = Held("p99", PLANNED, found)
    assert held.outcome == outcome
    assert held.off == (None if off is None else pytest.approx(off))


def test_a_line_has_both_with_their_bounds() -> None:
    """A queue that may grow has no upper bound: to be above the lower one is not to be inside."""
    held = Held("p99", Response(0.1, 0.08, math.inf), measured(0.09, 0.07, None))
    line = "p99 | 100 ms (80 ms to no end) | 90 ms (70 ms to -) | +11% | above the lower bound"
    assert held.cells == line
    below = Held("p99", Response(0.1, 0.08, math.inf), measured(0.07, 0.06, 0.075))
    assert below.outcome == "outside"


def test_many_are_summed_up() -> None:
    """Of three values: one inside, one that meets, one outside; off by +11, -60 and -60 %."""
    found = [measured(0.09, 0.07, 0.1), measured(0.25, 0.19, 0.3), measured(0.25, 0.21, 0.3)]
    lines = list(summed_up([Held("p99", PLANNED, one) for one in found]))
    assert lines == [
        "p99: 1 of 3 inside the plan's bounds, 1 more by their own bounds; 0 above a lower bound that has no "
        "upper one.",
        "p99: the plan is off by -60% to +11%, in the middle by -60%.",
    ]
