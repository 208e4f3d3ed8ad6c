"""What a run says of a sign-in that could not be renewed: since when, why, and what it cost."""

from __future__ import annotations

import pytest

from scorebench.answers.outcome import Outcome
from scorebench.figures.summary import summarise
from scorebench.recordings.happenings import SIGN_IN_FAILED, SIGN_IN_REFUSED
from scorebench.recordings.types import Event
from scorebench.verdicts.finding import Finding, Severity
from scorebench.verdicts.sign_in_findings import findings
from scorebench.verdicts.verdict import judge
from tests.recordings import START_S, calls, evenly, recording

# 1,700,000,000 s is 22:13:20 UTC, so that 100 s later it is 22:15:00, in the second minute.
CODES = ("not_signed_in", "sign_in_failed")
LATER = Event(t_s=START_S + 100, what=SIGN_IN_FAILED, why="the account is closed")
FIRST = Event(t_s=START_S + 61, what=SIGN_IN_FAILED, why="no answer")


def found(outcomes: list[Outcome], events: list[Event]) -> list[Finding]:
    made = recording(calls(evenly(len(outcomes)), outcomes), started_s=START_S)
    made.events = events
    summary = summarise(made)
    of_all = [one for one in judge(summary, made).findings if one.code in CODES]
    assert of_all == list(findings(summary, made))
    return of_all


def test_calls_that_were_not_sent_make_the_measurement_not_valid() -> None:
    """How many, and the first failure of several processes, whichever was told first."""
    (one,) = found([Outcome.VALID, Outcome.NOT_SIGNED_IN, Outcome.NOT_SIGNED_IN], [LATER, FIRST])
    assert (one.severity, one.code) == (Severity.INVALID, "not_signed_in")
    assert one.text == (
        "2 calls were not sent because the sign-in had ended. "
        "Its renewal failed at 22:14 UTC, in minute 2 of the run: no answer"
    )


def test_the_server_is_not_blamed_for_calls_that_were_not_sent() -> None:
    """Ten seconds of calls, five of them after the sign-in had ended: that is no outage of the server."""
    outcomes = [Outcome.VALID] * 500 + [Outcome.NOT_SIGNED_IN] * 500
    made = recording(calls(evenly(1000), outcomes), started_s=START_S)
    codes = {one.code for one in judge(summarise(made), made).findings}
    assert "not_signed_in" in codes
    assert "outage" not in codes
    refused = [Outcome.VALID] * 500 + [Outcome.CONNECTION_REFUSED] * 500
    made = recording(calls(evenly(1000), refused), started_s=START_S)
    assert "outage" in {one.code for one in judge(summarise(made), made).findings}


def test_a_failure_that_cost_no_call_is_a_warning() -> None:
    (one,) = found([Outcome.VALID], [LATER])
    assert (one.severity, one.code) == (Severity.WARNING, "sign_in_failed")
    assert "failed at 22:15 UTC, in minute 2 of the run; the one before still held" in one.text


@pytest.mark.parametrize("events", [[], [Event(what="other")]])
def test_without_a_failure_there_is_none(events: list[Event]) -> None:
    assert found([Outcome.VALID, Outcome.UNAUTHORIZED], events) == []


def test_calls_without_an_event_are_told_all_the_same() -> None:
    """Credentials that no header holds fail call by call."""
    (one,) = found([Outcome.NOT_SIGNED_IN], [])
    assert one.severity is Severity.INVALID


def test_a_refused_sign_in_is_told_with_its_minute() -> None:
    """By how many calls it cost; of several processes the first counts."""
    refused = [Event(t_s=START_S + at_s, what=SIGN_IN_REFUSED, why="x") for at_s in (100, 61)]
    made = recording(calls(evenly(3), [Outcome.VALID, *[Outcome.UNAUTHORIZED] * 2]), started_s=START_S)
    made.events = refused
    (one,) = findings(summarise(made), made)
    assert (one.severity, one.code) == (Severity.WARNING, "sign_in_refused")
    assert "had not ended at 22:14 UTC, in minute 2 of the run" in one.text
    assert "2 calls were refused" in one.text
