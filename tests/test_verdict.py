"""The two verdicts and the exit code: never mixed, and in a stated order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.outcome import Outcome
from scorebench.answers.streams import Streamed
from scorebench.errors import InputError
from scorebench.figures.metric import Metric
from scorebench.figures.metrics import every
from scorebench.figures.summary import summarise
from scorebench.load.schedule import ALL_USERS_BUSY
from scorebench.load.warm_up import WarmUp
from scorebench.recordings.calls import Calls
from scorebench.recordings.recording import Recording
from scorebench.recordings.streams import streams_of
from scorebench.recordings.warm_up_gate import WarmUpGate
from scorebench.verdicts.finding import Finding, Severity
from scorebench.verdicts.limits import parse_limit
from scorebench.verdicts.verdict import ExitCode, Verdict, judge, limits_of
from tests.recordings import START_S, calls, evenly, recording


def judged(made: Recording, *limits: str) -> Verdict:
    return judge(summarise(made), made, [parse_limit(text) for text in limits])


def good(count: int = 1_000) -> Recording:
    """Answered in 10 ms each."""
    return recording(calls(evenly(count)), arrivals="constant")


def failing(failed: int, of: int = 1_000) -> Recording:
    """The first `failed` of `of` calls end in an error."""
    return recording(calls(evenly(of), outcome=[Outcome.MODEL_ERROR] * failed + [0] * (of - failed)))


def with_slow_generator(made: Recording) -> Recording:
    """Its CPU was at the limit throughout."""
    made.resources += [{"t_s": START_S + t, "who": "generator", "cpu": 1.0, "rss_bytes": 1} for t in range(9)]
    return made


def test_a_good_run_without_limits_is_valid_and_neither_met_nor_missed() -> None:
    """No limit, no verdict on limits: met is None and the exit code 0."""
    found = judged(good())
    assert (found.valid, found.met, found.exit_code) == (True, None, ExitCode.GOOD)


def test_limits_met_and_missed() -> None:
    """Service in 10 ms: below 20 ms is met, below 5 ms missed; one missed limit is enough for exit 3."""
    met, missed = judged(good(), "p99<20ms"), judged(good(), "p99<20ms", "mean<5ms")
    assert (met.valid, met.met, met.exit_code) == (True, True, ExitCode.GOOD)
    assert (missed.valid, missed.met, missed.exit_code) == (True, False, ExitCode.LIMIT_MISSED)
    assert [one.met for one in missed.checked] == [True, False]


def test_one_failed_call_is_beyond_what_is_allowed() -> None:
    """Without a limit on valid calls none may fail."""
    found = judged(failing(1))
    assert (found.failures, found.allowed_failures, found.exit_code) == (1, 0, ExitCode.CALLS_FAILED)
    assert found.valid


@pytest.mark.parametrize(
    ("limit", "allowed"),
    [("valid>99%", 9), ("valid>=99%", 10), ("valid>99.9%", 0), ("valid>=100%", 0), ("valid>0.01%", 999)],
)
def test_a_limit_on_valid_says_how_many_may_fail(limit: str, allowed: int) -> None:
    """Of 1,000: more than 99 % leaves 9, at least 99 % leaves 10, more than 99.9 % none."""
    assert judged(failing(1), limit).allowed_failures == allowed
    assert judged(failing(allowed), limit).exit_code is ExitCode.GOOD
    beyond = judged(failing(allowed + 1), limit)
    assert (beyond.met, beyond.exit_code) == (False, ExitCode.CALLS_FAILED)


def test_the_strictest_limit_on_valid_counts() -> None:
    """Of two, the one that allows less."""
    assert judged(failing(1), "valid>50%", "valid>99%").allowed_failures == 9


@given(st.integers(1, 500), st.floats(0.1, 99.9), st.sampled_from([">", ">="]))
def test_what_is_allowed_keeps_the_limit_and_one_more_breaks_it(of: int, percent: float, op: str) -> None:
    """For any share the allowed failures are the most that the limit bears."""
    limit = f"valid{op}{percent:.4f}%"
    allowed = judged(failing(0, of), limit).allowed_failures
    assert judged(failing(allowed, of), limit).met
    if allowed < of:
        assert not judged(failing(allowed + 1, of), limit).met


def test_what_is_cut_off_is_not_a_failure() -> None:
    """Its fate is not known: it makes a warning, not exit 1."""
    found = judged(recording(calls(evenly(500), outcome=[0] * 499 + [Outcome.CUT_OFF])))
    assert (found.failures, found.exit_code) == (0, ExitCode.GOOD)
    assert [finding.code for finding in found.findings] == ["cut_off"]


def closed(valid: int, service_s: float, cut_off: int, waited_s: float) -> Recording:
    """One user's calls one after the other; then some that had no answer when the run ended."""
    at = [k * service_s for k in range(valid)]
    made = recording(calls([(s, s, s + service_s) for s in at], waited=False))
    sent = valid * service_s
    made.add(calls([(sent, sent, sent + waited_s)] * cut_off, outcome=Outcome.CUT_OFF, waited=False))
    return made


def test_a_server_that_froze_fails() -> None:
    """One answer in 3 ms, then four calls that wait a minute in vain: they failed, and valid is 20 %."""
    found = judged(closed(1, 0.003, 4, 60.0), "valid>=100%")
    assert (found.failures, found.met, found.exit_code) == (4, False, ExitCode.CALLS_FAILED)
    assert found.checked[0].value == pytest.approx(0.2)
    assert judged(closed(500, 0.01, 4, 68.0)).exit_code is ExitCode.CALLS_FAILED


def test_overdue_calls_are_told_apart_from_those_that_had_just_begun() -> None:
    """Two waited a minute, two a moment: with answers of 0.5 s, two are overdue after 2 x 0.5 + 1 = 2 s."""
    made = closed(10, 0.5, 2, 60.0)
    made.add(calls([(5, 5, 5.001)] * 2, outcome=Outcome.CUT_OFF, waited=False))
    (found,) = [one for one in judged(made).findings if one.code == "overdue"]
    assert found.text.startswith("2 calls had no answer when the run ended, after 2 s or more;")


def test_a_call_that_may_yet_be_answered_is_not_failed() -> None:
    """Calls of 2 s, cut off after 3 s by a short drain: their fate is not known."""
    found = judged(closed(40, 2.0, 4, 3.0))
    assert (found.failures, found.exit_code) == (0, ExitCode.GOOD)
    assert [finding.code for finding in found.findings] == ["cut_off"]


@pytest.mark.parametrize("limit", ["", "valid>=100%", "p99<1s", "throughput>1/s"])
def test_a_run_without_a_valid_answer_is_never_good(limit: str) -> None:
    """All calls cut off: nothing failed for certain and nothing was measured, exit 4."""
    found = judged(closed(0, 1.0, 4, 60.0), *([limit] if limit else []))
    assert (found.valid, found.exit_code) == (False, ExitCode.NOT_VALID)
    assert "no_valid_answer" in {finding.code for finding in found.findings}


def test_a_percentile_that_the_run_can_not_support_leaves_its_limit_open() -> None:
    """100 calls for a p99: neither met nor missed, not valid, exit 4, and the calls it needs."""
    found = judged(good(100), "p99<20ms")
    assert (found.valid, found.met, found.exit_code) == (False, None, ExitCode.NOT_VALID)
    assert "needs 662 calls" in found.findings[0].text


def test_a_slow_model_fails_with_few_calls() -> None:
    """150 calls of 542 ms and more in 20 s: p99 can't be below 250 ms, whatever the calls that it needs.

    Were it, each of 150 independent calls would have been beyond it by a chance of 1 %.
    """
    services = [0.542 + k / 1_000 for k in range(150)]
    found = judged(recording(calls(evenly(150, 7.5, services))), "p99<250ms")
    assert (found.valid, found.met, found.exit_code) == (True, False, ExitCode.LIMIT_MISSED)
    assert found.checked[0].why.startswith("p99 is at least 6")
    assert found.checked[0].why.endswith(" ms (99 % sure), beyond p99<250ms")


def test_a_slow_model_fails_in_a_run_too_short_to_see_clumps() -> None:
    """Twelve calls in three seconds, all of them twice as slow as p95 may be."""
    found = judged(recording(calls(evenly(12, 4, 0.5))), "p95<250ms")
    assert (found.met, found.exit_code) == (False, ExitCode.LIMIT_MISSED)


def test_a_limit_is_met_as_soon_as_an_upper_bound_says_so() -> None:
    """600 calls are too few for a p99, but enough to say that it is at most the slowest: 0.99^600 < 0.5 %."""
    services = [0.010 + k * 37 % 600 / 1e4 for k in range(600)]  # each second has as many slow ones
    made = recording(calls(evenly(600, service_s=services)))
    met, open_ = judged(made, "p99<80ms"), judged(made, "p99<69.3ms")
    assert (met.met, met.exit_code) == (True, ExitCode.GOOD)
    assert met.checked[0].why == "p99 is at most 69.9 ms (99 % sure), within p99<80ms"
    assert (open_.met, open_.exit_code) == (None, ExitCode.NOT_VALID)


@given(st.integers(1, 900), st.floats(0.001, 0.3), st.sampled_from(["p50", "p90", "p97", "p99", "p99.9"]))
def test_slower_calls_never_turn_a_missed_limit(count: int, service_s: float, metric: str) -> None:
    """A run that misses a limit misses it with every call three times as slow: open never replaces missed."""
    verdicts = [
        judged(recording(calls(evenly(count, 20, service_s * factor))), f"{metric}<50ms").met
        for factor in (1, 3)
    ]
    assert verdicts[0] is not False or verdicts[1] is False


def test_too_few_calls_matter_only_to_a_limit_that_asks() -> None:
    """The same 100 calls are enough for a mean, and for no limit."""
    assert judged(good(100)).valid
    assert judged(good(100), "mean<20ms").exit_code is ExitCode.GOOD


def test_where_no_call_was_valid_a_longer_run_is_no_advice() -> None:
    """The limit on p99 is open for want of valid calls; more of the same would bring none."""
    (open_limit,) = [f for f in judged(failing(50, of=50), "p99<1s").findings if f.code == "too_few_calls"]
    assert open_limit.advice == "find out why no call was valid"
    (open_limit,) = [f for f in judged(good(50), "p99<1s").findings if f.code == "too_few_calls"]
    assert open_limit.advice.startswith("run longer")


def test_a_limit_on_what_was_not_measured_is_open() -> None:
    """No call was valid, so there is no mean; that calls failed comes first in the exit code."""
    found = judged(failing(10, of=10), "mean<20ms")
    assert (found.met, found.checked[0].met) == (None, None)
    assert "not_measured" in {finding.code for finding in found.findings}
    assert found.exit_code is ExitCode.CALLS_FAILED


def test_a_measurement_that_is_not_valid_says_nothing_of_the_server() -> None:
    """A generator at its limit and a missed limit: the generator may have missed it, exit 4."""
    found = judged(with_slow_generator(good()), "mean<5ms")
    assert (found.valid, found.met, found.exit_code) == (False, False, ExitCode.NOT_VALID)


def test_a_limit_missed_by_figures_that_flatter_is_missed_for_certain() -> None:
    """A tenth of the calls never left, and even without them the mean is too high: exit 3."""
    overloaded = good()
    overloaded.add_never_sent(ALL_USERS_BUSY, 100)
    missed, kept = judged(overloaded, "mean<5ms"), judged(overloaded, "mean<20ms")
    assert (missed.valid, missed.exit_code) == (False, ExitCode.LIMIT_MISSED)
    assert (kept.valid, kept.met, kept.exit_code) == (False, True, ExitCode.NOT_VALID)


def test_failed_calls_are_facts_whatever_else_is_wrong() -> None:
    """Failed calls, a missed limit and a slow generator at once: exit 1."""
    assert judged(with_slow_generator(failing(5)), "mean<5ms").exit_code is ExitCode.CALLS_FAILED


def test_a_run_that_was_stopped_is_lost() -> None:
    """Its stop condition held: exit 3, limits or none."""
    made = good()
    made.events.append({"t_s": START_S, "what": "stopped early"})
    found = judged(made)
    assert (found.lost, found.met, found.exit_code) == (True, None, ExitCode.LIMIT_MISSED)


def test_an_empty_run_is_not_valid() -> None:
    """Nothing failed and nothing was measured: exit 4."""
    assert judged(Recording()).exit_code is ExitCode.NOT_VALID


def test_recorded_limits_judge_again() -> None:
    """A recording that holds its limits needs nobody to remember them; one that does not parse is said."""
    made = recording(calls(evenly(700)), limits=["p99<20ms", "valid>99%"])
    assert [limit.text for limit in limits_of(made)] == ["p99<20ms", "valid>99%"]
    assert limits_of(good()) == ()
    with pytest.raises(InputError, match="recorded limit speed>3: metric 'speed' is not known"):
        limits_of(recording(calls(evenly(7)), limits=["speed>3"]))


def test_findings_come_gravest_first() -> None:
    """Whatever the order they are found in, what turns the verdict leads."""
    made = with_slow_generator(good())
    made.environment["shared_cores"] = True
    made.warm_up.add(calls(evenly(1), outcome=Outcome.OVERLOADED))
    assert [finding.severity for finding in judged(made).findings] == list(Severity)


def test_a_limit_inside_the_bounds_is_said() -> None:
    """p90 of 1 … 1,000 ms is 900 ms; a limit of 905 ms is met, and a few calls more might miss it."""
    import random

    services = [k / 1_000 for k in range(1, 1_001)]
    random.Random(4).shuffle(services)
    found = judged(recording(calls(evenly(1_000, service_s=services))), "p90<905ms")
    assert (found.met, found.valid) == (True, True)
    assert "limit_on_the_edge" in {finding.code for finding in found.findings}
    (said,) = [finding.text for finding in found.findings if finding.code == "limit_on_the_edge"]
    assert "but it may truly be up to 9" in said
    clear = judged(recording(calls(evenly(1_000, service_s=services))), "p90<990ms")
    assert "limit_on_the_edge" not in {finding.code for finding in clear.findings}


def batch_of(outcomes: list[Outcome]) -> Calls:
    return calls(evenly(len(outcomes)), outcome=outcomes)


@given(
    st.lists(st.sampled_from(list(Outcome)), max_size=30), st.booleans(), st.sampled_from(["", "mean<1ms"])
)
def test_zero_means_that_nothing_was_wrong(outcomes: list[Outcome], slow: bool, limit: str) -> None:
    """Exit 0 exactly where the measurement is valid, no limit was missed and no call failed."""
    made = recording(batch_of(outcomes))
    found = judged(with_slow_generator(made) if slow else made, *([limit] if limit else []))
    nothing_wrong = found.valid and found.met is not False and found.failures <= found.allowed_failures
    assert (found.exit_code == 0) == nothing_wrong


def test_a_finding_is_sorted_by_weight_alone() -> None:
    """Notes sort after warnings, warnings after what is not valid."""
    notes = [Finding(severity, "", "", "") for severity in reversed(Severity)]
    assert [finding.severity for finding in sorted(notes)] == list(Severity)


def test_so_far_a_limit_is_open_and_that_is_no_fault() -> None:
    """Ten calls support no p99: at the end the measurement is not valid, while it runs it is not decided."""
    made, limits = good(10), [parse_limit("p99<20ms")]
    so_far = judge(summarise(made, bounds=False), made, limits, so_far=True)
    assert (so_far.valid, so_far.met) == (True, None)
    assert not judged(made, "p99<20ms").valid


def test_so_far_the_run_has_not_ended_early() -> None:
    """A tenth of the run time: a note at the end, nothing while it runs; a busy generator is told at once."""
    made = with_slow_generator(good(100))
    made.environment["run_time_s"] = 10.0
    at_the_end = {finding.code for finding in judged(made).findings}
    so_far = {finding.code for finding in judge(summarise(made), made, so_far=True).findings}
    assert {"ended_early", "generator_cpu"} <= at_the_end
    assert "generator_cpu" in so_far
    assert "ended_early" not in so_far


GAVE_UP = (
    Outcome.CUT_OFF,
    Outcome.CLIENT_TIMEOUT,
    Outcome.CONNECT_TIMEOUT,
    Outcome.SERVER_TIMEOUT,
    Outcome.GATEWAY_TIMEOUT,
)
"""Somebody's clock ended such a call: its answer would have taken longer."""
MANY_MAY_FAIL = "valid>50%"


def unanswered(answered: int, waiting: int, waited_s: float, outcome: Outcome = Outcome.CUT_OFF) -> Recording:
    """Answered in 10 ms each; the last ones were waited for in vain."""
    return recording(unanswered_calls(answered, waiting, waited_s, outcome))


def unanswered_calls(answered: int, waiting: int, waited_s: float, outcome: Outcome) -> Calls:
    services = [0.01] * answered + [waited_s] * waiting
    outcomes = [Outcome.VALID] * answered + [outcome] * waiting
    return calls(evenly(answered + waiting, service_s=services), outcome=outcomes)


@pytest.mark.parametrize("outcome", GAVE_UP)
@pytest.mark.parametrize(
    ("waiting", "waited_s", "met"),
    [(30, 0.9, False), (30, 0.2, True), (9, 0.9, True), (11, 0.9, False)],
)
def test_calls_without_an_answer_count_against_a_limit_that_they_outlast(
    waiting: int, waited_s: float, met: bool, outcome: Outcome
) -> None:
    """p99 of 1,000 calls: ten of them may be slower. Each took at least as long as it had waited."""
    found = judged(unanswered(1_000 - waiting, waiting, waited_s, outcome), "p99<250ms", MANY_MAY_FAIL)
    assert found.met is met
    if not met:
        assert found.checked[0].why.startswith("p99 is at least 9"), found.checked[0].why


@pytest.mark.parametrize("outcome", GAVE_UP)
@pytest.mark.parametrize(
    ("limit", "met", "least"),
    [
        ("max<500ms", False, "max is at least 900 ms"),
        ("max<1s", True, ""),
        ("service_max<500ms", False, "service_max is at least 900 ms"),
        ("mean<15ms", False, "mean is at least 18.9 ms"),  # (990 · 10 ms + 10 · 900 ms) / 1,000
        ("mean<20ms", True, ""),
        ("min<20ms", True, ""),  # a call that takes longer moves no minimum
        ("lag_p99<50ms", True, ""),  # it was sent in time, however long it waited then
        ("lag_max<50ms", True, ""),
    ],
)
def test_a_time_counts_calls_without_an_answer_where_they_make_it_longer(
    limit: str, met: bool, least: str, outcome: Outcome
) -> None:
    """Ten of 1,000 calls had waited 900 ms when a clock ended them: they took that long or longer."""
    found = judged(unanswered(990, 10, 0.9, outcome), limit, MANY_MAY_FAIL)
    assert found.met is met, found.checked
    assert found.checked[0].why.startswith(least)
    assert found.exit_code is (ExitCode.GOOD if met else ExitCode.LIMIT_MISSED)


@pytest.mark.parametrize("outcome", set(Outcome) - set(GAVE_UP) - {Outcome.VALID})
def test_a_call_that_failed_at_once_says_nothing_of_times(outcome: Outcome) -> None:
    """The server ended it, or its network: nobody knows how long the answer would have taken."""
    assert judged(unanswered(990, 10, 0.9, outcome), "max<500ms", MANY_MAY_FAIL).met


def test_a_response_time_counts_from_due_on_without_an_answer_too() -> None:
    """Due 2 s before a user was free, and given up 0.1 s after it was sent: 2.1 s, of which 0.1 s service."""
    for outcome in GAVE_UP:
        made = recording(calls(evenly(200)))
        made.add(calls([(2.0, 4.0, 4.1)], outcome=outcome, waited=False))
        found = judged(made, "max<2s", "service_max<200ms", MANY_MAY_FAIL)
        assert [one.met for one in found.checked] == [False, True, True]
        assert found.checked[0].why == (
            "max is at least 2.1 s, with 1 calls that had no answer in time, beyond max<2s"
        )


def test_calls_that_no_user_was_free_to_send_count_by_their_wait() -> None:
    """5 of 1,000 calls (0.5 %, so no more than a warning) were due in the last second and never left.

    The load ended at 10 s, so the first of them, due at 9.2 s, had waited for 0.8 s; no limit says a thing of
    its service time, as it was never sent.
    """
    made, gate = Recording(), WarmUpGate(WarmUp())
    gate.add(made, calls(evenly(995)))
    made.add_never_sent(ALL_USERS_BUSY, 5)
    gate.add_waits(made, START_S + np.array([9.2, 9.4, 9.6, 9.8, 9.9]), START_S + 10)
    found = judged(made, "max<500ms", "service_max<500ms", "p99<500ms")
    assert [one.met for one in found.checked] == [False, True, True]
    assert found.checked[0].why.startswith("max is at least 800 ms, with 5 calls")
    assert (found.valid, found.exit_code) == (True, ExitCode.LIMIT_MISSED)


def test_what_was_never_sent_waits_from_the_warm_ups_end_on() -> None:
    """Due in the fifth second of a warm-up of 5 s, and not sent until the end at 7 s: it counts as 2 s."""
    made, gate = Recording(), WarmUpGate(WarmUp(seconds=5.0))
    gate.add(made, calls(evenly(700)))
    gate.add_waits(made, START_S + np.array([4.5, 6.5]), START_S + 7)
    waits = summarise(made).response_waits
    assert waits.count == 2
    assert [waits.min_s, waits.max_s] == pytest.approx([0.5, 2.0])
    gate.add_waits(made, START_S + np.array([4.5]), START_S + 4.7)  # the run ended in the warm-up
    assert summarise(made).response_waits.count == 2


@pytest.mark.parametrize("metric", ["p50", "p90", "p99", "service_p50", "min", "mean", "max"])
@pytest.mark.parametrize(("answered", "gave_up"), [(1, 0), (3, 0), (1, 2), (0, 3)])
def test_a_limit_is_missed_where_no_call_kept_it_however_few_they_are(
    metric: str, answered: int, gave_up: int
) -> None:
    """Every call took a second or more: whatever 250 ms is a limit on, no call was within it."""
    services, outcomes = (
        [1.0] * answered + [2.0] * gave_up,
        [0] * answered + [Outcome.CLIENT_TIMEOUT] * gave_up,
    )
    made = recording(calls(evenly(answered + gave_up, 1, services), outcome=outcomes, waited=False))
    found = judged(made, f"{metric}<250ms", "valid>1%")
    assert found.checked[0].met is False, found.checked
    assert found.checked[0].why.endswith(f"beyond {metric}<250ms")
    assert found.exit_code is (ExitCode.LIMIT_MISSED if answered else ExitCode.CALLS_FAILED)


def test_one_call_within_a_limit_leaves_it_open() -> None:
    """Three calls, one of which kept it, say little of a median."""
    made = recording(calls(evenly(3, 1, [0.1, 1.0, 1.0])))
    assert judged(made, "p50<250ms").met is None


@pytest.mark.parametrize("metric", [metric for metric in every() if metric.is_time], ids=lambda one: one.name)
def test_no_time_is_met_by_calls_that_had_no_answer(metric: Metric) -> None:
    """More calls without an answer make no figure better: what it is at least never falls."""
    few, many = (summarise(unanswered(990, waited, 0.9)) for waited in (1, 500))
    low, high = metric.at_least(few), metric.at_least(many)
    assert (low is None) == (high is None)
    assert low is None or high is None or low <= high


def test_a_miss_stays_one_beside_a_limit_that_is_open() -> None:
    """100 calls of 10 ms: p50<5ms is missed, whatever p99<1s, which needs 662 calls, would come to."""
    found = judged(good(100), "p50<5ms", "p99<20ms")
    assert [one.met for one in found.checked] == [False, None]
    assert (found.valid, found.exit_code) == (False, ExitCode.LIMIT_MISSED)


def test_a_limit_that_answers_break_alone_says_so() -> None:
    """No word of the calls that had no answer where the others decide."""
    found = judged(unanswered(990, 10, 0.9), "p50<5ms")
    assert found.checked[0].why == "p50 is 10 ms, beyond p50<5ms"


@pytest.mark.parametrize("outcome", GAVE_UP)
@pytest.mark.parametrize(
    ("limit", "cut_off", "met"),
    [
        ("first_chunk_p95<200ms", 40, True),  # 40 of 1,000 may be as slow as they like
        ("first_chunk_p95<200ms", 60, None),
        ("first_chunk_p95<50ms", 40, False),  # each took 100 ms
        ("first_chunk_max<200ms", 1, None),
        ("first_chunk_mean<200ms", 1, None),
        ("first_chunk_min<200ms", 60, True),  # a slow one moves no minimum
    ],
)
def test_a_stream_that_was_cut_off_may_be_as_slow_as_it_likes(
    limit: str, cut_off: int, met: bool | None, outcome: Outcome
) -> None:
    """Nobody saw its first chunk: a limit is met only where it is met for any time that this would take."""
    made = unanswered_calls(1_000 - cut_off, cut_off, 0.3, outcome)
    stream = Streamed(Outcome.VALID, 0.1, 100.0, 1, 50, (), None, None)
    streams = streams_of([(place, stream) for place in range(1_000 - cut_off)], np.zeros(1_000))
    found = judged(recording(replace(made, streams=streams)), limit, MANY_MAY_FAIL)
    assert found.checked[0].met is met, found.checked[0].why
    assert met is not None or found.exit_code is ExitCode.NOT_VALID
