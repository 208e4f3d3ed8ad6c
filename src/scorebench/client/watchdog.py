"""Ends the wait of calls that are past their deadline. Knows gevent's loop and a clock; nothing of HTTP.

One timer looks over all connections ten times a second: a `gevent.Timeout` for each call would cost 3 µs,
this costs a call one number.
"""

from __future__ import annotations

from time import perf_counter as clock
from typing import Any, Protocol

from gevent import get_hub

NEVER = float("inf")
GIVEN_UP = 0.0
"""A deadline that has always passed, whatever the clock says."""
PERIOD_S = 0.1


class Watched(Protocol):
    """What has a deadline, on `time.perf_counter`'s clock, and can be told that it has passed."""

    deadline: float
    unsure: bool
    """Set at each look: what sends must look itself before it sends again."""

    def expire(self) -> None: ...


class Watchdog:
    """Looks over what is watched until nothing is. A call may outlast its deadline by one PERIOD_S."""

    def __init__(self) -> None:
        self._watched: set[Watched] = set()
        self._timer: Any = None
        self._next_look_s = 0.0

    def watch(self, connection: Watched) -> None:
        """Look over `connection` from now on."""
        self._watched.add(connection)
        if self._timer is None:
            self._timer = get_hub().loop.timer(PERIOD_S, repeat=PERIOD_S, ref=False)
            self._timer.start(self._look)
            self._next_look_s = clock() + PERIOD_S

    def forget(self, connection: Watched) -> None:
        """Look over `connection` no longer."""
        self._watched.discard(connection)
        if not self._watched and self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def _look(self) -> None:
        now = clock()
        stalled_s = now - self._next_look_s  # the loop was busy, or the process was stopped
        self._next_look_s = now + PERIOD_S
        for connection in list(self._watched):
            connection.unsure = True
            if stalled_s > PERIOD_S and NEVER > connection.deadline > GIVEN_UP:
                connection.deadline += stalled_s
            if connection.deadline < now:
                connection.expire()
