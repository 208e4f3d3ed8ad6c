"""What one test has gathered until now, from this process or from its workers; the report is made of it.

Knows recordings and the time of day; nothing of Locust or of who counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from scorebench.plugin.lifecycle.written import WrittenDown
from scorebench.recordings import types
from scorebench.recordings.calls import Calls
from scorebench.recordings.recording import Recording

MOST_ONCE = 1_000
"""Of the last events so many are looked at for one that came before."""


class Gathered:
    """Counts, events and facts of the test that runs, or of the last one."""

    def __init__(self) -> None:
        self.recording = Recording()
        self.kept: list[tuple[int, Calls]] = []
        """With --keep-calls: (worker, a batch of its calls)."""
        self.events: list[types.Event] = []
        """What happened besides calls, each with `t_s` and `what`."""
        self.samples: list[types.Sample] = []
        """Of the server, from the process that started it."""
        self._scraped = Recording()
        """The metrics of the server."""
        self.facts: dict[str, Any] = {}
        """What the figures depend on: the `environment` of a recording."""
        self._written: WrittenDown | None = None
        self._began = False

    def begin(self, facts: dict[str, Any], folder: Callable[[], Path]) -> None:
        """A test starts: everything from zero. `folder` makes the one that it is written down in."""
        self._written = None
        self.reset()
        self.events.clear()
        self.samples.clear()
        self._scraped = Recording()
        self.facts, self._began = facts, False
        self._written = WrittenDown(folder, facts)

    def write_down(self) -> None:
        """Have the disk hold what was counted until now."""
        if self._written is not None:
            self._written.write(self.events)

    def reported(self, *, in_a_recording: bool) -> None:
        """The report was made: the journal is needed only if the report holds no recording."""
        if self._written is not None:
            self._written.close(keep=not in_a_recording)

    def load_began(self) -> None:
        """The first call may leave; where several processes begin, the first of them counts."""
        if not self._began:
            self._began = True
            self.facts["started_s"] = time.time()

    def load_ended(self) -> None:
        """No call is sent from now on: the time that rates are taken over ends here."""
        self.facts["load_ended_s"] = time.time()

    def reset(self) -> None:
        """Drop what was counted; what happened has happened."""
        self.recording = Recording()
        self.kept.clear()
        if self._written is not None:
            self._written.reset()

    def note(self, what: str, why: str | None = None) -> None:
        """Keep an event with its time."""
        event: types.Event = {"t_s": time.time(), "what": what}
        if why:
            event["why"] = why
        self.events.append(event)

    def note_once(self, what: str, why: str) -> None:
        """Keep an event that may come again and again, the first time."""
        if not any(event["what"] == what and event.get("why") == why for event in self.events[-MOST_ONCE:]):
            self.note(what, why)

    def add_events(self, events: list[types.Event]) -> bool:
        """Add to the recording what others noted; False if there is nothing."""
        self.recording.events.extend(events)
        return bool(events)

    def sampled(self, text: str) -> None:
        """Keep a sample of the server, told as JSON."""
        sample = msgspec.json.decode(text, type=types.Sample)
        self.samples.append(sample)
        if self._written is not None:
            self._written.add(Recording(resources=[sample]))

    def scraped(self, at_s: float, counters: Mapping[str, float], gauges: Mapping[str, float]) -> None:
        """Keep what the server's metrics were: those that are new."""
        self._scraped.add_scrape(at_s, counters, gauges)
        if self._written is not None:
            since = Recording()
            since.add_scrape(at_s, counters, gauges)
            self._written.add(since)

    def add(self, worker: int, recording: Recording, kept: list[Calls]) -> None:
        """What a process has counted since it told last."""
        self.recording.merge(recording)
        if self._written is not None:
            self._written.add(recording)
        self.kept.extend((worker, calls) for calls in kept)

    def so_far(self, counted: Recording) -> Recording:
        """`counted` with all that is known besides; not to be changed."""
        resources = counted.resources + self.samples
        return msgspec.structs.replace(
            counted, environment=self.facts, events=self.events, resources=resources
        )

    def close(self) -> Recording:
        """The test is over: the whole recording."""
        self.facts["stopped_s"] = time.time()
        self.recording.environment = self.facts
        self.recording.events.extend(self.events)
        self.recording.resources.extend(self.samples)
        self.recording.merge(self._scraped)
        return self.recording
