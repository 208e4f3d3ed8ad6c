"""What part a process plays: what each of the three must be able to do, and the one that sends and reports.

Knows the sender and what is gathered; nothing of messages, which masters and workers know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from scorebench.options.settings import Settings
from scorebench.plugin.lifecycle.ending import Ending
from scorebench.plugin.lifecycle.gathered import Gathered
from scorebench.plugin.lifecycle.sender import Sender
from scorebench.recordings.recording import Recording


class Role(Protocol):
    """One process alone, a master, or a worker."""

    leads: bool
    """Whether it shows progress, writes the report and decides the exit code."""
    behind_s: int
    """Seconds after which it has heard of all calls of a second."""

    def prepare(self, settings: Settings) -> None:
        """Make ready for a test. Raises InputError where it can't be run; nothing has been sent then."""
        ...

    def begin(self) -> None:
        """The test that was prepared begins."""
        ...

    def fall_silent(self, settings: Settings) -> None:
        """The test is about to stop: return when all calls are done and counted."""
        ...

    def cut_short(self) -> None:
        """Wait for the calls in flight no longer."""
        ...

    def hand_over(self, report: Callable[[], None]) -> None:
        """All users are gone: call `report` once everything is gathered, or tell the process that reports."""
        ...

    def reset(self) -> None:
        """Locust's statistics were reset: drop what was counted."""
        ...

    def so_far(self) -> Recording:
        """What was counted until now; not to be changed."""
        ...

    def waiting(self) -> dict[int, int]:
        """{whole seconds that they have waited: calls in flight}, with --stop-when; else {}."""
        ...


class Alone:
    """One process that does everything."""

    leads = True
    behind_s = 1

    def __init__(self, sender: Sender, gathered: Gathered, ending: Ending) -> None:
        self._sender, self._gathered, self._ending = sender, gathered, ending
        sender.on_rejected = ending.soon

    def prepare(self, settings: Settings) -> None:
        session = self._sender.prepare(settings)
        session.sending.on_start = self._on_start
        session.sending.on_exhausted = self._ending.soon

    def begin(self) -> None:
        self._sender.begin()

    def _on_start(self) -> None:
        self._gathered.load_began()
        self._ending.count_from_now()

    def fall_silent(self, settings: Settings) -> None:
        self._sender.fall_silent(settings.drain_s)

    def cut_short(self) -> None:
        self._sender.cut_short()

    def hand_over(self, report: Callable[[], None]) -> None:
        self._gathered.add(0, *self._sender.take_all())
        report()

    def reset(self) -> None:
        self._gathered.reset()
        self._sender.forget()

    def so_far(self) -> Recording:
        if self._sender.session is not None:
            self._gathered.add(0, *self._sender.take())
        return self._gathered.recording

    def waiting(self) -> dict[int, int]:
        return self._sender.waiting()
