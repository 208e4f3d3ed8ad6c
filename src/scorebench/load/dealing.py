"""Who sends which ticket of a schedule, while workers come and go. Arithmetic; no clock, no worker.

Ticket k is the k-th call of the one seeded schedule that a single process would send. In each epoch it goes
to the member at place k modulo the number of members. As every ticket has one owner, whatever the members
are, the workers' calls together are that schedule: even arrivals stay even, and a Poisson process stays one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, takewhile

import numpy as np

from scorebench.load.arrivals import Arrivals

Ticket = tuple[float, int]
"""Seconds from the schedule's start, and the number of the call."""


@dataclass(frozen=True)
class Epoch:
    """From `from_s` of the schedule on, ticket k goes to the member at place k modulo `members`."""

    from_s: float = 0.0
    place: int | None = 0
    """Of the worker that it was dealt to; None: it is no member."""
    members: int = 1

    def __post_init__(self) -> None:
        if self.place is not None and not 0 <= self.place < self.members:
            raise ValueError(f"place {self.place} of {self.members}: places count from 0")

    def deals(self, number: int) -> bool:
        """Whether ticket `number` is this worker's."""
        return self.place is not None and number % self.members == self.place


class Tickets(Iterator[Ticket]):
    """The tickets of one worker, in the order of their due times, over all epochs that it has heard of."""

    def __init__(self, arrivals: Arrivals, epoch: Epoch | None = None, most_calls: int | None = None) -> None:
        """Without an `epoch` all tickets are this worker's; the schedule ends before ticket `most_calls`."""
        self._schedule = _Schedule(arrivals, most_calls)
        self._epoch = epoch or Epoch()
        self._last = -1
        self._tickets: Iterator[Ticket] = self._schedule.tickets(self._epoch)

    def __next__(self) -> Ticket:
        ticket = next(self._tickets)
        self._last = ticket[1]
        return ticket

    def change(self, epoch: Epoch, now_s: float) -> None:
        """From `epoch.from_s` on its dealing holds. Tickets taken that are due after `now_s` were given back.

        Who hears of it late has sent some calls already that are another's now: they are not taken back. What
        it should have sent meanwhile it still does.
        """
        before, last = self._epoch, self._last

        def is_open(ticket: Ticket) -> bool:
            return not (ticket[0] <= now_s and ticket[1] <= last and before.deals(ticket[1]))

        old = takewhile(lambda ticket: ticket[0] < epoch.from_s, self._tickets)
        self._tickets = chain(old, filter(is_open, self._schedule.tickets(epoch)))
        self._epoch = epoch


class _Schedule:
    """The whole schedule, of which each epoch deals a part."""

    def __init__(self, arrivals: Arrivals, most_calls: int | None) -> None:
        self._blocks = arrivals.blocks()
        self._run_time_s = math.inf if arrivals.run_time_s is None else arrivals.run_time_s
        self._most_calls = math.inf if most_calls is None else most_calls

    def tickets(self, epoch: Epoch) -> Iterator[Ticket]:
        """Those that `epoch` deals to this worker, from its beginning to the schedule's end."""
        if epoch.place is None:
            return
        for first, counts in self._blocks.since(epoch.from_s):
            offset = (epoch.place - first) % epoch.members
            due_s = self._blocks.due_s(counts[offset :: epoch.members])
            begin, end = np.searchsorted(due_s, (epoch.from_s, self._run_time_s)).tolist()
            end = int(min(end, self._before_last(first + offset, epoch.members)))
            numbers = range(first + offset, first + len(counts), epoch.members)
            yield from zip(due_s[begin:end].tolist(), numbers[begin:end], strict=True)
            if end < len(due_s) or first + len(counts) >= self._most_calls:
                return

    def _before_last(self, first: int, step: int) -> float:
        """How many of the numbers first, first + step, … come before the last call."""
        left = self._most_calls - first
        return left if left == math.inf else max(-(-left // step), 0)
