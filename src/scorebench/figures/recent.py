"""The last seconds of a run, as figures: what changed between two looks at its recording. Knows no clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scorebench.answers.outcome import Group
from scorebench.figures.metrics import find
from scorebench.figures.streams import NO_STREAMS, StreamFigures, streams_of
from scorebench.figures.times import NO_TIMES, Times, times_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scorebench.recordings.recording import Recording

WINDOW_S = 4.0
"""Longer than the three seconds between a worker's reports."""


@dataclass(frozen=True)
class Look:
    """What was counted until `at_s`; less an earlier look, the figures of the time between."""

    at_s: float
    valid: int
    finished: int
    """Calls that ended, those cut off left out."""
    rows: int
    changed: int
    service: Times
    response: Times
    lag: Times
    streams: StreamFigures | None
    timed_out: Times
    """From sent, of the calls that a time limit ended."""
    unanswered: Times
    """The same from due."""
    in_flight: Times
    """How long the calls that are in flight at `at_s` have waited, in whole seconds."""

    def since(self, then: Look) -> Look:
        """What was counted after `then`; `at_s` is how long that is."""
        return Look(
            at_s=self.at_s - then.at_s,
            valid=self.valid - then.valid,
            finished=self.finished - then.finished,
            rows=self.rows - then.rows,
            changed=self.changed - then.changed,
            service=_gained(then.service, self.service),
            response=_gained(then.response, self.response),
            lag=_gained(then.lag, self.lag),
            streams=_streams_gained(then.streams or NO_STREAMS, self.streams, self.at_s - then.at_s),
            timed_out=_gained(then.timed_out, self.timed_out),
            unanswered=_gained(then.unanswered, self.unanswered),
            in_flight=self.in_flight,
        )

    @property
    def service_waits(self) -> Times:
        return self.timed_out.joined(self.in_flight)

    @property
    def response_waits(self) -> Times:
        return self.unanswered.joined(self.in_flight)

    @property
    def valid_share(self) -> float | None:
        return self.valid / self.finished if self.finished else None

    @property
    def changed_share(self) -> float | None:
        return min(self.changed / self.valid, 1.0) if self.valid else None

    @property
    def throughput_per_s(self) -> float | None:
        return self.valid / self.at_s

    @property
    def rows_per_s(self) -> float | None:
        return self.rows / self.at_s


class Recent:
    """Figures of the calls that ended in the last seconds, and of those in flight; knows no clock."""

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._looks: deque[Look] = deque()

    def see(self, at_s: float, recording: Recording, waits: Mapping[int, int] | None = None) -> None:
        """Look at what was counted until `at_s` (seconds, of any clock).

        `waits` has the calls in flight by the whole seconds that they have waited.
        """
        self._looks.append(_look(at_s, recording, waits or {}))
        while len(self._looks) > 2 and self._looks[1].at_s <= at_s - self._window_s:
            self._looks.popleft()

    def figure(self, metric: str) -> float | None:
        """Like `Summary.figure`, in SI units; None until the window is full, or if there is none in it.

        A time is that of the calls that ended, or with those in flight at what they have waited, if more.
        """
        if not self._looks or self._looks[-1].at_s - self._looks[0].at_s < self._window_s:
            return None
        return find(metric).last(self._looks[-1].since(self._looks[0]))


def _look(at_s: float, recording: Recording, waits: Mapping[int, int]) -> Look:
    measured = recording.measured
    ended = measured.outcomes
    return Look(
        at_s=at_s,
        valid=measured.valid,
        finished=sum(calls for outcome, calls in ended.items() if outcome.group is not Group.CUT_OFF),
        rows=measured.rows,
        changed=recording.changed,
        service=times_of(measured.service, None),
        response=times_of(measured.response, None),
        lag=times_of(measured.lag, None),
        streams=streams_of(measured.streams, None, bounds=False),
        timed_out=times_of(measured.timed_out, None),
        unanswered=times_of(measured.unanswered, None),
        in_flight=_in_flight(waits),
    )


def _in_flight(waits: Mapping[int, int]) -> Times:
    if not waits:
        return NO_TIMES
    values_s = np.array(sorted(waits), dtype=np.float64)
    counts = np.array([waits[int(seconds)] for seconds in values_s], dtype=np.int64)
    calls, sum_s = int(counts.sum()), float((values_s * counts).sum())
    return Times(
        count=calls,
        mean_s=sum_s / calls,
        min_s=float(values_s[0]),
        max_s=float(values_s[-1]),
        sum_s=sum_s,
        values_s=values_s,
        counts=counts,
        clumps=None,
    )


def _streams_gained(then: StreamFigures, now: StreamFigures | None, over_s: float) -> StreamFigures | None:
    if now is None or now.streams == then.streams:
        return None
    return StreamFigures(
        streams=now.streams - then.streams,
        chunks=now.chunks - then.chunks,
        size_bytes=now.size_bytes - then.size_bytes,
        output_tokens=None if now.output_tokens is None else now.output_tokens - (then.output_tokens or 0),
        first_chunk=_gained(then.first_chunk, now.first_chunk),
        chunk_gap=_gained(then.chunk_gap, now.chunk_gap),
        over_s=over_s,
    )


def _gained(then: Times, now: Times) -> Times:
    """The durations that `now` has and `then` has not; its extremes are those of buckets."""
    counts = _between(then, now)
    calls, sum_s = int(counts.sum()), now.sum_s - then.sum_s
    seen = now.values_s[counts > 0]
    return Times(
        count=calls,
        mean_s=sum_s / calls if calls else None,
        min_s=float(seen.min()) if calls else None,
        max_s=float(seen.max()) if calls else None,
        sum_s=sum_s,
        values_s=now.values_s,
        counts=counts,
        clumps=None,
    )


def _between(then: Times, now: Times) -> NDArray[np.int64]:
    """What each bucket of `now` gained; a bucket's value moves a little while its extremes grow."""
    before = np.zeros(len(now.counts), dtype=np.int64)
    if len(then.values_s):
        nearest = np.clip(np.searchsorted(now.values_s, then.values_s), 0, len(now.values_s) - 1)
        below = np.clip(nearest - 1, 0, None)
        closer = np.abs(now.values_s[below] - then.values_s) < np.abs(now.values_s[nearest] - then.values_s)
        np.add.at(before, np.where(closer, below, nearest), then.counts)
    gained: NDArray[np.int64] = np.maximum(now.counts - before, 0)
    return gained
