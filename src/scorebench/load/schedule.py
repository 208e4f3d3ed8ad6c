"""Tickets of an open loop: which call is due when. Knows tickets and how many bodies there are; no socket.

Each free user takes the next ticket, so nothing is dropped in silence: when all users are busy the next due
time is already past, the call leaves at once, and its response time counts the wait.
"""

from __future__ import annotations

import itertools
from array import array
from dataclasses import dataclass

from scorebench.load.dealing import Epoch, Tickets

ALL_USERS_BUSY = "the run ended with all users busy"
"""A cause of calls that were never sent: no user was free for them. Any other cause is the generator's."""
GENERATOR_LATE = "users were free, and the generator did not wake them"
NO_USERS = "the worker that they were dealt to had no user to send them"


@dataclass(frozen=True)
class NeverSent:
    """Calls that were due and that nobody sent: why, and when each was due, on the process's clock."""

    cause: str
    due_s: array[float]
    """As numbers of 8 bytes: a server far below its rate leaves millions of calls."""


class Schedule:
    """Due times on the process's clock, from `start_s` on, each with the payload to send."""

    def __init__(self, tickets: Tickets, bodies: int, start_s: float) -> None:
        self._tickets, self._bodies, self._start_s = tickets, bodies, start_s
        self._given_back: list[tuple[float, int]] = []
        self.taken = 0
        """Tickets that users hold or have used: what was given back is not among them."""

    def take(self) -> tuple[float, int] | None:
        """The next due time and payload; None when there are no more calls."""
        if self._given_back:
            self.taken += 1
            return self._given_back.pop()
        try:
            due_s, number = next(self._tickets)
        except StopIteration:
            return None
        self.taken += 1
        return self._start_s + due_s, number % self._bodies

    def give_back(self, ticket: tuple[float, int]) -> None:
        """A call that was not sent: its user was killed, or has to wait no longer. The next to take."""
        self.taken -= 1
        self._given_back.append(ticket)

    def change(self, epoch: Epoch, now_s: float) -> None:
        """Who sends what is dealt anew. No user holds a ticket that is due after `now_s` of the clock."""
        kept = [ticket for ticket in self._given_back if ticket[0] < self._start_s + epoch.from_s]
        self._given_back = sorted(kept, reverse=True)
        self._tickets.change(epoch, now_s - self._start_s)

    def skip(self, until_s: float) -> int:
        """Leave out all calls that are due before `until_s`: how many there were."""
        skipped = 0
        while (ticket := self.take()) is not None:
            if ticket[0] >= until_s:
                self.give_back(ticket)
                break
            skipped += 1
        self.taken -= skipped
        return skipped

    def never_sent(self, until_s: float) -> NeverSent:
        """Calls that were due before `until_s` and that nobody sent; ends the schedule.

        A ticket that is given back after its time had a user who waited for it: the generator is late, with
        it and with all that come after.
        """
        held = [due_s for due_s, _ in self._given_back if due_s < until_s]
        rest = (self._start_s + due_s for due_s, _ in self._tickets)
        left = itertools.takewhile(lambda due_s: due_s < until_s, rest)
        return NeverSent(GENERATOR_LATE if held else ALL_USERS_BUSY, array("d", itertools.chain(held, left)))
