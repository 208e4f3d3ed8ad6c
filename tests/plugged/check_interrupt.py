"""What each Ctrl-C asks for: the end of the run, of the wait for calls, and of the wait for users."""

from __future__ import annotations

import time

import pytest

from scorebench.plugin.lifecycle.interrupt import PATIENCE_S, Interrupts
from scorebench.plugin.lifecycle.states import Course, Event


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    return clock


def stopping() -> Course:
    course = Course()
    for event in (Event.START, Event.BEGIN):
        course.take(event)
    return course


def hurried(course: Course) -> Interrupts:
    def hurry() -> None:
        course.take(Event.HURRY)

    return Interrupts(course, hurry)


def test_each_one_asks_for_more(now: list[float]) -> None:
    """The first ends the run, the second cuts off calls, the third, a while later, waits for no user."""
    course = stopping()
    interrupts = hurried(course)
    assert interrupts.next(leads=True)  # Locust hears of it
    assert not interrupts.next(leads=True)  # and of no second one before it acts
    course.take(Event.STOP)
    assert not interrupts.next(leads=True)
    assert course.state.name == "HURRYING"
    interrupts.wait_for(lambda: None)
    now[0] += PATIENCE_S / 2
    assert not interrupts.next(leads=True)  # pressed twice at once
    now[0] += PATIENCE_S
    assert interrupts.next(leads=True)
    with pytest.raises(KeyboardInterrupt):
        interrupts.wait_for(lambda: pytest.fail("waits for users"))


def test_a_worker_leaves_that_to_its_master(now: list[float]) -> None:
    """A terminal gives Ctrl-C to all of them."""
    course = stopping()
    course.take(Event.STOP)
    interrupts = hurried(course)
    assert not interrupts.next(leads=False)
    assert course.state.name == "STOPPING"
