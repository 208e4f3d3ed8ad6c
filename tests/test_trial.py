"""What one step says, and several at one rate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scorebench.capacity.trial import Measured, Plan, Reading, Step, margin_of
from scorebench.verdicts.limits import parse_limit
from tests.measuring import P99, tried


def test_too_few_calls_are_not_a_verdict() -> None:
    """A step whose p99 was not measured says why, and neither holds nor fails."""
    plan = Plan(0, 10.0, 32, 50.0, "")
    step = Step(plan, Measured(10.0, 50.0, 50.0, 0.01, (Reading(P99, None),)))
    assert (step.held, step.margin) == (None, None)
    assert step.why_unusable == "p99 was not measured: it needs 662 calls"


def test_the_number_counted_in_service_is_what_little_is_held_against() -> None:
    """100/s at 20 ms are 2 in service; 1.9 counted: off by 5.3 %. Open loop without a count: unknown."""
    measured = Measured(10.0, 100.0, 100.0, 0.02, (), in_service=1.9)
    closed, opened = Plan(0, 10.0, 4, None, ""), Plan(0, 10.0, 4, 100.0, "")
    assert Step(opened, measured).little_error == pytest.approx(0.1 / 1.9)
    assert Step(opened, replace(measured, in_service=None)).little_error is None
    assert Step(closed, replace(measured, in_service=None)).little_error == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("values", "held", "failed", "undecided", "settled"),
    [
        ((0.05,), True, False, False, False),  # ample
        ((0.095,), True, False, True, False),  # narrow: once more
        ((0.095, 0.095), True, False, False, False),
        ((0.05, 0.05, 0.05), True, False, False, True),
        ((0.2,), False, False, True, False),  # alone: once more
        ((0.2, 0.2), False, True, False, False),
        ((0.2, 0.05), None, False, True, False),  # a draw
        ((0.2, 0.05, 0.2), False, True, False, False),  # not alike, and not close
        ((0.11, 0.095, 0.11), False, True, False, True),  # not alike, but close
        ((0.2, 0.05, 0.2, 0.05, 0.2), False, True, False, True),
        ((None,), None, False, True, False),
        ((None, None), None, False, False, True),
    ],
)
def test_what_several_steps_at_one_rate_say(
    values: tuple[float | None, ...], held: bool | None, failed: bool, undecided: bool, settled: bool
) -> None:
    """Most of the usable steps decide; a lone failure, a narrow pass and a draw ask for another step."""
    rate = tried(50, *values)
    assert (rate.held, rate.failed, rate.undecided, rate.is_settled) == (held, failed, undecided, settled)


def test_margins_worked_by_hand() -> None:
    """40 ms of 50 ms: 0.25; 100 ms: -0.5; 0.2 % invalid of 1 %: 4, cut to 3; one where none may be: -1."""
    times, share, every = parse_limit("p99<50ms"), parse_limit("valid>99%"), parse_limit("valid>=100%")
    found = [margin_of(times, 0.04), margin_of(times, 0.1), margin_of(share, 0.998), margin_of(share, 0.98)]
    assert found == pytest.approx([0.25, -0.5, 3.0, -0.5])
    assert (margin_of(every, 1.0), margin_of(every, 0.999), margin_of(times, 0.0)) == (3.0, -1.0, 3.0)
