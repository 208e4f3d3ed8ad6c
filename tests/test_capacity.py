"""The search for capacity, against simulated servers whose capacity theory knows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import pytest

from scorebench.capacity.found import Ended, Stopped
from scorebench.capacity.history import History
from scorebench.capacity.search import MOST_OPEN_USERS, Measure, search
from scorebench.capacity.sentences import as_budget, sentences
from scorebench.capacity.trial import Measured, Plan, Reading, Step
from scorebench.commands.capacity import exit_code
from scorebench.verdicts.limits import Limit, parse_limit
from tests.measuring import P99, SimulatedServer, cliff, with_accidents
from tests.queues import (
    Queue,
    constant,
    crossing,
    exponential,
    md1_within,
    mm1_capacity,
    mm1_percentile,
    mmk_within,
)


def found_rates(queue: Queue, limit: Limit, seeds: int = 12) -> list[float]:
    rates = []
    for seed in range(seeds):
        capacity = search(SimulatedServer(queue, [limit], seed), [limit])
        assert capacity.spent_s <= capacity.budget_s
        assert capacity.held is not None
        rates.append(capacity.held.rate_per_s)
    return rates


@pytest.mark.parametrize(
    ("queue", "limit", "truth"),
    [
        # M/M/1: λ = μ - ln(100)/limit. 100 - 46.05 = 53.9; 100 - 15.35 = 84.6; 1000 - 92.1 = 907.9.
        (Queue(exponential(100)), "p99<100ms", mm1_capacity(100, 0.99, 0.1)),
        (Queue(exponential(100)), "p99<300ms", mm1_capacity(100, 0.99, 0.3)),
        (Queue(exponential(1000)), "p99<50ms", mm1_capacity(1000, 0.99, 0.05)),
        # Mean of M/M/1: 1/(μ - λ) = 50 ms at 80/s.
        (Queue(exponential(100)), "mean<50ms", 80.0),
        # M/D/1 by Erlang's sum, M/M/4 by Erlang C.
        (Queue(constant(100)), "p99<40ms", crossing(lambda r: md1_within(r, 100, 0.04), 0.99, 99)),
        (Queue(exponential(50), 4), "p99<150ms", crossing(lambda r: mmk_within(r, 50, 4, 0.15), 0.99, 199)),
    ],
    ids=["M/M/1 half", "M/M/1 high", "M/M/1 fast", "M/M/1 mean", "M/D/1", "M/M/4"],
)
def test_the_rate_found_is_that_of_theory(queue: Queue, limit: str, truth: float) -> None:
    """In 12 searches of ten minutes: each within 15 % of the rate theory gives, the median within 4 %."""
    rates = found_rates(queue, parse_limit(limit))
    assert all(abs(rate / truth - 1) < 0.15 for rate in rates)
    assert median(rates) == pytest.approx(truth, rel=0.04)


@pytest.mark.parametrize("edge", [37.0, 150.0, 3000.0])
def test_a_cliff_is_found_within_the_precision(edge: float) -> None:
    """The rate that held is below the cliff by at most 6 %, the one that failed above it."""
    capacity = search(cliff(edge, [P99], 1), [P99])
    assert capacity.ended is Ended.FOUND
    assert capacity.held is not None
    assert capacity.failed is not None
    assert edge / 1.06 <= capacity.held.rate_per_s <= edge < capacity.failed.rate_per_s <= edge * 1.06


def test_accidents_do_not_move_the_edge() -> None:
    """One step in ten spoilt by a pause of a second: 18 of 20 searches stay within 10 % of the truth."""
    limit = parse_limit("p99<300ms")
    truth = mm1_capacity(100, 0.99, 0.3)
    near = at_cliff = 0
    for seed in range(20):
        server = SimulatedServer(Queue(exponential(100)), [limit], seed)
        capacity = search(with_accidents(server, 0.1, seed), [limit])
        near += capacity.held is not None and abs(capacity.held.rate_per_s / truth - 1) < 0.1
        capacity = search(cliff(150, [limit], seed, accidents=0.1), [limit])
        at_cliff += capacity.held is not None and 135 < capacity.held.rate_per_s <= 150
    assert near >= 18
    assert at_cliff >= 18


def test_a_lone_failure_is_measured_again_before_it_is_believed() -> None:
    """The first open step fails by accident: the same rate is next, and the search goes past it."""
    plans: list[Plan] = []
    honest = cliff(150, [P99], 1)

    def measure(plan: Plan) -> Measured:
        plans.append(plan)
        measured = honest(plan)
        first_open = sum(p.rate_per_s is not None for p in plans) == 1 and plan.rate_per_s is not None
        return replace(measured, readings=(Reading(P99, 9.0),)) if first_open else measured

    capacity = search(measure, [P99])
    rates = [plan.rate_per_s for plan in plans if plan.rate_per_s is not None]
    assert rates[0] == rates[1]
    assert capacity.held is not None
    assert capacity.held.rate_per_s > 140


@pytest.mark.parametrize("budget_s", [20.0, 60.0, 180.0, 600.0])
def test_the_budget_is_kept(budget_s: float) -> None:
    """Whatever is found, all steps with their warm-ups take no longer than the budget."""
    for seed in range(5):
        capacity = search(SimulatedServer(Queue(exponential(100)), [P99], seed), [P99], budget_s=budget_s)
        assert capacity.spent_s <= budget_s


def test_a_budget_that_is_too_short_ends_the_search_and_says_so() -> None:
    """In 30 s there is no time for 662 calls twice at 60/s: nothing is claimed."""
    capacity = search(SimulatedServer(Queue(exponential(100)), [P99], 1), [P99], budget_s=30)
    assert (capacity.ended, capacity.held, capacity.failed) == (Ended.BUDGET, None, None)
    assert sentences(capacity)[0] == "no rate was shown to hold, and none to fail"
    assert any("the budget of 30 s ended the search early" in line for line in sentences(capacity))


def test_a_budget_that_cannot_suffice_is_told_before_it_is_spent() -> None:
    """A p99 takes 1.2 · 662 calls in each of 13 steps: at 100/s 8 s each, 103 s in all, and the ladder's.

    Told once, when only the ladder is measured; with that budget the search finds its edge, and says nothing.
    """
    told: list[tuple[float, int]] = []
    server = SimulatedServer(Queue(exponential(100)), [P99], 1)
    found = search(
        server, [P99], budget_s=50, too_short=lambda needed_s: told.append((needed_s, len(server.plans)))
    )
    ((needed_s, steps),) = told
    assert steps == sum(step.plan.rate_per_s is None for step in found.steps)
    assert needed_s == found.needed_s
    assert needed_s > 103
    assert any(f"give --budget {as_budget(needed_s)} or more" in line for line in sentences(found))
    again = search(
        SimulatedServer(Queue(exponential(100)), [P99], 1),
        [P99],
        budget_s=2 * needed_s,
        too_short=lambda _needed_s: pytest.fail("told of a budget that suffices"),
    )
    assert again.ended is Ended.FOUND


def test_steps_are_long_enough_for_the_limits_percentile() -> None:
    """Each open step of a p99 limit is planned for 662 calls and a fifth more."""
    server = SimulatedServer(Queue(exponential(20)), [parse_limit("p99<1s")], 1)
    search(server, server.limits)
    open_plans = [plan for plan in server.plans if plan.rate_per_s is not None]
    assert open_plans
    assert all(plan.rate_per_s * plan.duration_s > 662 * 1.19 for plan in open_plans if plan.rate_per_s)


def test_a_loose_limit_asks_for_no_army_of_users() -> None:
    """By Little's law p99<60s at 80/s would be 4 x 80 x 60 = 19,200 users, which none starts in time."""
    limit = parse_limit("p99<60s")
    capacity = search(SimulatedServer(Queue(exponential(100)), [limit], 1), [limit])
    assert max(step.plan.users for step in capacity.steps) == MOST_OPEN_USERS


def test_when_no_limit_breaks_the_plateau_is_noticed() -> None:
    """A limit of 1,000 s never breaks: throughput levels off at the server's 100/s, and the search ends."""
    limit = parse_limit("p99<1000s")
    capacity = search(SimulatedServer(Queue(constant(100)), [limit], 1), [limit])
    assert capacity.ended is Ended.NOTHING_BROKE
    assert capacity.held is not None
    assert 90 <= capacity.held.rate_per_s <= 106
    assert capacity.plateau_per_s == pytest.approx(100, rel=0.02)
    assert "no limit broke: throughput levelled off at 100/s" in sentences(capacity)


def test_without_limits_the_plateau_is_the_answer() -> None:
    """No limit at all: still the highest rate that throughput follows."""
    capacity = search(SimulatedServer(Queue(constant(100)), [], 1), [])
    assert capacity.ended is Ended.NOTHING_BROKE
    assert capacity.held is not None
    assert 90 <= capacity.held.rate_per_s <= 106


def test_a_server_that_sheds_load_does_not_hold_it() -> None:
    """Beyond 100/s the rest is refused at once and times stay fine: valid answers don't follow, it fails."""

    def measure(plan: Plan) -> Measured:
        offered = plan.rate_per_s or plan.users / 0.01
        valid = min(offered, 100.0)
        return Measured(plan.duration_s, offered, valid, 0.01 * offered / valid, (Reading(P99, 0.02),))

    capacity = search(measure, [P99])
    assert capacity.ended is Ended.NOTHING_BROKE
    assert capacity.held is not None
    assert capacity.held.rate_per_s <= 100 / 0.97


def test_a_limit_on_valid_says_how_much_may_be_refused() -> None:
    """5 % of all calls fail: with valid>90% that is held, with valid>99% nothing is."""

    def measuring(limit: Limit) -> Measure:
        def measure(plan: Plan) -> Measured:
            offered = plan.rate_per_s or min(plan.users / 0.01, 100.0)
            answered = min(offered, 100.0)
            reading = Reading(limit, 0.95 * answered / offered)
            return Measured(plan.duration_s, offered, 0.95 * answered, 0.01 * plan.users, (reading,))

        return measure

    lenient, strict = parse_limit("valid>90%"), parse_limit("valid>99%")
    held = search(measuring(lenient), [lenient]).held
    assert held is not None
    assert 95 < held.rate_per_s <= 106  # 95 % of 100 answered: 90 % of what is asked at 105.6/s
    capacity = search(measuring(strict), [strict])
    assert (capacity.ended, capacity.held) == (Ended.NOTHING_HELD, None)
    assert capacity.failed is not None
    assert capacity.failed.broke[0] == "valid"


def test_when_even_the_lowest_rate_fails_it_is_said() -> None:
    """p99 of the service alone is 46 ms: no rate keeps 20 ms, and going on would be of no use."""
    limit = parse_limit("p99<20ms")
    capacity = search(SimulatedServer(Queue(exponential(100)), [limit], 1), [limit])
    assert (capacity.ended, capacity.held) == (Ended.NOTHING_HELD, None)
    lines = sentences(capacity)
    assert lines[0] == "even the lowest rate tried does not hold"
    assert lines[1].startswith("fails at ")
    assert "where p99 broke (" in lines[1]
    assert not any("plan for" in line for line in sentences(capacity, target_per_s=500))


def test_a_server_that_does_not_answer_ends_the_search_at_once() -> None:
    """No valid answer to a single user: one step, and no rate."""

    def measure(plan: Plan) -> Measured:
        return Measured(plan.duration_s, 10.0, 0.0, None, (Reading(P99, None),))

    capacity = search(measure, [P99])
    assert (capacity.ended, len(capacity.steps)) == (Ended.NO_ANSWER, 1)
    assert sentences(capacity) == ["no call got a valid answer, so there is nothing to search"]


def test_what_was_not_valid_is_never_recommended() -> None:
    """A generator too slow beyond 80/s: the highest rate that held is below, and the wall is named."""
    honest = cliff(150, [P99], 1)

    def measure(plan: Plan) -> Measured:
        measured = honest(plan)
        late = plan.rate_per_s is not None and plan.rate_per_s > 80
        return replace(measured, invalid="the generator sent 3 ms late") if late else measured

    capacity = search(measure, [P99])
    assert capacity.ended is Ended.NOT_VALID
    assert capacity.held is not None
    assert 80 / 1.06 <= capacity.held.rate_per_s <= 80
    assert capacity.failed is None
    assert capacity.wall is not None
    wall = f"at {capacity.wall.rate_per_s:.3g}/s the measurement itself is not valid: "
    assert wall + "the generator sent 3 ms late" in sentences(capacity)


def test_when_nothing_can_be_measured_nothing_is_claimed() -> None:
    """Each open step is not valid: no rate held, none failed."""
    honest = cliff(150, [P99], 1)

    def measure(plan: Plan) -> Measured:
        return replace(honest(plan), invalid=None if plan.rate_per_s is None else "shared cores")

    capacity = search(measure, [P99])
    assert (capacity.ended, capacity.held, capacity.failed) == (Ended.NOT_VALID, None, None)
    assert sentences(capacity)[0] == "no rate could be measured"


def test_one_step_has_no_knee() -> None:
    """A search that ended on its first rung: more users might bring more."""
    rung = Step(Plan(0, 2.0, 1, None, ""), Measured(2.0, 188.0, 188.0, 0.005, (), in_service=1.0))
    history = History([rung])
    assert history.rungs == [rung]
    assert history.knee is None


def test_the_knee_and_littles_law_of_queues() -> None:
    """The knee of one server is at one call in service, of four servers at four; Little's law within 5 %."""
    for servers in (1, 4):
        capacity = search(SimulatedServer(Queue(constant(100), servers), [P99], 1), [P99])
        knee = capacity.knee
        assert knee is not None
        assert knee.plan.users == servers
        assert knee.calls_in_service == pytest.approx(servers, rel=0.05)
        closed = [step for step in capacity.steps if step.plan.rate_per_s is None]
        assert all(step.little_error is not None and step.little_error < 0.05 for step in closed)
        assert f"at the knee {servers}.0 calls were in service (Little's law agrees within 1 %)" in sentences(
            capacity
        )


@pytest.mark.parametrize(
    ("ladder", "users"),
    [
        ([(100, 0.010)], None),  # one step: nothing to compare it with
        ([(100, 0.010), (190, 0.011)], None),  # power 10,000 and 17,273: it may rise further
        ([(100, 0.010), (190, 0.011), (195, 0.022)], 2),  # 10,000, 17,273 and 8,864
    ],
)
def test_a_knee_needs_a_step_beyond_it(ladder: list[tuple[float, float]], users: int | None) -> None:
    """Power is throughput over service time; where it was highest at the most users, no knee is known."""
    rungs = [
        Step(Plan(n, 5.0, 2**n, None, "ladder"), Measured(5.0, rate, rate, service_s, ()))
        for n, (rate, service_s) in enumerate(ladder)
    ]
    knee = History(rungs).knee
    assert (knee.plan.users if knee else None) == users


def test_figures_that_break_littles_law_are_called_out() -> None:
    """A throughput twice what the users can make at that service time is not believed in silence."""
    honest = cliff(150, [P99], 1)

    def measure(plan: Plan) -> Measured:
        measured = honest(plan)
        return replace(measured, mean_service_s=(measured.mean_service_s or 0) * 2)

    lines = sentences(search(measure, [P99]))
    assert any(
        line.endswith("Little's law is off by 100 %: the figures of that step don't add up") for line in lines
    )


def test_the_bound_that_is_printed_holds() -> None:
    """In 30 searches at M/M/1 the "99 % sure: at most" is below the true p99 of that rate at most twice."""
    wrong = 0
    for seed in range(30):
        capacity = search(SimulatedServer(Queue(exponential(100)), [P99], seed), [P99])
        assert capacity.held is not None
        upper = capacity.held.upper(P99)
        wrong += upper is not None and upper < mm1_percentile(capacity.held.rate_per_s, 100, 0.99)
    assert wrong <= 2


def test_limits_on_throughput_are_judged_where_the_search_ended() -> None:
    """throughput>100/s is no edge to search for: it is missed at the highest rate that holds, and said so."""
    limits = [P99, parse_limit("throughput>100/s")]
    capacity = search(SimulatedServer(Queue(exponential(100)), limits, 1), limits)
    assert capacity.held is not None
    assert [floor.met for floor in capacity.floors] == [False]
    assert any(line.startswith("throughput>100/s is not reached") for line in sentences(capacity))


def test_a_measurement_without_a_reading_for_each_limit_is_our_mistake() -> None:
    """Silence about a limit would pass for keeping it."""
    with pytest.raises(ValueError, match="expected a reading for each limit"):
        search(cliff(100, [], 1), [P99])


@pytest.mark.parametrize(
    "make", [lambda: cliff(150, [P99], 1), lambda: SimulatedServer(Queue(exponential(100)), [P99], 1)]
)
def test_the_same_measurements_give_the_same_search(make: Callable[[], Measure]) -> None:
    """The search itself draws nothing at random and asks no clock."""
    first, second = search(make(), [P99]), search(make(), [P99])
    assert [step.plan for step in first.steps] == [step.plan for step in second.steps]
    assert math.isclose(first.spent_s, second.spent_s)


def test_a_server_that_ends_is_no_capacity() -> None:
    """Whatever was measured until then is kept; why the search ended is told apart from Ctrl-C."""
    taken: list[Plan] = []

    def measure(plan: Plan) -> Measured:
        taken.append(plan)
        if len(taken) > 2:
            raise Stopped(Ended.SERVER_ENDED)
        return Measured(5.0, 100.0, 100.0, 0.01, (Reading(P99, 0.02),))

    found = search(measure, [P99])
    assert (found.ended, len(found.steps)) == (Ended.SERVER_ENDED, 2)
    assert exit_code(found) == 4
    assert any("the server ended" in line for line in sentences(found))
