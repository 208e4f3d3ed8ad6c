"""A run under Locust, from its options to its report: local, on a master, on a worker.

Knows Locust's events and in which order they come; what is counted and printed is known elsewhere.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import gevent
import msgspec
from gevent.event import Event
from locust.runners import MasterRunner, WorkerRunner

from scorebench.client.probe import server_version
from scorebench.errors import InputError
from scorebench.figures.live import Live, look
from scorebench.options.settings import Settings
from scorebench.plugin.lifecycle import cluster, facts, in_advance, launcher, locust_stats, sampler, stop_when
from scorebench.plugin.lifecycle.asked import ELSEWHERE, Asked
from scorebench.plugin.lifecycle.leaving import Left, leave
from scorebench.plugin.page.live_view import LiveView
from scorebench.plugin.users import batches, plain
from scorebench.plugin.users.session import Session, session_of, set_session
from scorebench.recordings import types
from scorebench.recordings.calls import Calls
from scorebench.recordings.happenings import CUT_SHORT, LEFT_ALONE, SERVER_ENDED, STOPPED_EARLY
from scorebench.recordings.recording import Recording
from scorebench.recordings.warm_up_gate import WarmUpGate
from scorebench.runs.launch import FOLDER_VARIABLE, SERVER_VARIABLE
from scorebench.verdicts.limits import StopWhen

if TYPE_CHECKING:
    from locust.env import Environment


class Run:
    """What scorebench knows of an Environment, over all the tests that it runs."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.asked = Asked(environment)
        self.recording = Recording()
        self.kept: list[tuple[int, Calls]] = []
        """With --keep-calls: (worker, a batch of its calls)."""
        self.events: list[types.Event] = []
        """What happened besides calls in this test, each with `t_s` and `what`."""
        self.left: Left | None = None
        """What the last test left; None until it is over."""
        self.refused: str | None = None
        """Why the last test did not start, for who looks at the page."""
        self._settings: Settings | None = None
        """Those that the test began with; the page may change the options while it runs."""
        self._gate: WarmUpGate | None = None
        self._server: dict[str, Any] = json.loads(os.environ.get(SERVER_VARIABLE, "null")) or {}
        self._facts: dict[str, Any] = {}
        self._cluster = cluster.join(self)
        self._phase = "waiting"
        self._words = launcher.Words(self._on_word)
        self._view: LiveView | None = None
        self._silent = Event()
        """Set while nobody waits for calls in flight."""
        self._end: gevent.Greenlet | None = None
        self._batches: gevent.Greenlet | None = None

    @property
    def is_worker(self) -> bool:
        """Whether a master leads this process."""
        return isinstance(self.environment.runner, WorkerRunner)

    @property
    def is_master(self) -> bool:
        """Whether this process leads workers and sends no calls itself."""
        return isinstance(self.environment.runner, MasterRunner)

    def begin_run_time(self) -> None:
        """Count --run-time from now; once more, where another worker begins later than the first."""
        run_time_s = self.asked.run_time_s
        if self._end is not None:
            self._end.kill(block=False)
        if run_time_s:
            gevent.get_hub().loop.update_now()
            self._end = gevent.spawn_later(run_time_s, cluster.end_test, self)

    def check(self, settings: Settings | None = None) -> None:
        """Raise InputError for whatever is wrong before anything is sent; encode the payload."""
        settings = settings or self.asked.settings()
        self.asked.check(settings)
        if self.asked.needs_payload:
            self._server["version"] = server_version(settings.target, settings.ca_file)

    def start(self) -> None:
        """A test starts: everything from zero."""
        in_advance.pay()
        self._phase = "running"
        self.recording = Recording()
        self.left = self.refused = None
        self.kept.clear()
        self.events.clear()
        settings = self._settings = self.asked.settings()
        self.environment.stop_timeout = settings.drain_s
        if not self.is_worker:
            users = self.asked.options.num_users
            self._facts = facts.known(settings, self.asked.payload, self._server, users)
            if self.environment.web_ui is None:
                self._view = LiveView(self.look, quiet=settings.quiet)
                self._view.start()
            if settings.stop_when:
                gevent.spawn(stop_when.watch, settings.stop_when, self._if_running, self._lost)
        if self.is_master:
            self._cluster.deal()
            self.begin_run_time()
            gevent.spawn(self._hear_words)
            return
        if not self.asked.is_encoded(settings):
            # In a thread, since the worker's heartbeats must go on meanwhile.
            gevent.get_hub().threadpool.apply(self.asked.encode, (settings,))
        payload = self.asked.payload or ELSEWHERE
        worker, workers = self._cluster.place()
        self._gate = WarmUpGate(settings.warm_up.share(worker, workers))
        session = Session(settings, payload, worker=worker, workers=workers)
        session.on_start = self._cluster.begun
        session.on_exhausted = self._cluster.exhausted
        set_session(self.environment, session)
        self._spawn_helpers(session)
        gevent.spawn(self._hear_words)
        if not self.asked.needs_payload:
            session.start()

    def give_up(self, why: str) -> None:
        """The test that just began can't be run: let no user send anything, and stop it."""
        self._phase, self.refused = "refused", why
        set_session(self.environment, None)
        if self.environment.runner is not None:
            gevent.spawn_later(0.1, self.environment.runner.stop)

    def _spawn_helpers(self, session: Session) -> None:
        self._batches = gevent.spawn(batches.fire_regularly, self.environment, session)
        pids = self._server.get("pids") or ()
        gevent.spawn(
            sampler.sample_regularly,
            lambda sample: session.pending.resources.append(sample),  # noqa: PLW0108 (pending changes)
            lambda: session.stop_s is None,
            pids,
            self._user_count,
        )

    def _user_count(self) -> int:
        runner = self.environment.runner
        return 0 if runner is None else int(runner.user_count)

    def count(self, session: Session, calls: Calls) -> None:
        """A batch: into the recording, and into Locust's statistics."""
        if session.settings.keep_calls:
            session.kept.append(calls)
        assert self._gate is not None
        session.count(self._gate.adding(session.pending, calls))
        if self.asked.needs_payload:
            session.make_way()
            # No step of the counting, which others may have to finish: who listens to requests may wait.
            locust_stats.feed(self.environment, session.settings.target.path, calls)

    def so_far(self) -> Recording:
        """What was counted until now, on its way to the report; not to be changed."""
        session = session_of(self.environment)
        if session is not None:
            session.settle()
        counted = self.recording if self.is_master or session is None else session.pending
        return msgspec.structs.replace(counted, environment=self._facts, events=self.events)

    def _if_running(self) -> Recording | None:
        return self.so_far() if self._phase == "running" else None

    def _lost(self, condition: StopWhen) -> None:
        self.note(STOPPED_EARLY, condition.text)
        gevent.spawn(cluster.end_test, self)

    def look(self) -> Live | None:
        """The test that runs, for whoever watches; None once it is over."""
        settings, now_s = self._settings, time.time()
        if self._phase not in ("running", "stopping") or settings is None:
            return None
        started_s = self._facts["started_s"]
        return look(
            self.so_far(),
            now_s=now_s,
            started_s=started_s,
            of_s=settings.run_time_s,
            of_calls=settings.most_calls(self.asked.bodies),
            users=self.environment.runner.user_count if self.environment.runner else None,
            offered_per_s=None if settings.arrivals is None else settings.arrivals.rate_at(now_s - started_s),
            behind_s=cluster.BEHIND_S if self.is_master else 1,
        )

    def listen_to_launcher(self) -> None:
        """Hear, from whoever launched this process, what becomes of the server."""
        if FOLDER_VARIABLE in os.environ:
            gevent.spawn(launcher.hear, sys.stdin.fileno(), self._words.say)

    def _hear_words(self) -> None:
        """From now on: Locust forgets a stop that comes before it spawns users."""
        while self.environment.runner is not None and self.environment.runner.state == "ready":
            gevent.sleep(0.05)
        self._words.let_through()

    def _on_word(self, word: str) -> None:
        if word == CUT_SHORT:
            self.cut_short()
            return
        self.note(word)
        if word in (SERVER_ENDED, LEFT_ALONE):
            gevent.spawn(cluster.end_test, self)

    def note(self, what: str, why: str | None = None) -> None:
        """Keep an event with its time."""
        event: types.Event = {"t_s": time.time(), "what": what}
        if why:
            event["why"] = why
        self.events.append(event)

    def stopping(self) -> None:
        """The test is about to stop: no new call, and those in flight are waited for.

        Locust calls itself stopping only after this. Whoever stops it meanwhile (the run's time, its last
        call, a signal) waits here too, or the report would be written before the last calls are counted.
        """
        if self._phase == "stopping":
            self._silent.wait()
        if self._phase != "running" or self._settings is None:
            return
        self._phase = "stopping"
        self._silent.clear()
        try:
            self._fall_silent(self._settings)
        finally:
            self._silent.set()

    def interrupted(self) -> bool:
        """Ctrl-C: whether a test is stopping already, which it then cuts short.

        A terminal gives it to master and workers at once: a worker that has just heard the master's word to
        stop must not take it for the second. Its master tells it of that.
        """
        stopping = self._phase == "stopping"
        if stopping and not self.is_worker:
            self.cut_short()
        return stopping

    def cut_short(self) -> None:
        """Whoever stopped the test asks again: the calls in flight are waited for no longer."""
        if self._phase == "stopping" and all(event["what"] != CUT_SHORT for event in self.events):
            self.note(CUT_SHORT)
            self._cluster.cut_short()

    def _fall_silent(self, settings: Settings) -> None:
        if self.is_master:
            self._cluster.stop_workers(settings)
            return
        session = session_of(self.environment)
        session.finish(settings.drain_s)
        if self._batches not in (None, gevent.getcurrent()):  # who listens there may have asked for the stop
            self._batches.join()  # or Locust's statistics would lack what it is handing on
        batches.fire(self.environment, session)

    def stopped(self) -> None:
        """All users are gone: what they left becomes the report, or goes to the master."""
        if self._phase != "stopping" or self._settings is None:
            return
        self._phase = "stopped"
        if self._view is not None:
            self._view.end()
        if not self.is_master:
            session = session_of(self.environment)
            batches.fire(self.environment, session)
            if self.is_worker:
                self._cluster.send_last(session)
                return
            self.kept.extend((0, calls) for calls in session.take_kept())
            self.recording.merge(session.take_recording())
        self._facts["stopped_s"] = time.time()
        self.recording.environment = self._facts
        self.recording.events.extend(self.events)
        self.left = leave(self.recording, self.kept, self._settings, self._server_name(self._settings))
        self._cluster.left()

    def _server_name(self, settings: Settings) -> str:
        return str(self._server.get("kind") or settings.target.host)

    def reset(self) -> None:
        """Locust's statistics were reset: ours too."""
        self.recording = Recording()
        self.kept.clear()
        if self.is_master:
            self._cluster.reset_workers()
        elif not self.is_worker:
            self.forget()

    def forget(self) -> None:
        """Drop what this process counted and did not hand on yet."""
        session = session_of(self.environment)
        if session is not None:
            session.forget()

    def end(self) -> None:
        """Locust is about to exit: the exit code is the verdict's."""
        runner = self.environment.runner
        if runner is not None and runner.state not in ("ready", "stopped", "missing"):
            # SIGINT and SIGTERM come here with the test still running. Not stop(): a master forgets whom it
            # stopped, and would leave its workers to themselves for a minute.
            runner.quit()
        if self.is_worker:
            self.environment.process_exit_code = 0
        elif self.left is not None:
            self.environment.process_exit_code = self.left.verdict.exit_code

    def print_report(self) -> None:
        """The report, after all that Locust prints."""
        if self.left is not None and not getattr(self.asked.options, "quiet", False):
            print(self.left.report, flush=True)


def refuse(error: InputError) -> None:
    """One line on stderr and exit 2, past Locust's own handlers."""
    print(f"scorebench: {error}", file=sys.stderr, flush=True)
    sys.exit(2)


def watch_plain_users(run: Run) -> None:
    """Count the requests of users that are not ours as calls."""
    plain.listen(run.environment)
