"""Limits, stop conditions and thresholds: what is read, what is refused, what is judged."""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.errors import InputError
from scorebench.figures.metric import Unit
from scorebench.figures.metrics import find
from scorebench.options.settings import from_namespace
from scorebench.verdicts import limits
from scorebench.verdicts.limits import (
    Limit,
    Watch,
    check,
    check_support,
    parse_limit,
    parse_stop_when,
    parse_threshold,
)


@pytest.mark.parametrize(
    ("text", "metric", "op", "bound"),
    [
        ("p99<50ms", "p99", "<", 0.05),
        (" p99.9 <= 1.5 s ", "p99.9", "<=", 1.5),
        ("mean<800us", "mean", "<", 0.0008),
        ("mean<800µs", "mean", "<", 0.0008),
        ("max<2s", "max", "<", 2.0),
        ("service_p95<.5ms", "service_p95", "<", 0.0005),
        ("lag_p99<1ms", "lag_p99", "<", 0.001),
        ("service_mean<5ms", "service_mean", "<", 0.005),
        ("valid>99.9%", "valid", ">", 0.999),
        ("valid>=100%", "valid", ">=", 1.0),
        ("throughput>1e3/s", "throughput", ">", 1000.0),
        ("rows >= 5000 /s", "rows", ">=", 5000.0),
    ],
)
def test_a_limit_is_read_in_si_units(text: str, metric: str, op: str, bound: float) -> None:
    """Each metric with each of its units, with and without spaces."""
    limit = parse_limit(text)
    assert (limit.metric, limit.op, limit.text) == (metric, op, text.strip())
    assert limit.bound == pytest.approx(bound, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "found no comparison; expected METRIC"),
        ("p99", "found no comparison"),
        ("p99 50ms", "found no comparison"),
        ("<50ms", "metric '' is not known. Known are throughput; rows; valid; .*p50, p90"),
        ("p9x<50ms", "metric 'p9x' is not known. Known are throughput; rows; valid; .*p50, p90"),
        ("latency<50ms", "metric 'latency' is not known"),
        ("service_valid>1%", "metric 'service_valid' is not known"),
        ("p0<50ms", "metric 'p0' is not a percentile"),
        (
            "p100<50ms",
            "'p100' is not a percentile; expected one such as p99; the highest value is max",
        ),
        ("p99==50ms", "comparison '==' is not known. Known are <, <=, >, >="),
        ("p99<<50ms", "comparison '<<' is not known"),
        ("p99>50ms", "comparison '>' looks the wrong way round. Write it as in p99<50ms"),
        ("valid<99%", "comparison '<' looks the wrong way round. Write it as in valid>99.9%"),
        ("throughput<100/s", "the wrong way round. Write it as in throughput>100/s"),
        ("p99<", "bound '' is not a number with a unit"),
        ("p99<fast", "bound 'fast' is not a number with a unit"),
        ("p99<nanms", "bound 'nanms' is not a number"),
        ("p99<1.2.3ms", "unit '.3ms' does not go with p99"),
        ("p99<50", "bound 50 has no unit. Known are us, µs, ms, s, as in 50ms"),
        ("p99<50%", "unit '%' does not go with p99"),
        ("valid>0.999", "bound 0.999 has no unit. Known are %, as in 99.9%"),
        ("throughput>100ms", "unit 'ms' does not go with throughput. Known are /s"),
        ("p99<50ms mean<3ms", "unit 'ms mean<3ms' does not go with p99"),
        ("p99<0ms", "bound '0ms' is infinite or not above zero"),
        ("p99<-5ms", "bound '-5ms' is infinite or not above zero"),
        ("p99<1e400ms", "bound '1e400ms' is infinite or not above zero"),
        ("valid>100%", "no share is above 100 %"),
        ("valid>=101%", "no share is above 100 %"),
    ],
)
def test_a_limit_that_does_not_parse_is_refused_with_the_part(text: str, said: str) -> None:
    """The message opens with the option as written, names the part, and lists what is known."""
    with pytest.raises(InputError, match=said) as caught:
        parse_limit(text)
    assert str(caught.value).startswith(f"--limit {text}".strip())


RATIO = Unit("", {"": 1.0}, str)


@pytest.mark.parametrize(
    ("parse", "text", "said"),
    [
        (parse_limit, "p99<50ms", "unit 'ms' does not go with p99. Write the number alone, as in 2.5."),
        (parse_limit, "p99<fast", "bound 'fast' is not a number with a unit, as in 2.5"),
        (parse_threshold, "p99 +1ms", "expected a sign, a number, and %, no unit, as in"),
    ],
)
def test_a_metric_without_a_unit(
    parse: Callable[[str], object], text: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a ratio the number stands alone, in a limit and in a change, and the message says so."""
    ratio = replace(find("p99"), unit=RATIO, example="2.5")
    monkeypatch.setattr(limits, "find", lambda _: ratio)
    assert parse_limit("p99<2.5").bound == 2.5
    assert parse_threshold("p99 +0.5").absolute == 0.5
    with pytest.raises(InputError, match=said):
        parse(text)


@given(st.text(max_size=20))
def test_any_text_is_a_limit_or_wrong_input(text: str) -> None:
    """No text makes anything else but a Limit or an InputError."""
    with suppress(InputError):
        assert parse_limit(text).bound > 0


@given(st.sampled_from(["<", "<=", ">", ">="]), st.floats(0.001, 1e6), st.floats(0, 1e6))
def test_a_limit_is_met_as_its_comparison_says(op: str, bound: float, value: float) -> None:
    """check agrees with Python's own comparison."""
    expected = {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}[op]
    assert check(Limit("p99" if op[0] == "<" else "rows", op, bound, "x"), value).met is expected


def test_the_verdict_says_the_figure_and_the_limit() -> None:
    """Value with its unit, and the limit as the user wrote it."""
    assert check(parse_limit("p99<50ms"), 0.0412).why == "p99 is 41.2 ms, within p99<50ms"
    assert check(parse_limit("p99<50ms"), 0.05).why == "p99 is 50 ms, beyond p99<50ms"
    assert check(parse_limit("valid>99.9%"), 0.99951).why == "valid is 99.95 %, within valid>99.9%"
    assert check(parse_limit("rows>5000/s"), 1240.0).why == "rows is 1,240/s, short of rows>5000/s"


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_was_not_measured_is_neither_met_nor_missed(value: float | None) -> None:
    """None, and what is not a number, leave the limit open and say what it would take."""
    checked = check(parse_limit("p99<50ms"), value)
    assert (checked.value, checked.met) == (None, None)
    assert checked.why == "p99 was not measured: it needs 662 calls"
    why = "throughput was not measured: it needs 10 calls, or 1 s"
    assert check(parse_limit("throughput>5/s"), value).why == why


@pytest.mark.parametrize(
    ("text", "needed"),
    [("p99<1s", 662), ("service_p99.9<1s", 6636), ("lag_p50<1ms", 11), ("mean<1s", None), ("valid>9%", None)],
)
def test_a_limit_knows_the_calls_it_needs(text: str, needed: int | None) -> None:
    """Percentiles need MLPerf's number of calls, other metrics have none."""
    assert parse_limit(text).of.needed == needed


def test_a_limit_the_run_cannot_support_is_refused_before_it() -> None:
    """1,200 calls can't support p99.9: it needs 6,636, which is 5.53 times as many."""
    with pytest.raises(
        InputError, match=r"p99\.9 needs 6,636 calls, the run sends about 1,200\. Run 5\.53 times"
    ):
        check_support(parse_limit("p99.9<50ms"), 1200)
    check_support(parse_limit("p99<50ms"), 1200)
    check_support(parse_limit("max<50ms"), 1)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"limit": ["p50<1s,lag_p99<5ms"]},
            "--limit lag_p99<5ms: without --rate or --arrivals no call is due",
        ),
        ({"stop_when": ["lag_max>1s for 5s"]}, "--stop-when lag_max>1s for 5s: without --rate or --arrivals"),
    ],
)
def test_lateness_takes_a_schedule(asked: dict[str, list[str]], said: str) -> None:
    """In a closed loop nothing is late: the limit would stay open and the condition never hold."""
    with pytest.raises(InputError) as refused:
        from_namespace(Namespace(**asked), "http://localhost:1")
    assert said in str(refused.value)
    assert from_namespace(Namespace(**asked, rate=100.0), "http://localhost:1").arrivals is not None


def test_a_stop_condition_is_the_opposite_of_a_limit() -> None:
    """p99>2s for 10s, and for what should be high, valid<90% for 1m."""
    stop = parse_stop_when("p99>2s for 10s")
    assert (stop.metric, stop.op, stop.bound, stop.for_s) == ("p99", ">", 2.0, 10.0)
    stop = parse_stop_when(" valid < 90% for 1m ")
    assert (stop.metric, stop.op, stop.for_s) == ("valid", "<", 60.0)
    assert stop.bound == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("p99>2s", r"for how long\? Write it as in 'p99>2s for 10s'"),
        ("p99>2s for", r"for how long\?"),
        ("p99>2s for ever", "duration: found 'ever'"),
        ("p99>2s for 0s", "duration: found '0s'"),
        ("p99<2s for 10s", "comparison '<' looks the wrong way round"),
        ("valid>90% for 10s", "comparison '>' looks the wrong way round"),
        ("speed>2s for 10s", "metric 'speed' is not known"),
    ],
)
def test_a_stop_condition_that_does_not_parse_is_refused_with_the_part(text: str, said: str) -> None:
    """Metric, comparison and duration are each named when they are wrong."""
    with pytest.raises(InputError, match=said) as caught:
        parse_stop_when(text)
    assert str(caught.value).startswith(f"--stop-when {text}")


def test_a_run_is_lost_only_after_the_whole_time() -> None:
    """3 s over, one good second, then over for 4 s: lost at the end of the second stretch, not before."""
    watch = Watch(parse_stop_when("p99>2s for 4s"))
    seen = [2.5, 3, 3, 1, 3, 3, 3, 3, 3]
    assert [watch.see(at, value) for at, value in enumerate(seen)] == [False] * 8 + [True]


def test_a_frozen_server_does_not_reset_the_watch() -> None:
    """Seconds without an answer have no figure: they neither start the time nor end it."""
    watch = Watch(parse_stop_when("p99>2s for 4s"))
    assert [watch.see(at, value) for at, value in enumerate([None, 3.0, None, None, None, None])] == [
        False
    ] * 5 + [True]


@pytest.mark.parametrize(
    ("text", "metric", "relative", "absolute"),
    [
        ("p99 +10% and +2ms", "p99", 0.1, 0.002),
        ("p99 +2ms and +10%", "p99", 0.1, 0.002),
        ("service_mean +5%", "service_mean", 0.05, None),
        ("max +1s", "max", None, 1.0),
        ("throughput -5%", "throughput", 0.05, None),
        ("rows -100/s and - 1.5 %", "rows", 0.015, 100.0),
        ("valid -0.5%", "valid", None, 0.005),
    ],
)
def test_a_threshold_is_read(text: str, metric: str, relative: float | None, absolute: float | None) -> None:
    """A relative part, an absolute part, or both; for valid the % are points."""
    threshold = parse_threshold(text)
    assert threshold.metric == metric
    assert threshold.relative == pytest.approx(relative)
    assert threshold.absolute == pytest.approx(absolute)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "metric '' is not known"),
        ("p99", "change '' is not known; expected a sign, a number, and %, us, µs, ms, s"),
        ("p99 10%", r"change '10%' is not known; expected .*, as in 'p99 \+10%'"),
        ("throughput 5%", "as in 'throughput -10%'"),
        ("p99>1%", r"expected a metric, a blank, and by how much it gets worse: 'p99 \+10%'"),
        ("p99<50ms", "expected a metric, a blank"),
        ("p99+10%", "expected a metric, a blank"),
        ("+10%", "expected a metric, a blank"),
        ("p99 +10", r"change '\+10' is not known"),
        ("p99 +0%", r"change '\+0%' is not known"),
        ("p99 +10% and", r"change '\+10% and' is not known"),
        ("p99 -10%", r"change '-10%' is for the better. Worse is \+10%"),
        ("throughput +5%", r"change '\+5%' is for the better. Worse is -5%"),
        ("p99 +10% and +20%", "found two relative parts"),
        ("speed +10%", "metric 'speed' is not known"),
    ],
)
def test_a_threshold_that_does_not_parse_is_refused_with_the_part(text: str, said: str) -> None:
    """Metric, sign and unit are each named when they are wrong."""
    with pytest.raises(InputError, match=said) as caught:
        parse_threshold(text)
    assert str(caught.value).startswith(f"--fail-if {text}".strip())


@pytest.mark.parametrize(
    ("text", "before", "after", "exceeded"),
    [
        ("p99 +10% and +2ms", 0.010, 0.0115, False),  # +15 %, but only 1.5 ms
        ("p99 +10% and +2ms", 0.100, 0.1050, False),  # 5 ms, but only +5 %
        ("p99 +10% and +2ms", 0.100, 0.1150, True),
        ("p99 +10% and +2ms", 0.100, 0.0500, False),  # better
        ("throughput -5%", 100, 94, True),
        ("throughput -5%", 100, 96, False),
        ("throughput -5%", 100, 120, False),
        ("valid -0.5%", 1.0, 0.99, True),
        ("valid -0.5%", 1.0, 0.996, False),
    ],
)
def test_a_threshold_is_exceeded_when_each_part_is(
    text: str, before: float, after: float, exceeded: bool
) -> None:
    """Worse by more than all that was given; better never exceeds."""
    assert parse_threshold(text).exceeded(before, after) is exceeded


def test_figures_are_said_with_their_unit() -> None:
    """Times, shares and rates."""
    said = [find(m).say(v) for m, v in (("p99", 0.0412), ("valid", 0.9994), ("throughput", 96.0))]
    assert said == ["41.2 ms", "99.94 %", "96/s"]
