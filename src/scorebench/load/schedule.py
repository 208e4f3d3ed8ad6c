"""Tickets of an open loop: which call is due when. Knows a schedule and the payloads' order; no socket.

Each free user takes the next ticket, so nothing is dropped in silence: when all users are busy the next due
time is already past, the call leaves at once, and its response time counts the wait.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from scorebench.load.arrivals import Arrivals

ALL_USERS_BUSY = "the run ended with all users busy"
"""A cause of calls that were never sent: no user was free for them. Any other cause is the generator's."""
GENERATOR_LATE = "users were free, and the generator did not wake them"


class Schedule:
    """Due times on the process's clock, from `start_s` on, each with the payload to send."""

    def __init__(self, arrivals: Arrivals, payloads: Iterator[int], start_s: float) -> None:
        self._due_times = arrivals.due_times()
        self._payloads = payloads
        self._start_s = start_s
        self._given_back: list[tuple[float, int]] = []
        self.taken = 0
        """Tickets that users hold or have used: what was given back is not among them."""

    def take(self) -> tuple[float, int] | None:
        """The next due time and payload; None when there are no more calls."""
        if self._given_back:
            self.taken += 1
            return self._given_back.pop()
        try:
            due_s = self._start_s + next(self._due_times)
            index = next(self._payloads)
        except StopIteration:
            return None
        self.taken += 1
        return due_s, index

    def give_back(self, ticket: tuple[float, int]) -> None:
        """A call that was not sent: its user was killed, or the run ended, before. The next to take."""
        self.taken -= 1
        self._given_back.append(ticket)

    def never_sent(self, until_s: float) -> dict[str, int]:
        """Calls that were due before `until_s` and that nobody sent, by cause; ends the schedule.

        A ticket that is given back after its time had a user who waited for it: the generator is late, with
        it and with all that come after.
        """
        held = sum(1 for due_s, _ in self._given_back if due_s < until_s)
        rest = itertools.takewhile(lambda due_s: self._start_s + due_s < until_s, self._due_times)
        left = sum(1 for _ in zip(rest, self._payloads, strict=False))
        return {GENERATOR_LATE if held else ALL_USERS_BUSY: held + left}
