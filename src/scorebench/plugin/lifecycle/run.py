"""A run under Locust, from its options to its report: what happens at each of Locust's events.

Knows the table of states and the role that this process plays; not how calls are sent, counted or shown.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import gevent
import locust.log
from locust.runners import MasterRunner, WorkerRunner

from scorebench.client.floor import floor_of
from scorebench.client.probe import server_version
from scorebench.options.names import value_of
from scorebench.options.settings import Settings
from scorebench.plugin.lifecycle import facts, in_advance, launcher
from scorebench.plugin.lifecycle.asked import Asked
from scorebench.plugin.lifecycle.ending import Ending
from scorebench.plugin.lifecycle.gathered import Gathered
from scorebench.plugin.lifecycle.helpers import Helpers
from scorebench.plugin.lifecycle.interrupt import Interrupts
from scorebench.plugin.lifecycle.master import Master
from scorebench.plugin.lifecycle.others import Others
from scorebench.plugin.lifecycle.progress import Progress
from scorebench.plugin.lifecycle.raised import raised
from scorebench.plugin.lifecycle.results import Reporter, Results
from scorebench.plugin.lifecycle.roles import Alone, Role
from scorebench.plugin.lifecycle.scraping import Scraping
from scorebench.plugin.lifecycle.sender import Sender
from scorebench.plugin.lifecycle.states import ENDING, Course, Event
from scorebench.plugin.lifecycle.stopping import Stopping
from scorebench.plugin.lifecycle.telemetry import Telemetry
from scorebench.plugin.lifecycle.worker import Worker
from scorebench.plugin.lifecycle.writing import write_regularly
from scorebench.plugin.users.owners import current_user
from scorebench.plugin.users.session import set_session
from scorebench.recordings.happenings import (
    CUT_SHORT,
    LEFT_ALONE,
    SAMPLE,
    SERVER_ENDED,
    TASK_RAISED,
    USERS_MISSING,
)
from scorebench.runs.launch import FOLDER_VARIABLE, SERVER_VARIABLE
from scorebench.verdicts.exit_code import Decided, exit_code
from scorebench.verdicts.verdict import ExitCode

if TYPE_CHECKING:
    from locust.env import Environment


class Run:
    """What scorebench does in an Environment, over all the tests that it runs."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.asked = Asked(environment)
        self.refused: str | None = None
        """Why the last test did not start, for the page."""
        self._server: dict[str, Any] = json.loads(os.environ.get(SERVER_VARIABLE, "null")) or {}
        self._settings: Settings | None = None
        """Those that the test began with; the page may change the options while it runs."""
        self._course = Course()
        self.interrupts = Interrupts(self._course, self._hurry)
        self._gathered = Gathered()
        self._reporter = Reporter(self._gathered)
        self._helpers = Helpers(self._gathered.note)
        self._ending = Ending(environment, lambda: self.asked.run_time_s)
        self.others = Others(environment)
        self._role = self._join()
        self.progress = Progress(
            environment=environment,
            course=self._course,
            role=self._role,
            gathered=self._gathered,
            asked=self.asked,
            ending=self._ending,
            helpers=self._helpers,
        )
        self._words = launcher.Words(self._on_word)
        self._telemetry = Telemetry()
        self._scraping = Scraping(self._gathered, self._helpers, self.asked.access)
        self._stopping = Stopping()

    def _join(self) -> Role:
        """The part that this process plays."""
        runner = self.environment.runner
        if isinstance(runner, MasterRunner):
            return Master(runner, self.asked, self._gathered, self._ending)
        sender = Sender(self.environment, self.asked, self.others)
        if isinstance(runner, WorkerRunner):
            return Worker(runner, self.asked, sender, self._hurry)
        return Alone(sender, self._gathered, self._ending)

    @property
    def leads(self) -> bool:
        """Whether this process makes the report; a worker leaves that to its master."""
        return self._role.leads

    @property
    def results(self) -> Results | None:
        """Those of the last test; None until it is over."""
        return self._reporter.results

    def check(self, settings: Settings | None = None) -> None:
        """Raise InputError for whatever is wrong before anything is sent; encode the payload."""
        settings = settings or self.asked.settings()
        self.asked.check(settings)
        if self.leads:
            self._scraping.check(settings)
        if self.leads and self.asked.payload is not None and not settings.quiet:
            for note in self.asked.payload.notes:
                print(f"scorebench: {note}", file=sys.stderr, flush=True)
        if self.asked.needs_payload:
            there = self.asked.reached(settings).target
            self._server["version"] = server_version(there, settings.ca_file, settings.certificate)
            if settings.timings and self.leads:
                self._server["floor"] = floor_of(there, settings.ca_file, settings.certificate)

    def start(self, *, checked: bool) -> None:
        """A test starts: everything from zero. Raises InputError where its options are wrong.

        `checked` says whether `check` has looked at them already.
        """
        self._course.take(Event.START)
        if not checked:
            in_advance.pay(value_of(self.asked.options, "calls"))
            self.check()
        settings = self.asked.settings()
        known = self._facts(settings) if self.leads else {}  # others run meanwhile, and may stop the test
        self._role.prepare(settings)
        self._course.take(Event.BEGIN)
        self._settings, self.refused = settings, None
        if self.asked.only_ours:
            self.environment.stop_timeout = settings.drain_s
        self.asked.give_back_run_time()
        if self.leads:
            atexit.register(self.left)
            server_name = str(self._server.get("kind") or settings.target.host or "locust")
            self._gathered.begin(known, self._reporter.begin(settings, server_name).path)
            self._helpers.spawn("journal", write_regularly, self._gathered, self._role, self._course)
            self.progress.begin(settings)
            self._telemetry.begin(settings.otlp)
            if settings.otlp is not None:
                self._helpers.spawn("telemetry", self._telemetry.send_regularly, self.progress)
        if self.leads:
            self._scraping.begin(settings)
        self._role.begin()
        self._helpers.spawn("launcher's words", self._words.let_through_once, self._ending.is_possible)

    def _facts(self, settings: Settings) -> dict[str, Any]:
        users = getattr(self.asked.options, "num_users", None)
        return facts.known(self.asked.reached(settings), self.asked.payload, self._server, users)

    def give_up(self, why: str) -> None:
        """The test that just started can't be run: let no user send anything, and stop it."""
        self._course.take(Event.REFUSE)
        self.refused = why
        set_session(self.environment, None)
        if self.environment.runner is not None:
            gevent.spawn_later(0.1, self.environment.runner.stop)

    def listen_to_launcher(self) -> None:
        """Hear, from the command that launched this process, what becomes of the server."""
        if FOLDER_VARIABLE in os.environ:
            self._helpers.spawn("launcher's words", launcher.hear, sys.stdin.fileno(), self._words.say)

    def _on_word(self, word: str) -> None:
        if word == CUT_SHORT:
            self._hurry()
            return
        if word.startswith(SAMPLE):
            self._gathered.sampled(word.removeprefix(SAMPLE))
            return
        self._gathered.note(word)
        if word in (SERVER_ENDED, LEFT_ALONE):
            self._ending.soon()

    def stopping(self) -> None:
        """The test is about to stop: no new call, and those in flight are waited for.

        Locust calls itself stopping only after this. What stops it meanwhile (the run's time, its last
        call, a signal) waits here too, or the report would be written before the last calls are counted.
        """
        if not (self._course.take(Event.STOP) and self._course.state in ENDING):
            self._stopping.wait()
            # A user is ended by whoever stopped the test first, and would wait for itself.
            if current_user() is None:
                self._stopping.wait_for_end(self.environment.stop_timeout or 0.0)
            return
        assert self._settings is not None
        self._stopping.begin()
        self._gathered.load_ended()
        if self.leads and (missing := self._ending.missing_users(self.asked.all_at_once)):
            self._gathered.note(USERS_MISSING, missing)
        try:
            self._role.fall_silent(self._settings)
            self._scraping.end()  # here, since whoever ends Locust waits for this, and for no later greenlet
        finally:
            self._stopping.fell_silent()

    def _hurry(self) -> None:
        """Someone who has stopped the test asks again: the calls in flight are waited for no longer."""
        if self._course.take(Event.HURRY):
            self._gathered.note(CUT_SHORT)
            self._role.cut_short()

    def stopped(self) -> None:
        """All users are gone: what they left becomes the report, or goes to the master."""
        if self._course.take(Event.END):
            atexit.unregister(self.left)
            self.progress.end()
            try:
                self._role.hand_over(self._report)
            finally:
                self._stopping.ended()

    def _report(self) -> None:
        assert self._settings is not None
        self._gathered.add_events(self.others.take_events())
        runner = self.environment.runner
        for why in raised(runner.exceptions.values() if runner else ()):
            self._gathered.note(TASK_RAISED, why)
        self._gathered.close()
        self._reporter.write(self._gathered.kept)
        self._telemetry.end(self._gathered.recording)
        if self.environment.parsed_options is None and self.environment.web_ui is None:
            self.print_report()  # as a library Locust fires no event when all is over

    def reset(self) -> None:
        """Locust's statistics were reset: ours too."""
        self._role.reset()

    def end(self) -> None:
        """Locust is about to exit: the exit code is the verdict's."""
        runner = self.environment.runner
        try:
            if runner is not None and runner.state not in ("ready", "stopped", "missing"):
                # SIGINT and SIGTERM come here with the test still running. Not stop(): a master forgets whom
                # it stopped, and would leave its workers to themselves for a minute.
                self.interrupts.wait_for(runner.quit)
            self._stopping.wait_for_end(self.environment.stop_timeout or 0.0)
            if self._course.state in ENDING:
                self.stopped()  # whoever stopped the test came to no end
        except KeyboardInterrupt:
            self.stopped()  # without the users that do not end
        self._telemetry.wait()
        if not self.leads:
            if self.asked.only_ours and self.environment.process_exit_code is None:
                self.environment.process_exit_code = 0
        elif self.results is not None:
            self.environment.process_exit_code = exit_code(
                self.results.verdict.exit_code,
                self._decided(),
                answered=self.results.summary.valid > 0,
                kept=not self.results.unwritten,
            )

    def left(self) -> None:
        """Python ends with the test still running, as after `sys.exit` in a task: Locust fires no event."""
        self.end()
        self.print_report()

    def _decided(self) -> Decided:
        runner = self.environment.runner
        return Decided(
            by_locustfile=self.environment.process_exit_code,
            on_error=getattr(self.asked.options, "exit_code_on_error", int(ExitCode.CALLS_FAILED)),
            task_raised=bool(runner and runner.exceptions),
            listener_raised=locust.log.unhandled_greenlet_exception,
        )

    def print_report(self) -> None:
        """The report, after all that Locust prints."""
        if self.results is None:
            return
        self.others.leave_out()
        if self._gathered.add_events(self.others.take_events()):
            self._reporter.write()
        self._reporter.print(quiet=bool(value_of(self.asked.options, "quiet")))
