"""The states of a process under Locust, and which event leads from one to the next: one table.

Knows names alone. Locust fires its events from many greenlets, and some of them twice: an event that may
happen twice has an entry for both. An event without an entry can't happen in that state, and raises.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Where a process is. With Locust's page it goes through many tests."""

    READY = "no test has started"
    STARTING = "a test is made ready"
    REFUSED = "the test can't be run, and its users send nothing"
    RUNNING = "users send calls"
    STOPPING = "no new call leaves, and those in flight are waited for"
    HURRYING = "calls in flight are cut off"
    STOPPED = "the test is over"


class Event(Enum):
    """What happens to a process."""

    START = "a test starts"
    REFUSE = "the options of the test are wrong"
    BEGIN = "the first users may come"
    STOP = "the test is about to stop"
    HURRY = "a second Ctrl-C"
    END = "all users are gone"


TRANSITIONS: dict[State, dict[Event, State]] = {
    State.READY: {
        Event.START: State.STARTING,
        # Locust stops its runner when it quits, also where no test has begun.
        Event.STOP: State.READY,
        Event.HURRY: State.READY,
        Event.END: State.READY,
    },
    State.STARTING: {
        # Locust starts a test once more if it is told to before the first users are there.
        Event.START: State.STARTING,
        Event.REFUSE: State.REFUSED,
        Event.BEGIN: State.RUNNING,
        Event.STOP: State.READY,
        Event.HURRY: State.STARTING,
    },
    State.REFUSED: {
        Event.START: State.STARTING,
        Event.STOP: State.REFUSED,
        Event.HURRY: State.REFUSED,
        Event.END: State.REFUSED,
    },
    State.RUNNING: {
        Event.START: State.STARTING,
        Event.STOP: State.STOPPING,
        Event.HURRY: State.RUNNING,
    },
    State.STOPPING: {
        # The run's time, its last call and a signal can each stop it, at the same moment.
        Event.STOP: State.STOPPING,
        Event.HURRY: State.HURRYING,
        Event.END: State.STOPPED,
    },
    State.HURRYING: {
        Event.STOP: State.HURRYING,
        Event.HURRY: State.HURRYING,
        Event.END: State.STOPPED,
    },
    State.STOPPED: {
        Event.START: State.STARTING,
        Event.STOP: State.STOPPED,
        Event.HURRY: State.STOPPED,
        Event.END: State.STOPPED,
    },
}
"""For each state, the next state by event. An event without an entry can't happen in that state."""

ENDING = frozenset({State.STOPPING, State.HURRYING})
UNDER_WAY = ENDING | {State.RUNNING}


class ImpossibleEvent(RuntimeError):
    """An event that can't happen in this state; the state does not change."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"{event.name} ({event.value}) can't happen in {state.name} ({state.value})")


class Course:
    """The state of one process; only events change it."""

    def __init__(self) -> None:
        self.state = State.READY

    def take(self, event: Event) -> bool:
        """Go where `event` leads; True if that is another state. Raises ImpossibleEvent."""
        before = self.state
        try:
            self.state = TRANSITIONS[before][event]
        except KeyError:
            raise ImpossibleEvent(before, event) from None
        return self.state is not before
