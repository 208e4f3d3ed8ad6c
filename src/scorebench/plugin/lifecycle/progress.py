"""Watches a test while it runs: shows it, looks for the conditions that end it early.

Knows the role, what is gathered, and the clock; nothing of what happens at the end.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from scorebench.figures.live import Live, look
from scorebench.options.settings import Settings
from scorebench.plugin.lifecycle import stop_when
from scorebench.plugin.lifecycle.asked import Asked
from scorebench.plugin.lifecycle.ending import Ending
from scorebench.plugin.lifecycle.gathered import Gathered
from scorebench.plugin.lifecycle.helpers import Helpers
from scorebench.plugin.lifecycle.live_view import LiveView, wants_json
from scorebench.plugin.lifecycle.roles import Role
from scorebench.plugin.lifecycle.states import UNDER_WAY, Course, State
from scorebench.recordings.happenings import STOPPED_EARLY
from scorebench.recordings.recording import Recording
from scorebench.report import sent
from scorebench.report.words import plain
from scorebench.verdicts.limits import StopWhen

if TYPE_CHECKING:
    from locust.env import Environment


class Progress:
    """What a test has come to until now."""

    def __init__(
        self,
        *,
        environment: Environment,
        course: Course,
        role: Role,
        gathered: Gathered,
        asked: Asked,
        ending: Ending,
        helpers: Helpers,
    ) -> None:
        self._environment, self._course, self._role = environment, course, role
        self._gathered, self._asked, self._ending = gathered, asked, ending
        self._helpers = helpers
        self._settings: Settings | None = None
        self._view: LiveView | None = None

    def begin(self, settings: Settings) -> None:
        """A test begins: show it, unless Locust's page does, and look for conditions of --stop-when."""
        self._settings = settings
        if self._environment.web_ui is None:
            self._say_what_is_sent(settings)
            self._view = LiveView(self._helpers.watched("live view", self.look), quiet=settings.quiet)
            self._view.start()
        if settings.stop_when:
            self._helpers.spawn(
                "watch for --stop-when",
                stop_when.watch,
                settings.stop_when,
                self._if_running,
                self._role.waiting,
                self._on_lost,
            )

    def _say_what_is_sent(self, settings: Settings) -> None:
        facts = self._gathered.facts
        if (rows := sent.rows(facts)) and not settings.quiet and not wants_json():
            print(f"sending {plain(rows)}, to {plain(sent.place(facts))}", file=sys.stderr, flush=True)

    def end(self) -> None:
        """The test is over: leave the screen as it was."""
        if self._view is not None:
            self._view.end()

    @property
    def is_under_way(self) -> bool:
        """Whether a test sends or waits for its last answers."""
        return self._course.state in UNDER_WAY

    def so_far(self) -> Recording:
        """What was counted until now, on its way to the report; not to be changed."""
        return self._gathered.so_far(self._role.so_far())

    def known_s(self) -> int:
        """The Unix second before which all calls have been heard of."""
        return int(time.time()) - self._role.behind_s

    def look(self) -> Live | None:
        """The test that runs, for its watchers; None once it is over."""
        settings, now_s = self._settings, time.time()
        if self._course.state not in UNDER_WAY or settings is None:
            return None
        started_s = self._gathered.facts["started_s"]
        runner = self._environment.runner
        return look(
            self.so_far(),
            now_s=now_s,
            started_s=started_s,
            of_s=settings.run_time_s,
            of_calls=settings.most_calls(self._asked.bodies),
            users=runner.user_count if runner else None,
            offered_per_s=None if settings.arrivals is None else settings.arrivals.rate_at(now_s - started_s),
            behind_s=self._role.behind_s,
        )

    def _if_running(self) -> Recording | None:
        return self.so_far() if self._course.state is State.RUNNING else None

    def _on_lost(self, condition: StopWhen) -> None:
        self._gathered.note(STOPPED_EARLY, condition.text)
        self._ending.soon()
