"""A recording that grows → its last minutes, second by second. Knows tallies; no clock, no wording.

Cheap enough to be asked each second, however long the run: what is over is not computed again.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from scorebench.answers.outcome import Outcome
from scorebench.figures.timeline import SecondOfTimes, times_of_bands

if TYPE_CHECKING:
    from scorebench.recordings.recording import Recording
    from scorebench.recordings.tally import SecondTally

SPANS_S = (60, 120, 300)
"""What is shown: the shortest of these that holds the run, else the last five minutes."""
STRETCH_S = 5
"""Percentiles are taken over as long: in one second too few calls would support them."""
SETTLED_S = 10
"""By then all workers have reported a second."""


class Rates(NamedTuple):
    """Calls sent, and valid answers, in the second that began at `t_s` (Unix)."""

    t_s: int
    sent: int
    valid: int


class LastMinutes:
    """The rates of each second, and the response times of each stretch of seconds, warm-up included."""

    def __init__(self) -> None:
        self._of: int | None = None
        self._rates: dict[int, Rates] = {}
        self._times: dict[int, SecondOfTimes] = {}
        self.span_s = SPANS_S[0]
        self.known_s = 0

    def see(self, recording: Recording, known_s: int) -> None:
        """Take over what was counted until the second `known_s` began, of which all calls are known."""
        tallies = [recording.warm_up.seconds, recording.measured.seconds]
        begun = [next(iter(seconds)) for seconds in tallies if seconds]
        if not begun or min(begun) != self._of:  # another run, or one that was reset
            self._rates, self._times, self._of = {}, {}, min(begun, default=None)
        if self._of is None:
            return
        self.known_s = known_s
        self.span_s = next((span for span in SPANS_S if span >= known_s - self._of), SPANS_S[-1])
        first = max(self._of + 1, known_s - SPANS_S[-1])  # the run's first second is a part of one
        for t_s in range(first, known_s):
            if t_s not in self._rates or t_s >= known_s - SETTLED_S:
                self._rates[t_s] = _rates(t_s, _tallied(tallies, t_s))
        for t_s in range(first - first % STRETCH_S, known_s - STRETCH_S + 1, STRETCH_S):
            if t_s not in self._times or t_s + STRETCH_S > known_s - SETTLED_S:
                self._times[t_s] = _times(t_s, tallies)
        for t_s in [t_s for t_s in self._rates if t_s < first]:
            del self._rates[t_s]
        for t_s in [t_s for t_s in self._times if t_s < first - STRETCH_S]:
            del self._times[t_s]

    def see_all(self, recording: Recording) -> None:
        """Take over all of a run that ended but its last second, which is a part of one."""
        seconds = [*recording.warm_up.seconds, *recording.measured.seconds]
        self.see(recording, max(seconds, default=0))

    @property
    def rates(self) -> list[Rates]:
        """In their order; a second without calls has zeros."""
        return [self._rates[t_s] for t_s in sorted(self._rates)]

    @property
    def times(self) -> list[SecondOfTimes]:
        """In their order; `t_s` is the Unix time at which the stretch began."""
        return [self._times[t_s] for t_s in sorted(self._times)]


def _tallied(tallies: list[dict[int, SecondTally]], t_s: int) -> list[SecondTally]:
    return [seconds[t_s] for seconds in tallies if t_s in seconds]


def _rates(t_s: int, found: list[SecondTally]) -> Rates:
    valid = sum(one.done.get(Outcome.VALID.label, 0) for one in found)
    return Rates(t_s, sum(one.sent for one in found), valid)


def _times(began_s: int, tallies: list[dict[int, SecondTally]]) -> SecondOfTimes:
    bands: Counter[int] = Counter()
    for t_s in range(began_s, began_s + STRETCH_S):
        for one in _tallied(tallies, t_s):
            bands.update(one.response_us)
    return SecondOfTimes(began_s, **times_of_bands(bands))
