"""What one process sends in a test: all that was asked for, or what its master deals to it, and has anew.

Knows tickets, numbers of calls and gevent; nothing of connections, of what calls come to, or of messages.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter as clock

import gevent
from gevent.event import Event

from scorebench.load.dealing import Epoch, Tickets
from scorebench.load.members import Deal
from scorebench.load.numbers import Numbers, Ranges
from scorebench.load.schedule import Schedule
from scorebench.options.settings import Settings
from scorebench.plugin.users.waker import Waker

LOOK_S = 0.25
"""How often an idle user asks whether it is still wanted."""


class Share:
    """The calls of this process, and whether they may leave."""

    def __init__(self, settings: Settings, bodies: int, *, is_dealt: bool = False) -> None:
        """Where it `is_dealt`, a master says what is sent, and nothing is until then."""
        self.running = False
        """Whether a new call may leave."""
        self.is_over = False
        """Whether none will leave any more."""
        self.waker = Waker()
        self.payloads: Iterator[int] = iter(())
        """The bodies of a closed loop, in turn."""
        self.schedule: Schedule | None = None
        """The tickets of an open loop, once it has begun; None in a closed loop."""
        self.on_exhausted: Callable[[], None] = lambda: None
        """Called when all users wait, because nothing is left to send."""
        self._settings, self._bodies, self._is_dealt = settings, bodies, is_dealt
        self._tickets: Tickets | None = None
        """Of an open loop, from when they are dealt."""
        self._zero_s: float | None = None
        self._has_started = self._has_deal = False
        self._more = Event()
        self._idle = 0
        if not is_dealt:
            self._take(Deal(Epoch()))

    def start(self) -> None:
        """The users are there: due times count from now."""
        self._has_started = True
        if self._has_deal:
            self._begin()

    def deal(self, deal: Deal, zero_s: float | None) -> None:
        """What is sent at first; `zero_s` is the schedule's start on `time.perf_counter`'s clock.

        None: it starts when the users do.
        """
        self._zero_s = zero_s
        self._take(deal)
        if self._has_started:
            self._begin()

    def _take(self, deal: Deal) -> None:
        self._has_deal = True
        most_calls = self._settings.most_calls(self._bodies)
        if self._settings.arrivals is not None:
            self._tickets = Tickets(self._settings.arrivals, deal.epoch, most_calls)
        elif self._is_dealt and most_calls is not None:
            self.payloads = Numbers(self._bodies, deal.numbers)
        else:
            self.payloads = itertools.islice(_in_turn(self._bodies, deal.epoch), most_calls)

    def _begin(self) -> None:
        if self._tickets is not None:
            zero_s = clock() if self._zero_s is None else self._zero_s
            self.schedule = Schedule(self._tickets, self._bodies, zero_s)
        self.release()

    def withdraw(self, since_s: float, until_s: float) -> int:
        """Drop what was dealt, which others send from `until_s` of the schedule on.

        Returns how many calls that were due from `since_s` until then nobody sent. Users that have come
        meanwhile keep what they sent already, and send no more of it.
        """
        if self._has_started:
            self.give_up(1)
            return 0
        before = itertools.takewhile(lambda ticket: ticket[0] < until_s, self._tickets or ())
        missed = sum(due_s >= since_s for due_s, _ in before)
        self._tickets, self.payloads, self._has_deal = None, iter(()), False
        return missed

    def hold(self) -> None:
        """Send no new call until `release`; who waits for a due time gives its ticket back."""
        self.running = False
        self.waker.wake_all()

    def release(self) -> None:
        """Let calls leave, unless it is all over."""
        if not self.is_over:
            self.running = True
            self._wake_idle()

    def end(self) -> None:
        """Send nothing any more."""
        self.is_over = True
        self.hold()
        self._wake_idle()

    def change(self, epochs: Sequence[Epoch], *, stood_still: bool) -> int:
        """Send by other epochs from their times on; waits a moment for users that hold tickets.

        Where this process `stood_still`, the calls that came due meanwhile are left out: how many there were.
        """
        if self.schedule is None:
            if self._tickets is not None:
                for epoch in epochs:
                    self._tickets.change(epoch, 0.0)
            return 0
        was_running = self.running
        self.hold()
        while self.waker.waiting:
            gevent.sleep(0.001)
        for epoch in epochs:
            self.schedule.change(epoch, clock())
        skipped = self.schedule.skip(clock()) if stood_still else 0
        if was_running:
            self.release()
        return skipped

    def add(self, numbers: Ranges) -> None:
        """Send these calls of a closed loop too."""
        if numbers and isinstance(self.payloads, Numbers):
            self.payloads.add(numbers)
            self._wake_idle()

    def give_up(self, parts: int) -> Ranges:
        """Hand in one of `parts` parts of the numbers of calls that are left."""
        return self.payloads.give_up(parts) if isinstance(self.payloads, Numbers) else ()

    def wait_for_more(self, is_wanted: Callable[[], bool], users: Callable[[], int]) -> bool:
        """For a user with nothing to send: True once there may be something; False where it shall leave.

        `is_wanted` says whether Locust still wants this user, `users` how many there are.
        """
        if self.is_over or not is_wanted() or (self.running and not self._is_dealt):
            return False
        more = self._more
        self._idle += 1
        try:
            while not self.is_over and is_wanted():
                if self.running and self._idle >= users() and self.is_exhausted:
                    self.on_exhausted()
                if more.wait(LOOK_S):
                    return True
        finally:
            self._idle -= 1
        return False

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing is left to send, as far as is known here."""
        if isinstance(self.payloads, Numbers):
            return not self.payloads.left
        ticket = None if self.schedule is None else self.schedule.take()
        if self.schedule is not None and ticket is not None:
            self.schedule.give_back(ticket)
        return ticket is None

    def _wake_idle(self) -> None:
        before, self._more = self._more, Event()
        before.set()


def _in_turn(bodies: int, epoch: Epoch) -> Iterator[int]:
    """Payloads in turn, those of this worker's place."""
    return itertools.islice(itertools.cycle(range(bodies)), epoch.place or 0, None, epoch.members)
