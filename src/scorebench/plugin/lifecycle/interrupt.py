"""Ctrl-C in Locust's process: ends the run, then the wait for its last calls, then that for its users.

Knows signals and the states of a test.

Python's own handler raises KeyboardInterrupt at any point of the process: in a user with its call, in
the midst of counting, or in the listener that writes the report; and that call, count or report is lost.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from gevent import get_hub, spawn

from scorebench.plugin.lifecycle.states import ENDING, Course, State

PATIENCE_S = 1.0
"""How long calls in flight may take to be cut off. Who asks again before that asked twice at once."""


class Interrupts:
    """What each Ctrl-C asks for, by the state of the test."""

    def __init__(self, course: Course, hurry: Callable[[], None]) -> None:
        """`hurry` cuts off the calls in flight."""
        self._course, self._hurry = course, hurry
        self._has_ended_run = self._is_over = False
        self._hurried_s = 0.0

    def next(self, *, leads: bool) -> bool:
        """One more: whether Locust must hear of it. It need not where a test is stopping; that is cut short.

        A terminal gives it to master and workers at once: a worker (`leads` is false) that has just heard the
        master's word to stop must not take it for the second. Its master tells it of that.
        """
        if self._course.state not in ENDING:
            self._has_ended_run, again = True, self._has_ended_run
            return not again
        if not leads:
            return False
        if self._course.state is State.HURRYING and self._hurried_s:
            self._is_over = time.monotonic() - self._hurried_s > PATIENCE_S
            return self._is_over
        self._hurried_s = time.monotonic()
        self._hurry()
        return False

    def wait_for(self, end: Callable[[], None]) -> None:
        """Have Locust end all users. KeyboardInterrupt where that is not to be waited for any more."""
        if self._is_over:
            raise KeyboardInterrupt
        end()


def listen(raises: Callable[[], bool]) -> None:
    """SIGINT raises KeyboardInterrupt in the main greenlet alone, where Locust awaits it.

    `raises` is asked first, and says whether it does. A process that ignores SIGINT, as a shell has
    what runs in its background do, goes on ignoring it.
    """

    def on_signal(_number: int, _frame: object) -> None:
        spawn(hear)

    def hear() -> None:
        if raises():
            hub = get_hub()
            hub.loop.run_callback(hub.parent.throw, KeyboardInterrupt)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, on_signal)
