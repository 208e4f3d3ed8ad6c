"""What one test has gathered until now, from this process or from its workers; the report is made of it.

Knows recordings and the time of day; nothing of Locust or of who counted.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from scorebench.recordings import types
from scorebench.recordings.calls import Calls
from scorebench.recordings.recording import Recording


class Gathered:
    """Counts, events and facts of the test that runs, or of the last one."""

    def __init__(self) -> None:
        self.recording = Recording()
        self.kept: list[tuple[int, Calls]] = []
        """With --keep-calls: (worker, a batch of its calls)."""
        self.events: list[types.Event] = []
        """What happened besides calls, each with `t_s` and `what`."""
        self.facts: dict[str, Any] = {}
        """What the figures depend on: the `environment` of a recording."""

    def begin(self, facts: dict[str, Any]) -> None:
        """A test starts: everything from zero."""
        self.reset()
        self.events.clear()
        self.facts = facts

    def load_ended(self) -> None:
        """No call is sent from now on: the time that rates are taken over ends here."""
        self.facts["load_ended_s"] = time.time()

    def reset(self) -> None:
        """Drop what was counted; what happened has happened."""
        self.recording = Recording()
        self.kept.clear()

    def note(self, what: str, why: str | None = None) -> None:
        """Keep an event with its time."""
        event: types.Event = {"t_s": time.time(), "what": what}
        if why:
            event["why"] = why
        self.events.append(event)

    def add(self, worker: int, recording: Recording, kept: list[Calls]) -> None:
        """What a process has counted since it told last."""
        self.recording.merge(recording)
        self.kept.extend((worker, calls) for calls in kept)

    def so_far(self, counted: Recording) -> Recording:
        """`counted` with all that is known besides; not to be changed."""
        return msgspec.structs.replace(counted, environment=self.facts, events=self.events)

    def close(self) -> Recording:
        """The test is over: the whole recording."""
        self.facts["stopped_s"] = time.time()
        self.recording.environment = self.facts
        self.recording.events.extend(self.events)
        return self.recording
