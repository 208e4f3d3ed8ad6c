"""The table of states: where each event leads, and that no other event is taken."""

from __future__ import annotations

import itertools
import runpy
from pathlib import Path
from typing import Any

import pytest

# By its path: importing the plugin patches sockets and threads. The table itself needs nothing of it.
STATES: dict[str, Any] = runpy.run_path(
    str(Path(__file__).parents[1] / "src/scorebench/plugin/lifecycle/states.py")
)
State, Event, Course = STATES["State"], STATES["Event"], STATES["Course"]

LEADS = {
    ("READY", "START"): "STARTING",
    ("READY", "STOP"): "READY",
    ("READY", "HURRY"): "READY",
    ("READY", "END"): "READY",
    ("STARTING", "START"): "STARTING",
    ("STARTING", "REFUSE"): "REFUSED",
    ("STARTING", "BEGIN"): "RUNNING",
    ("STARTING", "STOP"): "READY",
    ("STARTING", "HURRY"): "STARTING",
    ("REFUSED", "START"): "STARTING",
    ("REFUSED", "STOP"): "REFUSED",
    ("REFUSED", "HURRY"): "REFUSED",
    ("REFUSED", "END"): "REFUSED",
    ("RUNNING", "START"): "STARTING",
    ("RUNNING", "STOP"): "STOPPING",
    ("RUNNING", "HURRY"): "RUNNING",
    ("STOPPING", "STOP"): "STOPPING",
    ("STOPPING", "HURRY"): "HURRYING",
    ("STOPPING", "END"): "STOPPED",
    ("HURRYING", "STOP"): "HURRYING",
    ("HURRYING", "HURRY"): "HURRYING",
    ("HURRYING", "END"): "STOPPED",
    ("STOPPED", "START"): "STARTING",
    ("STOPPED", "STOP"): "STOPPED",
    ("STOPPED", "HURRY"): "STOPPED",
    ("STOPPED", "END"): "STOPPED",
}
"""What may happen, written down a second time: whoever changes the table has to mean it."""
PAIRS = list(itertools.product(State.__members__, Event.__members__))
IMPOSSIBLE = [pair for pair in PAIRS if pair not in LEADS]
WAY = {
    "READY": (),
    "STARTING": ("START",),
    "REFUSED": ("START", "REFUSE"),
    "RUNNING": ("START", "BEGIN"),
    "STOPPING": ("START", "BEGIN", "STOP"),
    "HURRYING": ("START", "BEGIN", "STOP", "HURRY"),
    "STOPPED": ("START", "BEGIN", "STOP", "END"),
}
"""Events that lead from the first state to each other one: no state is out of reach."""


def course_in(state: str) -> Any:
    course = Course()
    for event in WAY[state]:
        course.take(Event[event])
    assert course.state is State[state]
    return course


@pytest.mark.parametrize(("state", "event"), LEADS, ids="-".join)
def test_an_event_leads_where_the_table_says(state: str, event: str) -> None:
    """`take` says whether the state is another one."""
    course = course_in(state)
    assert course.take(Event[event]) is (LEADS[state, event] != state)
    assert course.state is State[LEADS[state, event]]


@pytest.mark.parametrize(("state", "event"), IMPOSSIBLE, ids="-".join)
def test_an_event_that_may_not_happen_changes_nothing(state: str, event: str) -> None:
    """It raises, with both names, and the state stays."""
    course = course_in(state)
    with pytest.raises(STATES["ImpossibleEvent"], match=f"{event} .* can't happen in {state} "):
        course.take(Event[event])
    assert course.state is State[state]


def test_each_pair_was_thought_of() -> None:
    """Seven states and six events are 42 pairs, of which 26 may happen."""
    assert (len(PAIRS), len(LEADS), len(IMPOSSIBLE)) == (42, 26, 16)
    assert set(WAY) == set(State.__members__)
