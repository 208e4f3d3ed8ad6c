"""The most calls that a worker can have had: those that its epochs dealt to it.

Nobody but the worker knows what it sent; what it was given to send, its master knows. Knows arrivals and
epochs; nothing of messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scorebench.load.arrivals import Arrivals
    from scorebench.load.dealing import Epoch


class Dealt:
    """How many calls of one schedule were dealt to whom."""

    def __init__(self, arrivals: Arrivals, most_calls: int | None = None) -> None:
        """The schedule ends before call `most_calls`."""
        self._blocks = arrivals.blocks()
        self._run_time_s = inf if arrivals.run_time_s is None else arrivals.run_time_s
        self._most_calls = most_calls
        self._before: dict[float, int] = {}

    def most(self, epochs: Sequence[Epoch], until_s: float, late_s: float) -> int:
        """Calls due before `until_s` of the schedule that a worker of these `epochs` can have had.

        It may hear of an epoch `late_s` after that began, and goes by the one before until then.
        """
        ends_s = [epoch.from_s + late_s for epoch in epochs[1:]] + [inf]
        return sum(
            len(self._numbers(epoch, min(end_s, until_s)))
            for epoch, end_s in zip(epochs, ends_s, strict=True)
            if epoch.place is not None
        )

    def _numbers(self, epoch: Epoch, end_s: float) -> range:
        """The numbers that an epoch deals to its worker, were it to last until `end_s`."""
        first = self._calls_before(epoch.from_s)
        mine = first + ((epoch.place or 0) - first) % epoch.members
        return range(mine, self._calls_before(end_s), epoch.members)

    def _calls_before(self, at_s: float) -> int:
        """Calls due before `at_s`: the number of the first that is not."""
        at_s = min(at_s, self._run_time_s)
        if at_s not in self._before:
            calls = self._blocks.calls_before(at_s)
            self._before[at_s] = calls if self._most_calls is None else min(calls, self._most_calls)
        return self._before[at_s]
