"""Ends a test: when its time is up, when its last call is done, when it is lost.

Knows Locust's runner; nothing of what was counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent
from locust.runners import STATE_RUNNING, STATE_SPAWNING, STATE_STOPPED, MasterRunner

if TYPE_CHECKING:
    from locust.env import Environment


class Ending:
    """Stops the test, and Locust too where nobody looks at its page."""

    def __init__(self, environment: Environment, run_time_s: Callable[[], float | None]) -> None:
        self._environment, self._run_time_s = environment, run_time_s
        self._timer: gevent.Greenlet | None = None
        self._is_ending = self._is_running = False
        environment.events.test_start.add_listener(lambda **_: setattr(self, "_is_running", True))
        environment.events.test_stopping.add_listener(lambda **_: setattr(self, "_is_running", False))

    def count_from_now(self, grace_s: float = 0.0) -> None:
        """Count --run-time and `grace_s` from now; anew where another worker begins later."""
        if self._timer is not None:
            self._timer.kill(block=False)
        if run_time_s := self._run_time_s():
            gevent.get_hub().loop.update_now()  # which a timer counts from
            self._timer = gevent.spawn_later(run_time_s + grace_s, self._end)

    @property
    def is_ours(self) -> bool:
        """Whether the test that stops now is stopped from here: nobody else told Locust to."""
        return self._is_ending

    def is_possible(self) -> bool:
        """Whether Locust stops when told to; it forgets a stop that comes before it spawns users."""
        return self._environment.runner is None or self._environment.runner.state != "ready"

    def soon(self) -> None:
        """End the test in a greenlet of its own: the caller may be a user, which ends with it."""
        gevent.spawn(self._end)

    def leave(self) -> None:
        """Leave Locust, which waits for ever for workers that are all lost, unless its page is open."""
        if self._environment.web_ui is None and self._environment.runner is not None:
            gevent.spawn(self._environment.runner.quit)

    def missing_users(self, all_at_once: bool) -> str | None:
        """How many users had not started, if Locust still starts some: the load was never whole."""
        runner = self._environment.runner
        if runner is None or runner.state != STATE_SPAWNING or self._environment.shape_class is not None:
            return None
        if all_at_once:
            return None  # a master calls itself spawning for a second after its workers have begun
        here, asked = runner.user_count, runner.target_user_count
        return f"{here:,} of {asked:,} users had started when the run ended" if here < asked else None

    def _end(self) -> None:
        """Once at a time: the run's time and its last call may both end it, and Locust calls itself running
        until the calls in flight are done."""
        runner = self._environment.runner
        if self._is_running and isinstance(runner, MasterRunner) and runner.state == STATE_STOPPED:
            # So Locust calls a test whose workers are all lost, and it would never stop it then.
            runner.update_state(STATE_RUNNING)
        if self._is_ending or runner is None or runner.state in ("stopping", "stopped", "cleanup"):
            return
        self._is_ending = True
        try:
            if self._environment.web_ui is None:
                runner.quit()
            else:
                runner.stop()
        finally:
            self._is_ending = False
