"""Where the time of calls went, counted: by part, and by part for calls of about one response time.

The parts of one call add up to its response time; medians of parts do not add up to the median. So sums of
parts are kept in bands of response time, 64 a power of two: the mean parts of the calls in a band add up to
the mean of their response times, and bands of several processes add up. Knows histograms; no clock, no file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from scorebench.answers.server_timing import ServerTimings, parse
from scorebench.recordings.bands import coarse_us
from scorebench.recordings.histogram import Histogram
from scorebench.recordings.parts import PARTS, parts_of
from scorebench.timings.names import STAGES, TOTAL, WORKER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scorebench.recordings.calls import Calls

MOST_OTHERS = 16
"""Metrics of a server's own that are kept, the first that came."""
MOST_WORKERS = 256
AT_ONCE = 20
"""Headers read in one step of counting: about half a millisecond."""
_ALWAYS = ("turn", "send", "receive")
"""Parts that every call has. The histogram of a stage holds the calls whose server spoke, that of any other
part those in which it took time."""


@dataclass
class Band:
    """Calls whose response times share a band."""

    calls: int = 0
    parts_s: dict[str, float] = field(default_factory=dict)
    """Seconds of all of them, by part."""

    def add(self, calls: int, parts_s: dict[str, float]) -> None:
        """Count more calls of this band."""
        self.calls += calls
        for part, seconds in parts_s.items():
            self.parts_s[part] = self.parts_s.get(part, 0.0) + seconds


@dataclass
class StageTally:
    """The parts of valid calls, in seconds."""

    calls: int = 0
    with_timings: int = 0
    """Of these, the calls whose server told its total or a stage, and it was possible."""
    impossible: int = 0
    """Calls whose server told times that contradict each other, or the call's own; not used."""
    refused: int = 0
    """Metrics that broke the header's grammar or its bounds."""
    bands: dict[int, Band] = field(default_factory=dict)
    """By the lowest microsecond of the band of response time."""
    parts: dict[str, Histogram] = field(default_factory=dict)
    others: dict[str, Histogram] = field(default_factory=dict)
    """Metrics of the server's own, by name; they may overlap, and belong to no part."""
    workers: dict[str, int] = field(default_factory=dict)
    """Calls by the server process that answered, where the server tells."""

    def adding(self, calls: Calls, response_s: NDArray[np.float64]) -> Iterator[None]:
        """Count a batch of valid calls with their split, in short steps."""
        assert calls.split is not None
        server_timings: list[ServerTimings] = []
        for at in range(0, len(calls), AT_ONCE):
            server_timings += map(parse, calls.split.server_timings[at : at + AT_ONCE])
            yield
        parts, used, dropped = parts_of(calls, server_timings)
        self.calls += len(calls)
        self.with_timings += int(np.count_nonzero(used))
        self.impossible += int(np.count_nonzero(dropped))
        self.refused += sum(one.refused for one in server_timings)
        self._add_bands(parts, response_s)
        yield
        for part, seconds in parts.items():
            kept = seconds if part in _ALWAYS else seconds[used if part in STAGES else seconds > 0]
            if len(kept):
                self._add(self.parts, part, kept)
                yield
        self._add_timings(server_timings)

    def _add_bands(self, parts: dict[str, NDArray[np.float64]], response_s: NDArray[np.float64]) -> None:
        lowest_us, place, counts = np.unique(coarse_us(response_s), return_inverse=True, return_counts=True)
        sums = {
            part: np.bincount(place, weights=seconds, minlength=len(lowest_us)).tolist()
            for part, seconds in parts.items()
            if np.any(seconds != 0)
        }
        for n, (band_us, calls) in enumerate(zip(lowest_us.tolist(), counts.tolist(), strict=True)):
            self.bands.setdefault(band_us, Band()).add(calls, {part: one[n] for part, one in sums.items()})

    def _add_timings(self, server_timings: list[ServerTimings]) -> None:
        others: dict[str, list[float]] = {}
        for one in server_timings:
            for name, seconds in one.durations_s.items():
                if name not in STAGES and name != TOTAL and self._has_room(name):
                    others.setdefault(name, []).append(seconds)
            worker = one.descriptions.get(WORKER)
            if worker is not None and (worker in self.workers or len(self.workers) < MOST_WORKERS):
                self.workers[worker] = self.workers.get(worker, 0) + 1
        for name, durations_s in others.items():
            self._add(self.others, name, np.array(durations_s))

    def _has_room(self, name: str) -> bool:
        if name not in self.others and len(self.others) >= MOST_OTHERS:
            return False
        self.others.setdefault(name, Histogram())
        return True

    @staticmethod
    def _add(histograms: dict[str, Histogram], name: str, durations_s: NDArray[np.float64]) -> None:
        if name not in histograms:
            histograms[name] = Histogram()
        histograms[name].add(durations_s)

    def merge(self, other: StageTally) -> None:
        """Add what `other` counted."""
        for name in ("calls", "with_timings", "impossible", "refused"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for band_us, band in other.bands.items():
            self.bands.setdefault(band_us, Band()).add(band.calls, band.parts_s)
        for mine, theirs, most in (
            (self.parts, other.parts, len(PARTS)),
            (self.others, other.others, MOST_OTHERS),
        ):
            for name, histogram in theirs.items():
                if name in mine or len(mine) < most:
                    mine.setdefault(name, Histogram()).merge(histogram)
        for worker, calls in other.workers.items():
            if worker in self.workers or len(self.workers) < MOST_WORKERS:
                self.workers[worker] = self.workers.get(worker, 0) + calls
