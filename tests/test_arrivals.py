"""Due times: rates, shapes, seeds, shares over workers, traces."""

from __future__ import annotations

import math
from itertools import islice, pairwise, takewhile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorebench.load.arrivals import Arrivals, parse

SEEDS = (0, 1, 2, 3, 7, 42, 1234, 99_991, 2**32, 2**63)
SHAPES = ("ramp:10-500", "ramp:500-10", "steps:10,20,40", "spike:50-500@10s+5s")
EVERY = ("constant", "poisson", *SHAPES, *(f"poisson+{shape}" for shape in SHAPES))


def due(arrivals: Arrivals, count: int = 10**7) -> list[float]:
    return list(islice(arrivals.due_times(), count))


def rate_for(spec: str) -> float | None:
    return 100.0 if spec in ("constant", "poisson") else None


def test_constant_calls_are_due_at_k_over_the_rate() -> None:
    """No rounding builds up: the 10,000th of 3 a second is at 10,000/3, to the last bit."""
    schedule = due(parse("constant", 3, None, 1), 10_001)
    assert schedule[:3] == [0.0, 1 / 3, 2 / 3]
    assert schedule[10_000] == 10_000 / 3


def test_a_ramp_is_the_inverse_worked_by_hand() -> None:
    """From 10 to 30 a second in 10 s: calls(t) = 10t + t², so the k-th is due at √(25 + k) - 5."""
    schedule = due(parse("ramp:10-30", None, 10, 1))
    # k = 11: √36 - 5 = 1; k = 24: √49 - 5 = 2; k = 171: √196 - 5 = 9. In all 10·10 + 10² = 200.
    assert [schedule[k] for k in (0, 11, 24, 171)] == pytest.approx([0, 1, 2, 9])
    assert len(schedule) == 200


def test_a_ramp_down_is_the_inverse_worked_by_hand() -> None:
    """From 30 to 10 a second in 10 s: calls(t) = 30t - t², so the k-th is due at 15 - √(225 - k)."""
    schedule = due(parse("ramp:30-10", None, 10, 1))
    # k = 29: 15 - √196 = 1; k = 125: 15 - √100 = 5; k = 189: 15 - √36 = 9.
    assert [schedule[k] for k in (29, 125, 189)] == pytest.approx([1, 5, 9])


def test_a_ramp_with_its_own_length_stays_at_its_end() -> None:
    """ramp:10-30@10s in a run of 20 s: 200 calls, then 30 a second for 10 s."""
    arrivals = parse("ramp:10-30@10s", None, 20, 1)
    assert len(due(arrivals)) == 500
    assert [arrivals.rate_at(at) for at in (0, 5, 10, 19)] == [10, 20, 30, 30]


def test_steps_share_the_run_or_take_their_length() -> None:
    """Each step sends its rate times its length; the last lasts until the end."""
    shared = due(parse("steps:10,20,40", None, 30, 1))
    assert [sum(lo <= t < lo + 10 for t in shared) for lo in (0, 10, 20)] == [100, 200, 400]
    given_length = due(parse("steps:10,20@5s", None, 30, 1))
    assert [sum(lo <= t < hi for t in given_length) for lo, hi in ((0, 5), (5, 30))] == [50, 500]


def test_a_spike_rises_where_it_was_asked_to() -> None:
    """50 a second, and 500 from second 10 for 5 s."""
    schedule = due(parse("spike:50-500@10s+5s", None, 20, 1))
    assert [sum(lo <= t < hi for t in schedule) for lo, hi in ((0, 10), (10, 15), (15, 20))] == [
        500,
        2500,
        250,
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_poisson_gaps_are_exponential(seed: int) -> None:
    """20,000 gaps pass a Kolmogorov-Smirnov test against the exponential at every seed of the list.

    Ten right schedules would in one list of a hundred fall below 0.001; this list is fixed, and passes.
    """
    from scipy.stats import kstest

    schedule = [0.0, *due(parse("poisson", 200, None, seed), 20_000)]
    gaps = [after - before for before, after in pairwise(schedule)]
    assert kstest(gaps, "expon", args=(0, 1 / 200)).pvalue > 0.001


def test_the_same_test_finds_gaps_that_are_not_exponential() -> None:
    """The Kolmogorov-Smirnov test above goes red on even arrivals and on a rate 5 % off."""
    from scipy.stats import kstest

    for wrong in (parse("constant", 200, None, 1), parse("poisson", 210, None, 1)):
        schedule = [0.0, *due(wrong, 20_000)]
        gaps = [after - before for before, after in pairwise(schedule)]
        assert kstest(gaps, "expon", args=(0, 1 / 200)).pvalue < 0.001


@pytest.mark.parametrize("seed", SEEDS)
def test_poisson_counts_in_windows_vary_as_poisson_counts_do(seed: int) -> None:
    """100 windows of 1 s at 100/s: mean and variance of the counts are both 100.

    Bounds of four standard errors: 100 ± 4·√(100/100) = ± 4, variance 100 ± 4·100·√(2/99) = ± 57.
    """
    schedule = due(parse("poisson", 100, 100, seed))
    counts = [0] * 100
    for at in schedule:
        counts[int(at)] += 1
    mean = sum(counts) / 100
    variance = sum((count - mean) ** 2 for count in counts) / 99
    assert abs(mean - 100) < 4
    assert abs(variance - 100) < 57


def test_a_random_ramp_keeps_to_its_ramp() -> None:
    """poisson+ramp:100-300 over 100 s: 20,000 calls in the mean, 7,500 of them in the first half.

    Bounds of four standard deviations: ± 4·√20,000 = ± 566, ± 4·√7,500 = ± 346.
    """
    schedule = due(parse("poisson+ramp:100-300", None, 100, 5))
    assert abs(len(schedule) - 20_000) < 566
    assert abs(sum(t < 50 for t in schedule) - 7_500) < 346  # 100·50 + 2·50²/2 = 7,500


@pytest.mark.parametrize("spec", EVERY)
def test_the_same_seed_gives_the_same_schedule_and_another_does_not(spec: str) -> None:
    """A schedule can be read twice and made again; another seed changes the random ones only."""
    first = parse(spec, rate_for(spec), 20, 5)
    assert due(first) == due(first) == due(parse(spec, rate_for(spec), 20, 5))
    assert (due(parse(spec, rate_for(spec), 20, 6)) != due(first)) == spec.startswith("poisson")


def test_a_seed_means_the_same_schedule_in_every_release() -> None:
    """Due times of seed 1 at 1/s: worked from the raw bits of PCG64, and as in the first release.

    u = (bits >> 11) / 2⁵³, gap = -ln(1 - u); numpy keeps a bit generator's stream over its versions.
    """
    import numpy as np

    raw = [int(bits) for bits in np.random.PCG64(1).random_raw(3)]
    gaps = [-math.log(1 - (bits >> 11) / 2**53) for bits in raw]
    assert due(parse("poisson", 1, None, 1), 3) == pytest.approx([sum(gaps[:n]) for n in (1, 2, 3)])
    assert due(parse("poisson", 1, None, 1), 3) == pytest.approx([0.7170744, 3.7221239, 3.8777953])


@pytest.mark.parametrize("spec", ["constant", *SHAPES])
@pytest.mark.parametrize("run_time_s", [20.0, 20.013, 33.3])
def test_even_arrivals_know_their_number(spec: str, run_time_s: float) -> None:
    """expected_calls is the very number of due times before the end."""
    arrivals = parse(spec, rate_for(spec), run_time_s, 1)
    assert arrivals.expected_calls(run_time_s) == len(due(arrivals))


def test_random_arrivals_expect_the_integral_of_their_rate() -> None:
    """poisson+ramp:10-30 over 10 s expects 200 calls."""
    arrivals = parse("poisson+ramp:10-30", None, 10, 1)
    assert arrivals.expected_calls(10) == pytest.approx(200)


def test_no_rate_is_offered_outside_the_run() -> None:
    """rate_at is the rate that is offered, from the first second to the last."""
    arrivals = parse("spike:50-500@10s+5s", None, 20, 1)
    assert [arrivals.rate_at(at) for at in (-1, 0, 9.9, 10, 14.9, 15, 20)] == [0, 50, 50, 500, 500, 50, 0]


rates = st.floats(0.5, 2000)


@settings(max_examples=60, deadline=None)
@given(
    first=rates,
    last=rates,
    run_time_s=st.floats(0.1, 5),
    random=st.booleans(),
    seed=st.integers(0, 2**32),
    kind=st.sampled_from(["ramp:{}-{}", "steps:{},{}", "spike:{}-{}@0.05s+30ms"]),
)
def test_due_times_ascend_and_stay_within_the_run(
    *, first: float, last: float, run_time_s: float, random: bool, seed: int, kind: str
) -> None:
    """Whatever the shape: ascending, none before 0, none at or after the end."""
    spec = "poisson+" * random + kind.format(f"{first:f}", f"{last:f}")
    schedule = due(parse(spec, None, run_time_s, seed))
    assert schedule == sorted(schedule)
    assert all(0 <= at < run_time_s for at in schedule)


def test_without_a_run_time_there_is_no_end() -> None:
    """Constant arrivals go on: 100,000 tickets can be taken, and more would come."""
    assert len(due(parse("constant", 1000, None, 1), 100_000)) == 100_000


def test_a_rate_beside_a_shape_is_said_to_be_unused() -> None:
    """`--rate 100 --arrivals ramp:10-500` runs the ramp, and the note tells."""
    arrivals = parse("ramp:10-500", 100, 120, 1)
    assert arrivals.note == "--rate 100/s is not used: --arrivals ramp:10-500 names its own rates."
    assert arrivals.rate_at(0) == 10
    assert parse("poisson", 100, 120, 1).note is None


def test_no_spec_means_constant() -> None:
    """Without --arrivals the calls come evenly."""
    assert due(parse(None, 2, None, 1), 3) == due(parse("", 2, None, 1), 3) == [0, 0.5, 1]


def test_the_ticket_at_hand_is_always_the_next(tmp_path: Path) -> None:
    """Reading a schedule by and by gives what reading it at once gives."""
    arrivals = parse("poisson", 1000, 5, 4)
    early = list(takewhile(lambda at: at < 2.5, arrivals.due_times()))
    assert early == [at for at in due(arrivals) if at < 2.5]
