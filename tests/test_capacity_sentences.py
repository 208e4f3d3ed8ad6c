"""What a search found, in sentences."""

from __future__ import annotations

import numpy as np
import pytest

from scorebench.capacity.found import Capacity, Ended
from scorebench.capacity.sentences import as_budget, sentences, too_short
from scorebench.capacity.trial import Measured, Plan, Reading, Step, Tried
from scorebench.figures.percentiles import Sample
from tests.measuring import P99, tried


def capacity_of(held: Tried | None, failed: Tried | None, **other: object) -> Capacity:
    known: dict[str, object] = {
        "limits": (P99,), "ended": Ended.FOUND, "held": held, "sure": held, "failed": failed, "wall": None,
        "knee": None, "plateau_per_s": None, "floors": (), "steps": (), "budget_s": 600.0,
    }  # fmt: skip
    return Capacity(**{**known, **other})  # type: ignore[arg-type]


def test_the_sentences_of_a_search_that_found_its_edge() -> None:
    """What held, with its bound; what failed, and what broke; the knee; the plan for a target."""
    sample = Sample(np.linspace(0.001, 0.042, 5000), np.ones(5000, dtype=np.int64))
    plan = Plan(0, 60.0, 2, None, "")
    knee = Step(plan, Measured(60.0, 95.0, 95.0, 0.02, (), in_service=1.95))
    held = Tried(
        96, (Step(Plan(1, 60.0, 9, 96.0, ""), Measured(60, 96, 96, 0.02, (Reading(P99, 0.041, sample),))),)
    )
    lines = sentences(
        capacity_of(held, tried(104, 0.15, 0.16), knee=knee), target_per_s=500, server_workers=2
    )
    assert lines == [
        "holds 96/s with p99 41 ms (99 % sure: at most 41.7 ms)",
        "fails at 104/s, where p99 broke (155 ms)",
        "at the knee 1.9 calls were in service (Little's law agrees within 3 %)",
        "for 500/s with these figures plan for 11 workers",  # 2 · 500 / 96 = 10.4
    ]


def test_a_search_that_offered_no_rate_says_that_none_was_tried() -> None:
    """Nor that one did not hold which is not known to: that would be said of the server."""
    ladder = Step(Plan(0, 60.0, 2, None, ""), Measured(60.0, 95.0, 95.0, 0.02, ()))
    offered = Step(Plan(1, 60.0, 9, 96.0, ""), Measured(60.0, 96.0, 96.0, 0.02, ()))
    for steps, said in (
        ((ladder,), "no rate was tried"),
        ((ladder, offered), "no rate was shown to hold, and none to fail"),
    ):
        capacity = capacity_of(None, None, ended=Ended.BUDGET, steps=steps)
        assert sentences(capacity)[0] == said


def test_a_ladder_of_one_step_has_no_knee() -> None:
    """It is said, and the step is no knee; two steps without a knee need no word."""
    rungs = tuple(Step(Plan(n, 5.0, n, None, ""), Measured(5.0, 95.0, 95.0, 0.02, ())) for n in (1, 2))
    said = "calls were measured with one number of users only, so no knee is known"
    assert said in sentences(capacity_of(tried(96, 0.05), None, steps=rungs[:1]))
    assert said not in sentences(capacity_of(tried(96, 0.05), None, steps=rungs))


def test_a_search_whose_rates_were_not_measured_says_nothing_of_the_server() -> None:
    """The only rate's generator was late: the server may hold it."""
    late = Step(Plan(1, 60.0, 9, 96.0, ""), Measured(60.0, 96.0, 96.0, 0.02, (), invalid="late"))
    capacity = capacity_of(None, None, ended=Ended.BUDGET, steps=(late,))
    assert sentences(capacity)[0] == "no rate could be measured"


@pytest.mark.parametrize("ended", [Ended.BUDGET, Ended.STOPPED, Ended.NOT_VALID, Ended.SERVER_ENDED])
def test_a_plan_from_a_search_without_an_edge_says_so(ended: Ended) -> None:
    """Workers are counted from the rate that held, which may be far from what the server holds."""
    (plan,) = sentences(capacity_of(tried(96, 0.05), None, ended=ended), target_per_s=500)[-1:]
    assert plan == (
        "for 500/s with these figures plan for 6 servers (the edge was not found: it may be fewer or more)"
    )


def test_a_rate_that_is_not_sure_is_said_not_to_be() -> None:
    """Without a bound, or with one beyond the limit, the surer rate is named, or that there is none."""
    held, lower = tried(96, 0.09, 0.09), tried(90, 0.05)
    assert "90/s is 99 % sure to hold" in sentences(capacity_of(held, None, sure=lower))
    unsure = sentences(capacity_of(held, None, sure=None))
    assert "no rate is 99 % sure to hold: give --budget more to measure longer" in unsure


@pytest.mark.parametrize(
    ("seconds", "written"), [(61.0, "70s"), (120.0, "120s"), (121.0, "3m"), (360.0, "6m")]
)
def test_a_budget_is_written_as_the_option_takes_it(seconds: float, written: str) -> None:
    """Rounded up."""
    assert as_budget(seconds) == written


def test_a_budget_that_is_too_short_is_one_sentence() -> None:
    assert too_short(60.0, 350.0) == (
        "the budget of 1 min is too short to find the edge here; --budget 6m would do. The search goes on, "
        "and says what it can"
    )
