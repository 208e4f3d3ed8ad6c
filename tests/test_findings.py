"""What speaks against a measurement: each fault has its line and figure, a healthy run none."""

from __future__ import annotations

import re

import numpy as np
import pytest

from scorebench.answers.outcome import Outcome
from scorebench.figures.summary import summarise
from scorebench.load.schedule import ALL_USERS_BUSY
from scorebench.recordings.calls import Calls
from scorebench.recordings.lost import NOT_HEARD_OF
from scorebench.recordings.recording import Recording
from scorebench.verdicts.finding import Finding, Severity
from scorebench.verdicts.findings import look
from tests.recordings import START_S, calls, evenly, recording, with_due


def found_in(made: Recording) -> dict[str, Finding]:
    return {finding.code: finding for finding in look(summarise(made), made)}


def found(batch: Calls, **told: object) -> dict[str, Finding]:
    return found_in(recording(batch, **told))


def healthy(count: int = 3_000) -> list[tuple[float, float, float]]:
    """Thirty seconds at 100/s, answered in 8 to 12 ms, sent 0.1 ms late."""
    services = np.random.default_rng(5).uniform(0.008, 0.012, count)
    return evenly(count, service_s=services.tolist(), lag_s=0.0001)


def sampled(made: Recording, *cpu: float | None, who: str = "generator") -> Recording:
    made.resources += [
        {"t_s": START_S + t, "who": who, "cpu": value, "rss_bytes": 1} for t, value in enumerate(cpu)
    ]
    return made


def test_a_healthy_run_has_no_finding() -> None:
    """Open or closed loop, a generator with time to spare and a steady server: nothing to say."""
    assert found(calls(healthy()), arrivals="constant") == {}
    closed = [(sent, sent, done) for _, sent, done in healthy()]
    assert found(calls(closed, waited=False)) == {}


def test_shared_cores_are_a_note() -> None:
    """On a laptop server and generator share cores: it is said, and does not turn the verdict."""
    finding = found(calls(healthy()), shared_cores=True, host_cores=2)["shared_cores"]
    assert finding.severity is Severity.NOTE
    assert "2 on this host" in finding.text
    assert "shared_cores" not in found(calls(healthy()), shared_cores=None)


def test_a_run_without_calls_is_not_valid() -> None:
    """Nothing was measured."""
    assert found_in(Recording())["no_calls"].severity is Severity.INVALID


def test_a_server_that_sends_unasked_bytes_is_not_valid() -> None:
    """Its answers may have met the wrong calls."""
    made = recording(calls(healthy()))
    made.unasked = 7
    assert found_in(made)["unasked_bytes"].severity is Severity.INVALID
    assert "7 times" in found_in(made)["unasked_bytes"].text


def test_counts_that_differ_are_not_valid() -> None:
    """One call more was due than arrived."""
    finding = found_in(with_due(recording(calls(healthy())), 3_001))["does_not_add_up"]
    assert finding.severity is Severity.INVALID
    assert "3,001" in finding.text


@pytest.mark.parametrize(
    ("lag_s", "severity"),
    [(0.0004, None), (0.0015, Severity.WARNING), (0.006, Severity.INVALID)],
)
def test_a_late_generator_is_weighed_against_what_it_measures(
    lag_s: float, severity: Severity | None
) -> None:
    """Beside 10 ms of service: 0.4 ms goes unsaid, 1.5 ms is 13 % and said, 6 ms is 38 % and not valid."""
    finding = found(calls(evenly(3_000, service_s=0.01, lag_s=lag_s)), arrivals="constant").get(
        "generator_lag"
    )
    assert (finding and finding.severity) == severity
    if finding:
        assert "ms" in finding.text


def test_the_same_lag_beside_a_slow_server_is_nothing() -> None:
    """6 ms beside 500 ms is about 1 %."""
    assert found(calls(evenly(3_000, service_s=0.5, lag_s=0.006)), arrivals="constant") == {}


def test_a_generator_late_in_bursts_is_found() -> None:
    """Late by 40 ms in 2 of 100 calls, as when something else burns its core: p99 is not the server's."""
    late = np.where(np.arange(3_000) % 100 < 2, 0.04, 0.0)
    times = [(due, sent + by, done + by) for (due, sent, done), by in zip(healthy(), late, strict=True)]
    finding = found(calls(times), arrivals="poisson")["generator_lag"]
    assert finding.severity is Severity.INVALID
    assert "p99" in finding.text
    assert not finding.flatters


@pytest.mark.parametrize(
    ("cpu", "severity"),
    [
        ([0.5] * 10, None),
        ([0.5] * 8 + [0.95] * 2, Severity.WARNING),
        ([0.5] * 4 + [1.0] * 6, Severity.INVALID),
        ([None] * 10, None),
    ],
)
def test_a_generator_at_its_limit_measures_itself(cpu: list[float | None], severity: Severity | None) -> None:
    """At 90 % of a core in a tenth of the seconds it is said, in half of them not valid."""
    finding = found_in(sampled(recording(calls(healthy())), *cpu)).get("generator_cpu")
    assert (finding and finding.severity) == severity


def test_each_worker_is_looked_at_and_the_server_is_not() -> None:
    """A worker at its limit is named; a server at its limit is what a load test is for."""
    made = sampled(recording(calls(healthy())), *[0.2] * 10, who="generator 1")
    sampled(made, *[0.99] * 10, who="generator 2")
    sampled(made, *[1.0] * 10, who="server")
    assert "generator 2 was at the limit" in found_in(made)["generator_cpu"].text


@pytest.mark.parametrize(("calls_left", "severity"), [(3, Severity.WARNING), (300, Severity.INVALID)])
def test_calls_never_sent_are_told_by_cause(calls_left: int, severity: Severity) -> None:
    """Up to one in a hundred is a warning; beyond it the slowest calls are missing."""
    made = recording(calls(healthy()), arrivals="constant")
    made.add_never_sent(ALL_USERS_BUSY, calls_left)
    finding = found_in(made)["never_sent"]
    assert finding.severity is severity
    assert ALL_USERS_BUSY in finding.text
    assert f"{calls_left} calls" in finding.text


def test_busy_users_flatter_the_server_and_a_lost_worker_need_not() -> None:
    """Calls that found no user would have been the slowest; of others nothing is known."""
    flatters = []
    for cause in (ALL_USERS_BUSY, NOT_HEARD_OF):
        made = recording(calls(healthy()), arrivals="constant")
        made.add_never_sent(cause, 300)
        flatters.append(found_in(made)["never_sent"].flatters)
    assert flatters == [True, False]


def test_calls_in_flight_at_the_end_are_said() -> None:
    """Five of a hundred cut off: a warning in a closed loop, where each user leaves one."""
    outcomes = [0] * 95 + [Outcome.CUT_OFF] * 5
    closed = found(calls(evenly(100), outcome=outcomes, waited=False))["cut_off"]
    opened = found(calls(evenly(100), outcome=outcomes), arrivals="constant")["cut_off"]
    assert (closed.severity, opened.severity) == (Severity.WARNING, Severity.INVALID)
    assert "5 calls" in closed.text


@pytest.mark.parametrize(("cut_off", "severity"), [(10, Severity.WARNING), (11, Severity.INVALID)])
def test_a_closed_loop_of_few_calls_a_user_knows_too_little(cut_off: int, severity: Severity) -> None:
    """More than a tenth cut off: each user made fewer than ten calls, and the slow ones are not known."""
    outcomes = [0] * (100 - cut_off) + [Outcome.CUT_OFF] * cut_off
    assert found(calls(evenly(100), outcome=outcomes, waited=False))["cut_off"].severity is severity


def overloaded() -> Calls:
    """Due at 100/s for 20 s, sent at 50/s by users who are always busy: the last leaves after 40 s."""
    sent = np.arange(2_000) / 50
    times = [
        (due, max(due, at), max(due, at) + 0.02) for (due, _, _), at in zip(evenly(2_000), sent, strict=True)
    ]
    return calls(times, waited=False)


def test_busy_users_are_the_servers_or_too_few() -> None:
    """Half the calls are sent after the load's end: a warning that says more users or a slower rate."""
    findings = found(overloaded(), arrivals="constant")
    assert findings["users_busy"].severity is Severity.WARNING
    assert findings["rate_not_reached"].severity is Severity.WARNING
    assert "sent 1,000 of the 2,000 calls" in findings["rate_not_reached"].text


def test_calls_that_were_never_sent_were_due_to_the_end_of_the_load() -> None:
    """100/s for 20 s, sent at 50/s: what was sent was due in the first half, the rest in the second."""
    sent = [(due, 2 * due, 2 * due + 0.02) for due, _, _ in evenly(1_000)]
    made = recording(calls(sent, waited=False), arrivals="constant")
    made.add_never_sent(ALL_USERS_BUSY, 1_000)
    assert "sent 1,000 of the 2,000 calls" in found_in(made)["rate_not_reached"].text


def test_a_rate_missed_with_free_users_is_the_generators() -> None:
    """Calls that leave seconds late with no user busy are not the server's doing."""
    times = [(due, due + min(due, 5.0), due + min(due, 5.0) + 0.01) for due, _, _ in evenly(2_000)]
    finding = found(calls(times), arrivals="constant")["rate_not_reached"]
    assert finding.severity is Severity.INVALID


def test_a_trend_is_named() -> None:
    """Service times that double over the run: a warning with the size of the rise."""
    services = np.linspace(0.01, 0.02, 6_000) * np.random.default_rng(1).uniform(0.9, 1.1, 6_000)
    findings = found(calls(evenly(6_000, service_s=services.tolist())), arrivals="constant")
    assert findings["trend"].severity is Severity.WARNING
    assert "latency rose" in findings["trend"].text


def test_a_ramp_is_not_held_to_steadiness() -> None:
    """The same run under a rate that is meant to change has no such finding."""
    services = np.linspace(0.01, 0.02, 6_000)
    for arrivals in ("ramp:10-500", "poisson+ramp:10-500", "steps:1,2", "spike:1-2@1s+1s", "replay:a.csv"):
        assert "trend" not in found(calls(evenly(6_000, service_s=services.tolist())), arrivals=arrivals)


def test_a_restart_of_the_server_is_not_valid() -> None:
    """The figures would mix a warm server with a cold one."""
    made = recording(calls(healthy()))
    made.events.append({"t_s": START_S + 3, "what": "server restarted"})
    assert found_in(made)["server_restarted"].severity is Severity.INVALID


def test_a_lost_worker_is_not_valid_and_no_rate_is_missed_for_it() -> None:
    """What it was to send is not heard of; that users were free and did not send is not said of it."""
    made = recording(calls(healthy()), arrivals="constant", workers=2)
    made.events.append({"t_s": START_S + 3, "what": "worker lost", "why": "worker 1: at most 9 calls …"})
    made.add_never_sent(NOT_HEARD_OF, 1000)
    found = found_in(made)
    assert found["worker_lost"].severity is Severity.INVALID
    said = "1 of 2 processes of the generator ended early: worker 1: at most 9 calls …"
    assert found["worker_lost"].text == said
    assert "were not heard of" in found["never_sent"].text
    assert "rate_not_reached" not in found


def test_smaller_things_are_notes() -> None:
    """Answers that changed, and a run that ended early."""
    made = recording(calls(healthy()), run_time_s=120.0)
    made.changed = 7
    findings = found_in(made)
    assert {code: finding.severity for code, finding in findings.items()} == {
        "changed_under_load": Severity.WARNING,
        "ended_early": Severity.NOTE,
    }
    assert "7 answers" in findings["changed_under_load"].text


def test_a_warm_up_is_no_early_end() -> None:
    """Thirty seconds were measured: nearly all of 100 s with 50 s of warm-up, and few of 100 s without."""
    for warm_up_s, early in (50.0, False), (None, True):
        made = recording(calls(healthy()), run_time_s=100.0, warm_up_s=warm_up_s)
        assert ("ended_early" in found_in(made)) == early


def test_failures_of_the_warm_up_are_said() -> None:
    """They are in no figure, and yet something was wrong."""
    made = recording(calls(healthy()))
    made.warm_up.add(calls(evenly(3), outcome=[0, Outcome.OVERLOADED, 0]))
    assert found_in(made)["warm_up_failures"].text == "1 of the 3 calls of the warm-up were not valid"


def test_every_finding_says_what_to_try() -> None:
    """One line each, with advice, and no full stop: the reports set those."""
    made = sampled(
        with_due(recording(overloaded(), arrivals="constant", shared_cores=True, run_time_s=999), 9), 1.0
    )
    made.events.append({"t_s": 0, "what": "server restarted"})
    made.changed = 1
    made.add_never_sent("x", 1)
    findings = found_in(made).values()
    assert len(findings) >= 8
    for finding in findings:
        assert finding.advice
        assert "\n" not in finding.text + finding.advice
        assert not finding.text.endswith(".")
        assert not finding.advice.endswith(".")


def away(first_s: int, last_s: int, outcome: Outcome | None, seconds: int = 20) -> Recording:
    """100/s; what would be answered from `first_s` to `last_s` fails, or waits for second `last_s` + 1."""
    times, outcomes = [], []
    for due, sent, done in evenly(100 * seconds):
        is_away = first_s - 0.015 <= due < last_s + 1
        times.append((due, sent, last_s + 1.005 if is_away and outcome is None else done))
        outcomes.append(outcome if is_away and outcome else 0)
    made = recording(calls(times, outcome=outcomes), arrivals="constant")
    made.environment["load_ended_s"] = START_S + seconds
    return made


def test_an_outage_is_named_with_its_seconds() -> None:
    """Refused from second 3 to 17 of 20: not valid, as a restart of our own server is."""
    finding = found_in(away(3, 17, Outcome.CONNECTION_REFUSED))["outage"]
    assert finding.severity is Severity.INVALID
    assert finding.text.startswith("no valid answer from second 3 to 17, and 1,50")


def test_a_pause_that_every_call_outlives_is_a_stall() -> None:
    """The server answers all of them later: the times tell it, and a warning says when."""
    finding = found_in(away(5, 8, None))["stall"]
    assert finding.severity is Severity.WARNING
    assert finding.text == "no valid answer from second 5 to 8; the calls were answered later"


def test_seconds_in_which_nobody_asks_are_no_stall() -> None:
    """All users wait from second 5 to 8, or are gone by then: no call is due, and none in flight."""
    busy = [time for time in evenly(2_000) if not 4.98 <= time[0] < 9]
    assert "stall" not in found(calls(busy, waited=False), load_ended_s=START_S + 20)
    assert "stall" not in found(calls(evenly(500), waited=False), load_ended_s=START_S + 20)
    one_waits = [*busy, (4.9, 4.9, 9.1)]
    assert "stall" in found(calls(one_waits, waited=False), load_ended_s=START_S + 20)


def test_the_drain_is_no_part_of_what_should_be_steady() -> None:
    """100/s for 20 s, and a call that was cut off 40 s later: nothing was sent meanwhile."""
    times = [*evenly(2_000), (19.9, 19.9, 60.0)]
    batch = calls(times, outcome=[0] * 2_000 + [Outcome.CUT_OFF])
    findings = found(batch, arrivals="constant", load_ended_s=START_S + 20)
    assert not {"unsteady", "trend"} & set(findings)


def test_a_server_that_never_comes_back_is_an_outage() -> None:
    """Answers for 5 s of 15, then four calls in flight to the end: the run is not valid."""
    made = recording(calls(evenly(499), waited=False))
    made.add(calls([(5, 5, 75)] * 4, outcome=Outcome.CUT_OFF, user=[0, 1, 2, 3], waited=False))
    made.environment["load_ended_s"] = START_S + 15
    assert found_in(made)["outage"].text.startswith("no valid answer from second 5 to 14, and 4 calls failed")


@pytest.mark.parametrize(
    ("rate_per_s", "service_s"), [(0.2, 0.01), (2.0, 0.01), (5.0, 10.0), (100.0, 0.01), (1.0, 5.0)]
)
def test_few_or_slow_calls_are_no_outage(rate_per_s: float, service_s: float) -> None:
    """Seconds without an answer that the rate or the response time explains."""
    findings = found(
        calls(evenly(60, rate_per_s, service_s)), arrivals="constant", offered_rate_per_s=rate_per_s
    )
    assert not {"outage", "stall"} & set(findings)


def test_users_in_step_leave_no_outage() -> None:
    """100 users with calls of 10 s answer nothing for 9 s at a time, and nothing is wrong."""
    times = [(10.0 * turn, 10.0 * turn, 10.0 * turn + 10) for turn in range(10) for _ in range(100)]
    assert not {"outage", "stall"} & set(found(calls(times, user=[*range(100)] * 10, waited=False)))


def stalled(made: Recording, stall_s: float, at_s: float, who: str = "generator") -> Recording:
    """The sample that was taken at `at_s` says how long its loop was held."""
    made.resources.append(
        {"t_s": START_S + at_s, "who": who, "cpu": 0.2, "rss_bytes": 1, "users": 4, "stall_s": stall_s}
    )
    return made


def test_a_generator_that_stood_still_is_not_the_servers_fault() -> None:
    """Held for 5 s of 30 at 100/s: the 500 calls due meanwhile left late. No advice blames the server."""
    times = [(due, max(due, 15.0) if 10 <= due < 15 else due) for due, _, _ in healthy()]
    made = recording(
        calls([(due, sent, sent + 0.01) for due, sent in times], waited=False), arrivals="constant"
    )
    findings = found_in(stalled(made, 5.0, 15.0))
    stood = findings["generator_stalled"]
    assert stood.severity is Severity.INVALID
    assert "generator stood still for 5 s, up to second 15: about 500 calls (16.7 %)" in stood.text
    assert {"users_busy", "stall"} <= set(findings)
    for finding in findings.values():
        assert not re.search("server's log|more users", finding.advice), finding


@pytest.mark.parametrize(
    ("stall_s", "service_s", "severity"),
    [(0.05, 0.01, None), (0.5, 0.01, Severity.INVALID), (0.5, 10.0, Severity.WARNING)],
)
def test_a_stretch_is_weighed_against_what_it_hits(
    stall_s: float, service_s: float, severity: Severity | None
) -> None:
    """50 ms is any process's lot; half a second hits 50 of 3,000 calls; beside calls of 10 s it is little."""
    made = recording(calls(evenly(3_000, service_s=service_s)), arrivals="constant")
    finding = found_in(stalled(made, stall_s, 12.0)).get("generator_stalled")
    assert (finding and finding.severity) == severity


def test_a_worker_of_several_that_stood_still_is_named() -> None:
    """Two workers, one held for 10 s of a closed loop: rates are off by more than a twentieth."""
    made = recording(calls(evenly(3_000), waited=False))
    stalled(made, 0.0, 12.0, "generator 1")
    finding = found_in(stalled(made, 10.0, 25.0, "generator 2"))["generator_stalled"]
    assert finding.severity is Severity.INVALID
    assert finding.text.startswith("generator 2 stood still for 10 s")


def test_a_run_that_ended_by_its_time_was_not_stopped() -> None:
    """One call in the 5 s of --rate 0.2: the load lasted as long as it was to."""
    single = found(calls(evenly(1, 0.2)), arrivals="constant", offered_rate_per_s=0.2, run_time_s=5.0)
    assert "ended_early" not in single


@pytest.mark.parametrize(
    ("done_s", "service_s", "severity"),
    [
        (30.0, 0.01, Severity.INVALID),  # one user stood still for 25 of the 95 s that count
        (12.0, 0.01, Severity.WARNING),  # 7 s, less than a tenth of them
        (5.9, 0.01, None),  # within the second that any call may take longer
        (14.0, 10.0, None),  # as slow as any other call
    ],
)
def test_a_warm_up_that_was_too_short_is_said(
    done_s: float, service_s: float, severity: Severity | None
) -> None:
    """A call due at 4 s of a warm-up of 5 s, answered long after it: its time is in no figure."""
    made = recording(
        calls([(s, s, s + service_s) for s in range(5, 100)], waited=False), warm_up_s=5.0, run_time_s=100.0
    )
    made.warm_up.add(calls([(0.0, 0.0, 0.01), (4.0, 4.0, done_s)], waited=False))
    told = found_in(made).get("warm_up_too_short")
    assert (told.severity if told else None) is severity


@pytest.mark.parametrize(
    ("read_s", "severity"), [(0.1, None), (0.5, Severity.WARNING), (1.5, Severity.INVALID)]
)
def test_users_that_read_long_are_told(read_s: float, severity: Severity | None) -> None:
    """100 calls of 20 ms are 2 s of service: reading takes 5 %, 20 % and 43 % of a user's time."""
    made = recording(calls([(s, s, s + 0.02) for s in np.arange(100) / 10], waited=False))
    made.reading_s = read_s
    told = found_in(made).get("generator_read")
    assert (told.severity if told else None) is severity


def test_reading_matters_at_a_rate_only_where_users_are_busy() -> None:
    """Free users wait for the next due time while others read; busy ones make calls late by it."""
    for late, told in (False, False), (True, True):
        times = evenly(100, rate_per_s=10.0, service_s=0.02, lag_s=0.001 * late)
        made = recording(calls(times, waited=not late))
        made.environment["arrivals"] = "constant"
        made.reading_s = 1.5
        assert ("generator_read" in found_in(made)) is told


@pytest.mark.parametrize(("calls_made", "read_s"), [(10_000, 0.5), (12, 0.2)])
def test_what_any_client_takes_to_read_is_no_finding(calls_made: int, read_s: float) -> None:
    """Beside calls of 100 us: 50 us each, as fast as Python gets; and a moment in a run of a few calls."""
    made = recording(calls(evenly(calls_made, rate_per_s=1_000.0, service_s=0.0001), waited=False))
    made.reading_s = read_s
    assert "generator_read" not in found_in(made)
