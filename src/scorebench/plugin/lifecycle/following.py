"""A worker follows its master: sends what it is dealt, for as long as its master hears of it.

Knows our messages, the lease and the share of this process; nothing of how calls are sent or counted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter as clock
from typing import Any

import gevent
from gevent.event import Event
from gevent.queue import Queue
from locust.runners import WorkerRunner

from scorebench.cluster.lease import BEAT_S, Lease
from scorebench.load.members import Deal
from scorebench.load.schedule import NO_USERS
from scorebench.plugin.lifecycle import messages
from scorebench.plugin.lifecycle.messages import Alive, Beat, Dealt, Exhausted, Unsent
from scorebench.plugin.lifecycle.sender import Sender
from scorebench.plugin.users.session import Session
from scorebench.recordings.lost import STOOD_STILL

LOOK_S = 0.25
FIRST = 2
"""libev's highest priority. After a stop, the lease is looked at before any user goes on."""
LEAVE_S = 1.5
"""How long a worker that is asked to end goes on until others have taken over."""


class Following:
    """One test of a worker after the other."""

    def __init__(
        self, runner: WorkerRunner, sender: Sender, on_lost: Callable[[], None], *, is_forked: bool
    ) -> None:
        """`on_lost` is called once in a test whose master is dead. `is_forked`: it started this process."""
        self._runner, self._sender, self._on_lost = runner, sender, on_lost
        self._queue: Queue = Queue()
        self._greenlets: list[gevent.Greenlet] = []
        self._lease = Lease(clock())
        self._held = False
        self._deals = 0
        self._out = Event()
        """Set once others send what this worker would have."""
        self.number = 0
        """What this worker is called in recordings."""
        self._parent = os.getppid() if is_forked else None
        self._guard: Any = None
        runner.register_message(messages.DEALT, self._on_dealt)
        runner.register_message(messages.ALIVE, self._on_alive)

    def prepare(self) -> None:
        """Another test: what was dealt for the last one counts no more."""
        self.end()
        self._queue = Queue()
        self._deals = 0
        self._out.clear()

    def begin(self, session: Session) -> None:
        """Users of `session` send what is dealt from now on."""
        share = session.sending.share
        share.on_exhausted = lambda: self._send(messages.EXHAUSTED, Exhausted(self._deals))
        self._lease, self._held = Lease(clock()), False
        self._guard = gevent.get_hub().loop.timer(LOOK_S, repeat=LOOK_S, ref=False, priority=FIRST)
        self._guard.start(self._look, session)
        self._greenlets = [gevent.spawn(self._beat, session), gevent.spawn(self._follow, session)]

    def end(self) -> None:
        """No new call leaves any more."""
        gevent.killall(self._greenlets, block=False)
        self._greenlets = []
        if self._guard is not None:
            self._guard.stop()
            self._guard.close()
            self._guard = None

    def leave(self, session: Session) -> None:
        """Tell that this worker goes, and send on until the others have taken over."""
        share, until_s = session.sending.share, clock() + LEAVE_S
        numbers = messages.spans(share.give_up(1))
        self._send(messages.LEAVING, Unsent(numbers, warm_up_calls=session.gate.calls_left))
        while clock() < until_s and not session.is_over:
            if self._out.is_set() and share.is_exhausted:
                return
            gevent.sleep(0.02)

    def _on_dealt(self, environment: Any, msg: Any) -> None:  # noqa: ARG002 (Locust's names)
        self._queue.put((messages.content(msg, Dealt), clock()))

    def _on_alive(self, environment: Any, msg: Any) -> None:  # noqa: ARG002
        alive = messages.content(msg, Alive)
        self._lease.heard(alive.number)
        session = self._sender.session
        if self._held and alive.is_member and session is not None and self._lease.holds(clock()):
            self._let_go(session)

    def _look(self, session: Session) -> None:
        """Hold the calls when the lease is over. Called by the loop itself: it must not wait."""
        if not self._held and not self._lease.holds(clock()):
            self._held = True
            session.sending.share.hold()
        if self._lease.is_lost(clock()) or self._parent not in (None, os.getppid()):
            session.sending.share.hold()
            self._guard.stop()
            gevent.spawn(self._on_lost)

    def _let_go(self, session: Session) -> None:
        self._held = False
        session.sending.share.release()

    def _beat(self, session: Session) -> None:
        number = 0
        while not session.is_over:
            number += 1
            self._lease.beat(number, clock())
            sender = self._sender
            self._send(messages.BEAT, Beat(number, sender.done, sender.in_flight, sender.waiting()))
            gevent.sleep(BEAT_S)

    def _follow(self, session: Session) -> None:
        while not session.is_over:
            what, heard_s = self._queue.get()
            self._apply(session, what, heard_s)

    def _apply(self, session: Session, what: Dealt, heard_s: float) -> None:
        share, epochs = session.sending.share, messages.epochs_of(what)
        if what.is_withdrawn:
            self._withdraw(session, epochs[-1].from_s)
            return
        numbers = messages.ranges(what.numbers)
        if not self._deals:
            zero_s = None if what.at_s is None else heard_s - what.at_s
            if zero_s is not None:
                session.gate.begin_s = session.counting.epoch_s + zero_s  # it began before this process came
            share.deal(Deal(epochs[-1], numbers), zero_s)
        else:
            self._miss(session, STOOD_STILL, share.change(epochs, stood_still=what.stood_still))
            share.add(numbers)
        self.number = what.number
        session.gate.calls_left += what.warm_up_calls
        self._deals += 1
        if what.gives_up:
            given = messages.spans(share.give_up(what.gives_up))
            self._send(messages.GIVEN, Unsent(given, what.taker))
        if what.stood_still and self._held:
            self._let_go(session)
        if epochs and epochs[-1].place is None:
            self._out.set()

    def _withdraw(self, session: Session, from_s: float) -> None:
        """Others send what this worker was dealt; it is dealt to anew, as one that comes, if users come."""
        warm_up_s = session.settings.warm_up.seconds
        self._miss(session, NO_USERS, session.sending.share.withdraw(warm_up_s, from_s))
        session.gate.calls_left = 0
        self._deals = 0

    def _miss(self, session: Session, cause: str, calls: int) -> None:
        if calls:
            session.counting.pending.add_never_sent(cause, calls)
            session.counting.pending.add_due(calls)

    def _send(self, message: str, what: Any) -> None:
        self._runner.send_message(message, messages.saying(what))
