"""How one greenlet waits, at most until a deadline. Knows gevent's hub and a clock; no socket.

`Connection` waits by it for its server, and `Watchdog` wakes it when its deadline has passed.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter as clock
from typing import Any

from gevent import get_hub, getcurrent
from greenlet import greenlet

from scorebench.client.watchdog import GIVEN_UP, NEVER


class Waiter:
    """The waits of one greenlet at a time."""

    def __init__(self) -> None:
        # greenlet's own switch: gevent's first asks whether the hub itself waits, which no call does.
        self._hub_switch = greenlet.switch.__get__(get_hub())
        self._caller: Any = None
        self._resume: Callable[[], object]
        self._waiting = False
        self.deadline = NEVER
        """When the call in flight times out; GIVEN_UP cuts it off at the watchdog's next look."""

    @property
    def in_call(self) -> bool:
        """Whether a call is in flight."""
        return self.deadline != NEVER

    def give_up(self) -> None:
        """Cut off the call in flight at the watchdog's next look; without a call nothing happens."""
        if self.in_call:
            self.deadline = GIVEN_UP

    def expire(self) -> None:
        """Wake a call that is past its deadline, which ends it. The watchdog calls this, in the hub."""
        self._wake()

    def allow(self, limit_s: float) -> None:
        """Move the deadline to `limit_s` from now, unless the call was given up."""
        if self.deadline != GIVEN_UP:
            self.deadline = clock() + limit_s

    def wait(self) -> None:
        """Switch to the hub until a watcher or the watchdog wakes this greenlet; TimeoutError if too late."""
        if clock() >= self.deadline:
            raise TimeoutError
        self._waiting = True
        self._hub_switch()

    def wait_for(self, file: int, events: int) -> None:
        """Wait until the file descriptor is ready, with a watcher for this wait alone."""
        watcher = get_hub().loop.io(file, events)
        watcher.start(self._wake)
        try:
            self.wait()
        finally:
            watcher.stop()
            watcher.close()

    def _begin(self, limit_s: float) -> None:
        """Make the current greenlet the one that waits."""
        self._caller = getcurrent()
        self._resume = self._caller.switch
        self.deadline = clock() + limit_s

    def _wake(self) -> bool:
        """Resume the greenlet if it waits; whether it did."""
        waiting, self._waiting = self._waiting, False
        if waiting:
            self._resume()
        return waiting
