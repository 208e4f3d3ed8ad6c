"""What became of every call that was due."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.outcome import Outcome
from scorebench.figures.accounting import account
from scorebench.recordings.calls import Calls
from tests.recordings import batches, calls, evenly, recording, with_due


@given(batches(), st.dictionaries(st.sampled_from("abc"), st.integers(1, 9)))
def test_every_call_is_accounted_for(batch: Calls, never_sent: dict[str, int]) -> None:
    """due = valid + invalid + failed + cut off + never sent, for any calls and causes."""
    made = recording(batch)
    made.never_sent = never_sent
    found = account(made)
    unsent = sum(never_sent.values())
    assert found.due == len(batch) + unsent
    assert found.due == found.valid + found.invalid + found.failed + found.cut_off + unsent
    assert found.adds_up, found.mismatches


def test_each_outcome_is_counted_in_one_group() -> None:
    """One call of each outcome. Invalid is a 200 whose body is not the predictions that were asked for."""
    outcomes = list(Outcome)
    valid = {Outcome.VALID, Outcome.NO_RESPONSE_TIME}
    invalid = {
        Outcome.WRONG_COUNT,
        Outcome.NOT_PARSEABLE,
        Outcome.NAN_PREDICTION,
        Outcome.NULL_PREDICTION,
        Outcome.OUT_OF_RANGE,
        Outcome.ERROR_INSIDE,
    }
    found = account(recording(calls(evenly(len(outcomes)), outcome=outcomes)))
    assert (found.valid, found.invalid, found.cut_off) == (len(valid), len(invalid), 1)
    assert found.failed == len(outcomes) - len(valid) - len(invalid) - 1
    assert found.finished == len(outcomes) - 1


def test_a_call_that_got_lost_is_named() -> None:
    """Whoever made calls due counted ten, nine arrived: the line holds both figures."""
    found = account(with_due(recording(calls(evenly(9))), 10))
    assert not found.adds_up
    assert found.mismatches == ("10 due and not left unsent, 9 sent",)


@pytest.mark.parametrize("what", ["users", "seconds", "service", "failing"])
def test_counts_that_differ_are_named(what: str) -> None:
    """A recording whose users, seconds or histograms lost a call does not add up."""
    made = recording(calls(evenly(4), outcome=[0, 0, 0, Outcome.OVERLOADED]))
    more = recording(calls(evenly(5), outcome=[0, 0, 0, Outcome.OVERLOADED, Outcome.OVERLOADED]))
    more.measured.service.merge(made.measured.service)
    setattr(made.measured, what, getattr(more.measured, what))
    assert not account(made).adds_up
