"""Batches of calls as columns."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.outcome import Outcome
from scorebench.recordings.calls import FIELDS_PER_CALL, from_numbers, tag
from tests.recordings import calls, evenly

ROWS = np.array([1, 10, 100])


@given(st.integers(0, 2**40), st.sampled_from(list(Outcome)), st.booleans(), st.integers(0, 2))
def test_a_call_comes_out_of_its_numbers(user: int, outcome: Outcome, waited: bool, payload: int) -> None:
    """User, outcome and waiting share one number and part again, up to 2^40 users; rows are the body's."""
    flat = [1.0, 2.0, 3.0, tag(user, outcome, waited=waited), float(payload)]
    assert len(flat) == FIELDS_PER_CALL
    made = from_numbers(flat, ROWS, epoch_s=100.0)
    found = [made.user[0], made.outcome[0], made.waited[0], made.payload[0], made.rows[0]]
    assert found == [user, outcome, waited, payload, ROWS[payload]]


def test_times_become_unix_time() -> None:
    """A monotonic 1, 2, 3 s with an epoch of 100 s is 101, 102, 103."""
    made = from_numbers([1.0, 2.0, 3.0, tag(0, 0), 0.0], ROWS, epoch_s=100.0)
    assert (made.due_s[0], made.sent_s[0], made.done_s[0]) == (101.0, 102.0, 103.0)


def test_no_numbers_are_no_calls() -> None:
    """An empty batch has empty columns, and is not an error."""
    assert len(from_numbers([], ROWS, epoch_s=0.0)) == 0


def test_every_outcome_fits_the_tag() -> None:
    """No outcome reaches the bit that says whether the user waited."""
    assert max(Outcome) < 32


def test_select_keeps_columns_together() -> None:
    """Of three calls the middle one is left out of each column."""
    made = calls(evenly(3), user=[1, 2, 3], rows=[10, 20, 30]).select(np.array([True, False, True]))
    assert made.user.tolist() == [1, 3]
    assert made.rows.tolist() == [10, 30]
    assert len(made.due_s) == len(made) == 2
