"""The calls of this process: a session for each test, the greenlets that serve it, and where batches go.

Knows Locust's environment and the session; nothing of masters, workers or reports.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import gevent
import numpy as np
from locust.runners import STATE_RUNNING

from scorebench.options.settings import Settings
from scorebench.plugin.lifecycle import locust_stats, sampler
from scorebench.plugin.lifecycle.asked import ELSEWHERE, Asked
from scorebench.plugin.lifecycle.helpers import Helpers
from scorebench.plugin.lifecycle.others import Others
from scorebench.plugin.users import batches
from scorebench.plugin.users.session import Session, session_of, set_session
from scorebench.recordings.calls import Calls
from scorebench.recordings.happenings import ALL_REJECTED, USERS_MISSING
from scorebench.recordings.recording import Recording
from scorebench.recordings.requests import Name

if TYPE_CHECKING:
    from locust.env import Environment


REJECTED_S = 0.4
"""How long the server may reject every call, from its first answer on, before the run is stopped."""
LOOK_S = 0.1
START_S = 10.0
"""How long a user may take to get ready, besides connecting; then the others begin without it."""


class Sender:
    """Sends and counts the calls of one process, test after test."""

    def __init__(self, environment: Environment, asked: Asked, others: Others) -> None:
        self._environment, self._asked, self._others = environment, asked, others
        self._helpers = Helpers(self.note)
        self.on_rejected: Callable[[], None] = lambda: None
        """Called where the server rejects every call; what it said is an event of the recording then."""
        self._next: Session | None = None
        self._batches: gevent.Greenlet | None = None
        batches.calls_event(environment).add_listener(self._helpers.watched("counting", self._count))

    @property
    def session(self) -> Session | None:
        """That of the test that runs, or of the last one."""
        session: Session | None = session_of(self._environment)
        return session

    @property
    def done(self) -> int:
        """Calls of all users that ended since the test began."""
        return self._others.done + (0 if self.session is None else self.session.counting.done)

    @property
    def in_flight(self) -> int:
        """Most calls that can be under way: one a user, or more where a user has a pool."""
        return max(self._user_count(), self._others.in_flight)

    def waiting(self) -> dict[int, int]:
        """{whole seconds that they have waited: calls in flight}, with --stop-when; else {}."""
        return {} if self.session is None else self.session.waiting(self._others.sent_s)

    def prepare(self, settings: Settings, *, is_dealt: bool = False) -> Session:
        """The session that `begin` begins; `is_dealt`: a master says what is sent. Raises InputError."""
        if not self._asked.is_encoded(settings):
            # In a thread, since a worker's heartbeats must go on meanwhile.
            gevent.get_hub().threadpool.apply(self._asked.encode, (settings,))
        payload, access = self._asked.payload or ELSEWHERE, self._asked.access(settings)
        self._next = Session(settings, payload, access, is_dealt=is_dealt)
        return self._next

    def begin(self) -> None:
        """Users send for the session that was prepared, from now on."""
        if self.session is not None:
            self.session.finish(0.0)  # where Locust has started a test twice, the first is none
        session, self._next = self._next, None
        assert session is not None
        set_session(self._environment, session)
        self._batches = self._helpers.spawn(
            "counting", batches.fire_regularly, self._environment, session, self._others.take
        )
        self._helpers.spawn(
            "sampler",
            sampler.sample_regularly,
            lambda sample: session.counting.pending.resources.append(sample),  # noqa: PLW0108 (pending changes)
            lambda: not session.is_over,
            self._user_count,
        )
        if self._asked.needs_payload:
            self._helpers.spawn("watch for rejections", self._watch_rejections, session)
        if not self._asked.needs_payload:
            session.sending.start()  # users that are not ours wait for nobody
        elif self._asked.all_at_once:
            session.sending.gather()
            self._helpers.spawn("start", self._start_when_all_are_here, session)

    def _start_when_all_are_here(self, session: Session) -> None:
        runner = self._environment.runner
        assert runner is not None
        while runner.state != STATE_RUNNING and not session.is_over:
            gevent.sleep(0.01)
        counts = runner.user_classes_count
        session.sending.expect(sum(counts[name] for name in self._asked.names_of_our_users))
        if missing := session.sending.start_by(session.settings.connect_timeout_s + START_S):
            here, expected = missing
            self.note(USERS_MISSING, f"{here:,} of {expected:,} users were ready at the start")

    def _watch_rejections(self, session: Session) -> None:
        rejections = session.counting.rejections
        patience_s = REJECTED_S
        while not (session.is_over or rejections.is_ruled_out):
            if rejections.message is not None:
                patience_s -= LOOK_S
                if patience_s <= 0:
                    session.counting.note(ALL_REJECTED, rejections.message)
                    self.on_rejected()
                    return
            gevent.sleep(LOOK_S)

    def _user_count(self) -> int:
        runner = self._environment.runner
        return 0 if runner is None else int(runner.user_count)

    def _count(self, session: Session, calls: Calls, names: Sequence[Name] | None) -> None:
        """A batch: into the recording, and where it is ours into Locust's statistics."""
        counting = session.counting
        if session.settings.keep_calls:
            counting.kept.append(calls)
        path = session.settings.target.path.partition("?")[0]  # its query may hold a secret
        if names is not None:
            if session.settings.arrivals is not None:  # those of our users; others' calls are due when sent
                counting.pending.add_due(len(calls))
            counting.count(session.gate.adding(counting.pending, calls, names))
            return
        if self._asked.only_ours:
            counting.count(session.gate.adding(counting.pending, calls))
        else:
            alike = replace(calls, payload=np.zeros_like(calls.payload))
            counting.count(session.gate.adding(counting.pending, alike, [(locust_stats.METHOD, path)]))
        counting.make_way()
        # No step of the counting, which others may have to finish: who listens to requests may wait.
        locust_stats.feed(self._environment, path, calls)

    def note(self, what: str, why: str) -> None:
        """Keep an event among what this process has counted: it reaches the report with that."""
        if self.session is not None:
            self.session.counting.note(what, why)

    def so_far(self) -> Recording | None:
        """What was counted and not taken yet; None where no test has begun."""
        return None if self.session is None else self.session.so_far()

    def fall_silent(self, drain_s: float) -> None:
        """Send no new call, and count those in flight when they are done, or cut off."""
        session = self._begun()
        if not self._asked.only_ours:
            self._others.stopping()
        session.finish(drain_s)
        if self._batches not in (None, gevent.getcurrent()):  # who listens there may have asked for the stop
            self._batches.join()  # or Locust's statistics would lack what it is handing on
        batches.fire(self._environment, session, self._others.take)

    def take(self) -> tuple[Recording, list[Calls]]:
        """What was counted since the last time, and with --keep-calls its batches."""
        session = self._begun()
        kept = session.counting.take_kept()
        return session.take_recording(), kept

    def take_all(self) -> tuple[Recording, list[Calls]]:
        """All users are gone: what they left too."""
        session = self._begun()
        self._others.close(in_background=not self._asked.only_ours)
        batches.fire(self._environment, session, self._others.take)
        session.counting.pending.events.extend(self._others.take_events())
        return self.take()

    def _begun(self) -> Session:
        assert self.session is not None
        return self.session

    def cut_short(self) -> None:
        """Wait for the calls in flight no longer."""
        if self.session is not None:
            self.session.sending.cut_short()

    def forget(self) -> None:
        """Drop what was counted and not taken yet."""
        if self.session is not None:
            self._others.forget()
            self.session.forget()
