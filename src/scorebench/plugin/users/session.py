"""A run inside one process: what its users share, from the first call to the last.

Knows payloads, connections and the batch of calls; Locust only as the environment that owns it.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter as clock
from typing import TYPE_CHECKING, Any

import gevent
import numpy as np
from gevent.event import Event

from scorebench.answers.answer import Judge, describe
from scorebench.answers.http_message import Answer, CallFailed
from scorebench.answers.outcome import Group, Outcome
from scorebench.client.connection import Connection
from scorebench.client.tls import client_context
from scorebench.client.watchdog import Watchdog
from scorebench.load.schedule import Schedule
from scorebench.options.settings import Settings
from scorebench.payloads.payload import Payload
from scorebench.plugin.users.requests import requests_of
from scorebench.plugin.users.waker import Waker
from scorebench.recordings.calls import FIELDS_PER_CALL, Calls, from_numbers
from scorebench.recordings.recording import Recording

if TYPE_CHECKING:
    from locust.env import Environment

BREATH_S = 0.001
"""Between two steps of counting a batch. Not 0: gevent goes on at once then, and looks at no socket first."""
STEP_S, PATIENCE = 0.0005, 5
"""What a step takes at most, about; and how often it is put off for a user who is due."""
_ATTRIBUTE = "scorebench_session"
_EXPECTED_BYTES = 32 * 2**20
"""Most memory for whole answers kept to compare with; beyond it answers are parsed."""


class Session:
    """One test from its start to its end, in one process. `numbers` is what the users append to."""

    BACK_OFF_S = 0.01

    def __init__(self, settings: Settings, payload: Payload, *, worker: int = 0, workers: int = 1) -> None:
        self.settings = settings
        self.payload = payload
        self._credentials = settings.credentials.load()
        self.messages = requests_of(settings.target, payload, self._credentials)
        self.expected: list[bytes | None] = [None] * len(self.messages)
        self.numbers: list[float] = []
        self.pending = Recording()
        """Counted since it was last taken: all of it in a local run, since the last report on a worker."""
        self.kept: list[Calls] = []
        """With --keep-calls, every batch since it was last taken."""
        self.waker = Waker()
        self.running = False
        self.active = 0
        self.epoch_s = time.time() - clock()
        self._expected_left = _EXPECTED_BYTES
        self._judge = Judge(payload.rows)
        self._rows = np.array(payload.rows, dtype=np.int64)
        self._watchdog = Watchdog()
        self._tls = client_context(settings.ca_file) if settings.target.scheme == "https" else None
        self._users = itertools.count()
        self._connections: set[Connection] = set()
        self._cutting = False
        self._silent_by_s = 0.0
        self._gone_reconnects = 0  # of connections that are closed
        self._reconnects = 0  # as told last
        self._changed = 0
        self._due = 0  # as told last
        self._calls = 0  # taken as columns since the start
        self._counting: Iterator[None] = iter(())
        self._started = Event()
        self.over = Event()
        """Set once no new call may leave."""
        self._exhausted = False
        self.on_start: Callable[[], None] = lambda: None
        """Called once, when the first call may leave."""
        self.on_exhausted: Callable[[], None] = lambda: None
        """Called once, when the last user has left because no calls are left to send."""
        self._worker, self._workers = worker, workers
        self.payloads: Iterator[int] = self._payload_order()
        self.schedule: Schedule | None = None
        self.start_s: float | None = None
        self.stop_s: float | None = None

    def _payload_order(self) -> Iterator[int]:
        """Payloads in turn; with --calls or --iterations this worker's share of them, to the call."""
        bodies = itertools.islice(
            itertools.cycle(range(len(self.messages))), self._worker, None, self._workers
        )
        calls = self.settings.most_calls(len(self.messages))
        if calls is None:
            return bodies
        return itertools.islice(bodies, len(range(self._worker, calls, self._workers)))

    def start(self) -> None:
        """Let the users begin: due times count from now."""
        self.start_s = clock()
        if self.settings.arrivals is not None:
            mine = self.settings.arrivals.share(self._worker, self._workers)
            self.schedule = Schedule(mine, self.payloads, self.start_s)
        self.running = True
        self._started.set()
        self.on_start()

    def wait_for_start(self) -> None:
        """Wait until `start`, which comes when the first user is there."""
        if not self.running and self.stop_s is None:
            self.start()
        self._started.wait()

    def finish(self, drain_s: float) -> None:
        """Send no new call, wait up to `drain_s` for those in flight, and cut off the rest."""
        if self.stop_s is not None:
            return
        self.stop_s = clock()
        self.running = False
        self.over.set()
        self._started.set()  # who waits for a start that won't come leaves
        self.waker.wake_all()
        self._wait_for_silence(drain_s)
        self._cutting = True
        for connection in self._connections:
            connection.give_up()
        self._wait_for_silence(1.0)
        if self.schedule is not None:
            for cause, calls in self.schedule.never_sent(self.stop_s).items():
                self.pending.add_never_sent(cause, calls)
                self.pending.add_due(calls)
        self.waker.close()
        self.flush()

    def cut_short(self) -> None:
        """Wait no longer for the calls in flight: they are cut off."""
        if not self._cutting:
            self._silent_by_s = 0.0

    def _wait_for_silence(self, limit_s: float) -> None:
        self._silent_by_s = clock() + limit_s
        while clock() < self._silent_by_s and (
            self.waker.waiting or any(c.in_call for c in self._connections)
        ):
            gevent.sleep(0.01)

    def next_user(self) -> int:
        """A number that no other user of this process had."""
        self.active += 1
        return next(self._users)

    def finished_user(self) -> None:
        """A user leaves because there is nothing left to send."""
        self._exhausted = self._exhausted or self.running

    def new_connection(self) -> Connection:
        """A connection to the target, watched for time-outs."""
        settings = self.settings
        connection = Connection(
            settings.target,
            self._watchdog,
            timeout_s=settings.timeout_s,
            connect_timeout_s=settings.connect_timeout_s,
            tls=self._tls,
            max_answer_bytes=settings.max_answer_bytes,
        )
        self._connections.add(connection)
        return connection

    def leave(self, connection: Connection) -> None:
        """A user is gone; its connection closes."""
        self.active -= 1
        self._connections.discard(connection)
        self._gone_reconnects += connection.reconnects
        connection.close()
        if self._exhausted and not self.active:
            self._exhausted = False
            self.on_exhausted()

    def judge(self, index: int, answer: Answer) -> Outcome:
        """The outcome of an answer that is not known to be valid, which then is."""
        outcome = self._judge.judge(index, answer)
        if outcome is not Outcome.VALID:
            shown = replace(answer, body=self._credentials.hidden(answer.body))
            self.pending.add_example(outcome.label, describe(shown))
        elif answer.raw is not None and (
            self.expected[index] is not None or len(answer.raw) <= self._expected_left
        ):
            if self.expected[index] is None:
                self._expected_left -= len(answer.raw)
            self.expected[index] = answer.raw
        return outcome

    def failed(self, failure: CallFailed) -> Outcome:
        """The outcome of a call without an answer."""
        outcome = Outcome.CUT_OFF if self._cutting else failure.outcome
        if outcome.group is not Group.CUT_OFF:
            shown = self._credentials.hidden(str(failure).encode("utf-8", "backslashreplace"))
            self.pending.add_example(outcome.label, shown.decode())
        return outcome

    def count(self, steps: Iterator[None]) -> None:
        """Take the steps of counting a batch one by one, users in between: they wait for none of them."""
        self.settle()
        self._counting = steps
        for _ in steps:
            self.make_way()

    def make_way(self) -> None:
        """Let users go first whose answers came, or who are due before a step of counting would be over."""
        for _ in range(PATIENCE):
            gevent.sleep(BREATH_S)
            if not self.waker.is_near(STEP_S):
                return

    def settle(self) -> None:
        """Finish the counting that goes on, for whoever needs its figures now."""
        for _ in self._counting:
            pass

    def take_calls(self) -> Calls | None:
        """The calls since the last time, as columns; None when there were none."""
        if not self.numbers:
            return None
        numbers = self.numbers.copy()
        self.numbers.clear()
        self._calls += len(numbers) // FIELDS_PER_CALL
        return from_numbers(numbers, self._rows, self.epoch_s)

    def flush(self) -> None:
        """Move what the connections and the judge counted into the recording."""
        reconnects = self._gone_reconnects + sum(c.reconnects for c in self._connections)
        self.pending.reconnects += reconnects - self._reconnects
        self._reconnects = reconnects
        self.pending.changed += self._judge.changed - self._changed
        self._changed = self._judge.changed
        if self.schedule is not None:
            self.pending.add_due(self.schedule.taken - self._due)
            self._due = self.schedule.taken

    def forget(self) -> None:
        """Drop what was counted and not taken yet. Tickets that users hold become calls later: due again."""
        self.take_calls()
        self.take_recording()
        self.take_kept()
        self._due = self._calls

    def take_kept(self) -> list[Calls]:
        """The batches kept since the last time."""
        taken, self.kept = self.kept, []
        return taken

    def take_recording(self) -> Recording:
        """What was counted since the last time."""
        self.settle()
        self.flush()
        taken, self.pending = self.pending, Recording()
        return taken


def session_of(environment: Environment) -> Any:
    """The session of the test that runs."""
    return getattr(environment, _ATTRIBUTE)


def set_session(environment: Environment, session: Session | None) -> None:
    """Make `session` the one of the test that runs."""
    setattr(environment, _ATTRIBUTE, session)
