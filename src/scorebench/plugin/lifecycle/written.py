"""Writes down what is counted while the test goes on, so that a process that is killed loses seconds.

Knows the journal and the run's folder; nothing of Locust or of who counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent

from scorebench.errors import InputError
from scorebench.folders.journal import Journal
from scorebench.recordings.recording import Recording
from scorebench.recordings.types import Event

PERIOD_S = 2.0
"""Between two entries. A worker tells every 3 s, so that its calls are on disk after 5 s at most."""


class WrittenDown:
    """The journal of one test: begun with the first call, so that a test without calls leaves no folder."""

    def __init__(self, folder: Callable[[], Path], facts: dict[str, Any]) -> None:
        self._folder, self._facts = folder, facts
        self._journal: Journal | None = None
        self._broken = False
        self._since = Recording()
        self._events = 0  # of those that happened, how many are written down

    def add(self, recording: Recording) -> None:
        """Keep what was counted for the next entry."""
        if not self._broken:
            self._since.merge(recording)

    def reset(self) -> None:
        """What was counted is dropped."""
        self._since = Recording()
        if self._journal is not None:
            self._try(self._journal.reset)

    def write(self, events: list[Event]) -> None:
        """One entry. Where it does not fit, no more are written: the end says so.

        Without new calls too, once there were some: a server that hangs leaves none, and the recording of a
        run that is killed then must cover that time.
        """
        since = self._since
        if self._broken or (self._journal is None and not (since.measured.calls or since.warm_up.calls)):
            return
        self._since = Recording()
        self._try(lambda: self._append(since, events[self._events :]))
        self._events = len(events)

    def _append(self, since: Recording, events: list[Event]) -> None:
        if self._journal is None:
            self._journal = Journal(self._folder(), self._facts)
        self._journal.count(time.time(), since, events)
        gevent.get_hub().threadpool.spawn(self._sync, self._journal)

    @staticmethod
    def _sync(journal: Journal) -> None:
        with suppress(OSError, ValueError):  # closed meanwhile, or a disk that fails: the next write tells
            journal.sync()

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except (OSError, InputError, UnicodeEncodeError):
            self._broken = True

    def close(self, *, keep: bool) -> None:
        """The test is over; `keep` says whether its report could not be written."""
        if self._journal is not None:
            with suppress(OSError):
                self._journal.close(keep=keep)
            self._journal = None
