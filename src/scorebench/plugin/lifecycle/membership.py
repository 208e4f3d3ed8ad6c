"""Who of the workers sends, and what: leads the members of one test through its epochs.

Knows Locust's master, our messages, and the clock; how calls are dealt is `load.members`'.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import gevent
from locust.runners import MasterRunner

from scorebench.cluster.lease import SILENT_S
from scorebench.load.members import Deals, Members
from scorebench.plugin.lifecycle import messages
from scorebench.plugin.lifecycle.gathered import Gathered
from scorebench.plugin.lifecycle.heard import Heard, Lost, ScheduleTime
from scorebench.plugin.lifecycle.messages import Alive, Beat, Exhausted, Unsent
from scorebench.recordings.happenings import (
    USERS_MISSING,
    WORKER_AWAY,
    WORKER_JOINED,
    WORKER_LEFT,
    WORKER_LOST,
)
from scorebench.units import say_seconds

LOOK_S = 0.25
DEAD_S = 15.0
"""After so long without a beat a worker is given up."""
DRAIN_S = 0.7
"""How long what a dead worker had sent may take to arrive."""
ALL_LEAVE_S = 1.0
"""Ctrl-C in a terminal has all workers leave, and the master stop so long after at most: that is no loss."""


class Membership:
    """The members of the test that runs, or of the last one."""

    def __init__(
        self,
        runner: MasterRunner,
        gathered: Gathered,
        *,
        is_dead: Callable[[str], bool],
        has_no_users: Callable[[str], bool],
        lock_out: Callable[..., None],
        end: Callable[[], None],
    ) -> None:
        """`is_dead` says whether a worker's process is known to have ended, by its name, `has_no_users`
        whether all users are started, and none that sends what is dealt is there.

        `lock_out` has Locust give a worker's users to others; `end` ends the test, when all is sent.
        """
        self._runner, self._gathered = runner, gathered
        self._is_dead, self._has_no_users = is_dead, has_no_users
        self._lock_out, self._end = lock_out, end
        self.dealing = Members(None)
        """Who is dealt what, by the workers' names."""
        self._first: frozenset[str] = frozenset()
        self.heard: dict[str, Heard] = {}
        self.losses: list[Lost] = []
        self._sending: set[str] = set()
        """Those whose users have begun."""
        self._handing: set[str] = set()
        """Those that were asked to give up numbers."""
        self._leavers: list[tuple[float, str]] = []
        """Those that left a moment ago: when, on the monotonic clock, and what to note of it."""
        self.time = ScheduleTime()
        self._is_active = False
        self.since_s = 0.0
        """When the test began, on the monotonic clock: no worker began before."""
        for message, listener in (
            (messages.BEAT, self._on_beat),
            (messages.EXHAUSTED, self._on_exhausted),
            (messages.GIVEN, self._on_given),
            (messages.LEAVING, self._on_leaving),
        ):
            runner.register_message(message, listener)

    def begin(self, names: list[str], most_calls: int | None, warm_up_calls: int) -> None:
        """A test begins with these workers; `most_calls` is the number of calls of a closed loop."""
        self.dealing, self._first = Members(most_calls, warm_up_calls), frozenset(names)
        self.since_s = now_s = time.monotonic()
        self.heard = {name: Heard(now_s) for name in names}
        self._sending.clear()
        self._handing.clear()
        self._leavers.clear()
        self.time = ScheduleTime()
        self.losses.clear()
        self._is_active = True
        self._tell(self.dealing.begin(names))

    def end(self, *, is_shared: bool, by_itself: bool) -> None:
        """Deal no more. If a rate or a number of calls `is_shared`, note workers that never had a user.

        `by_itself`: the test is over; nobody stopped it.
        """
        self._is_active = False
        if by_itself and self.dealing.here:
            self._note_leavers(math.inf)
        if is_shared and self.time.has_begun:
            for name in sorted(set(self.dealing.here) - self._sending):
                number = self.dealing.all[name].number
                self._note(USERS_MISSING, f"worker {number} had no user to send its share of the calls")

    def admit(self, name: str) -> None:
        """A worker comes while the test runs; it is dealt to once its users are there."""
        self.heard[name] = Heard(time.monotonic())

    def begun(self, name: str) -> bool:
        """The users of a worker are there. True where it was there from the beginning."""
        self._sending.add(name)
        if name in self._first:
            now_s = time.monotonic()
            self.time.begin(now_s)
            for heard in self.heard.values():
                heard.at_s = max(heard.at_s, now_s)
        elif self._is_active and name in self.heard and name not in self.dealing.here:
            self._tell(self.dealing.join(name, self.time.soon(time.monotonic())), taker=name)
            self._note(
                WORKER_JOINED,
                f"worker {self.number(name)} joined: {_workers(self.dealing)} share the load now",
            )
        return name in self._first

    def number(self, name: str) -> int | None:
        """What a worker is called in the recording; None for one that is no member, or given up."""
        heard, member = self.heard.get(name), self.dealing.all.get(name)
        if member is None or heard is None or (heard.is_last and heard.dead_s is not None):
            return None
        return member.number

    def watch(self) -> None:
        """Look after the members while the test runs; for a greenlet of its own."""
        before_s = time.monotonic()
        while self._is_active:
            now_s = time.monotonic()
            stalled_s = now_s - before_s - LOOK_S  # this process stood still itself, and beats wait unread
            before_s = now_s
            for name, heard in list(self.heard.items()):
                heard.excuse(stalled_s if stalled_s > LOOK_S else 0.0)
                self._look_at(name, heard, now_s)
            self._withdraw_from_idle()
            self._note_leavers(now_s - ALL_LEAVE_S)
            self._end_if_all_is_sent()
            gevent.sleep(LOOK_S)

    def _withdraw_from_idle(self) -> None:
        """Deal to others what lies with a worker that has no user of ours, as where users are mixed."""
        waiting = [name for name in self.dealing.here if name not in self._sending]
        for name in filter(self._has_no_users, waiting):
            self._tell(self.dealing.withdraw(name, self.time.at(time.monotonic())))
            self.heard[name].withdraw()
            self._first -= {name}

    def _look_at(self, name: str, heard: Heard, now_s: float) -> None:
        if heard.is_last or (heard.is_leaving and not self._is_dead(name)):
            return
        silent_s = now_s - heard.at_s
        if heard.dead_s is None and (self._is_dead(name) or silent_s > DEAD_S):
            heard.dead_s = now_s
            self._lock_out(name, for_good=True)
        if heard.away_s is None and (heard.dead_s is not None or silent_s > SILENT_S) and self.time.has_begun:
            heard.away_s = now_s
            self._lock_out(name, for_good=False)
            if name in self.dealing.here:
                self._tell(self.dealing.silence(name, self.time.soon(time.monotonic())))
        if heard.dead_s is not None and now_s - heard.dead_s > DRAIN_S:
            self._give_up(name, heard)

    def _give_up(self, name: str, heard: Heard) -> None:
        heard.is_last = True
        self._handing.discard(name)
        if name not in self.dealing.all:
            return  # it never sent
        self._tell(
            self.dealing.lose(name, self.time.soon(time.monotonic()), heard.reported, heard.reported_warm_up)
        )
        self.miss(name)

    def miss(self, name: str) -> None:
        """Note that a worker was lost, with most calls that it can have sent and not told of."""
        heard, member = self.heard[name], self.dealing.all[name]
        others_per_s = max(
            (one.fastest_per_s for one in self.heard.values() if one is not heard), default=None
        )
        most_calls = heard.most_lost(heard.dead_s or time.monotonic(), others_per_s)
        how_many = "an unknown number of" if most_calls is None else f"at most {most_calls:,}"
        self.losses.append(Lost(member.number, member.epochs, heard.reported))
        self._note(WORKER_LOST, f"worker {member.number}: {how_many} calls that it had sent are in no figure")

    def _on_beat(self, environment: Any, msg: Any) -> None:  # noqa: ARG002 (Locust's names)
        name, beat, now_s = msg.node_id, messages.content(msg, Beat), time.monotonic()
        heard = self.heard.get(name)
        if heard is None or heard.dead_s is not None:
            self._runner.send_message("quit", client_id=name)  # its calls are others' now
            return
        silent_s = heard.heard(beat, now_s)
        if heard.away_s is not None and self._is_active:
            self._come_back(name, heard, silent_s)
        is_member = name in self.dealing.here
        self._runner.send_message(messages.ALIVE, messages.saying(Alive(beat.number, is_member)), name)

    def _come_back(self, name: str, heard: Heard, silent_s: float) -> None:
        heard.away_s = None
        if name in self.dealing.all and (name in self._first or name in self._sending):
            self._tell(self.dealing.join(name, self.time.soon(time.monotonic())))
            self._note(
                WORKER_AWAY,
                f"worker {self.number(name)} was not heard of for {say_seconds(silent_s)}: the others had "
                "taken over its rate",
            )

    def _on_exhausted(self, environment: Any, msg: Any) -> None:  # noqa: ARG002
        if (heard := self.heard.get(msg.node_id)) is not None:
            heard.exhausted = messages.content(msg, Exhausted).deals
            self._end_if_all_is_sent()

    def _end_if_all_is_sent(self) -> None:
        """No member has anything left, and nothing is on its way to one of them."""
        here = [self.heard[name] for name in self.dealing.here]
        waited_for = [one for one in self.heard.values() if one.away_s is not None and not one.is_last]
        done = all(one.exhausted == one.deals for one in here)
        if self._is_active and here and done and not waited_for and not self._handing:
            self._is_active = False
            self._end()

    def _on_given(self, environment: Any, msg: Any) -> None:  # noqa: ARG002
        name, given = msg.node_id, messages.content(msg, Unsent)
        if name in self._handing and self._is_active:
            self._handing.discard(name)
            self._tell(self.dealing.hand(name, messages.ranges(given.numbers), given.taker))

    def _on_leaving(self, environment: Any, msg: Any) -> None:  # noqa: ARG002
        name, unsent = msg.node_id, messages.content(msg, Unsent)
        if not self._is_active or self.number(name) is None:
            return
        self.heard[name].is_leaving = True
        numbers = messages.ranges(unsent.numbers)
        self._tell(self.dealing.leave(name, self.time.soon(time.monotonic()), numbers, unsent.warm_up_calls))
        others = _workers(self.dealing)
        why = f"worker {self.number(name)} left: {others} took over what it had to send"
        self._leavers.append((time.monotonic(), why))

    def _note_leavers(self, until_s: float) -> None:
        """Those that left until then, if they are not noted yet."""
        for at_s, why in [one for one in self._leavers if one[0] <= until_s]:
            self._leavers.remove((at_s, why))
            self._note(WORKER_LEFT, why, at_s)

    def _tell(self, deals: Deals, taker: str = "") -> None:
        for name, deal in deals.items():
            heard, member = self.heard[name], self.dealing.all[name]
            if heard.away_s is not None or heard.is_last:
                continue  # it hears of all epochs when it comes back
            since = member.epochs[heard.epochs : -1]
            is_late = not heard.deals and name not in self._first
            at_s = self.time.for_a_late_one(time.monotonic()) if is_late else None
            heard.epochs, heard.deals = len(member.epochs), heard.deals + 1
            if deal.gives_up:
                self._handing.add(name)
            what = messages.dealt(deal, member.number, taker=taker, at_s=at_s, since=since)
            self._runner.send_message(messages.DEALT, messages.saying(what), name)

    def _note(self, what: str, why: str, at_s: float | None = None) -> None:
        """`at_s` is when it happened, on the monotonic clock, where that is not now."""
        second = self.time.at(time.monotonic() if at_s is None else at_s)
        self._gathered.note(what, f"{why}, from second {second:.0f}" if self.time.has_begun else why)


def _workers(members: Members) -> str:
    """How many send now."""
    return f"{len(members.here)} workers" if len(members.here) != 1 else "1 worker"
