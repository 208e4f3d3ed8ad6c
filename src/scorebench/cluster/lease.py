"""How long a worker may send without a word from its master. Pure: knows times, asks no clock."""

from __future__ import annotations

BEAT_S = 0.5
"""Between two beats of a worker."""
LEASE_S = 2.0
"""How long after a beat that the master has heard a worker may send. Longer than a busy process stalls."""
SILENT_S = 2.5
"""After so long without a beat a master deals the worker's calls to others: its lease is over by then."""
LATE_S = 3.0
"""So long after it was told something a worker may still go by what it knew before: its lease, a look at it,
and a message on its way."""
GIVE_UP_S = 10.0
"""After so long without a word a worker takes its master for dead."""


class Lease:
    """It lasts from the time of a beat that was answered: the worker's own clock alone counts."""

    def __init__(self, now_s: float) -> None:
        self._since_s = now_s
        self._beats: dict[int, float] = {}

    def beat(self, number: int, now_s: float) -> None:
        """A beat leaves."""
        self._beats[number] = now_s

    def heard(self, number: int) -> None:
        """The master has heard that beat."""
        if (sent_s := self._beats.pop(number, None)) is not None:
            self._since_s = max(self._since_s, sent_s)
        self._beats = {one: sent_s for one, sent_s in self._beats.items() if one > number}

    def holds(self, now_s: float) -> bool:
        """Whether calls may leave."""
        return now_s - self._since_s < LEASE_S

    def is_lost(self, now_s: float) -> bool:
        """Whether the master is dead, as far as anybody here can say."""
        return now_s - self._since_s > GIVE_UP_S
