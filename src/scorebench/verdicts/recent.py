"""The last seconds of a run, as figures: what changed between two looks at its recording. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scorebench.answers.outcome import Group
from scorebench.figures.percentiles import percentile
from scorebench.verdicts.limits import percentile_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scorebench.recordings.histogram import Histogram
    from scorebench.recordings.recording import Recording

WINDOW_S = 4.0
"""Longer than the three seconds between a worker's reports."""


@dataclass(frozen=True)
class _Look:
    at_s: float
    valid: int
    finished: int
    rows: int
    sums_s: dict[str, float]
    tables: dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]


class Recent:
    """Figures of the calls that ended in the last seconds; the caller owns the clock."""

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._looks: deque[_Look] = deque()

    def see(self, at_s: float, recording: Recording) -> None:
        """Look at what was counted until `at_s` (seconds, of any clock)."""
        self._looks.append(_look(at_s, recording))
        while len(self._looks) > 2 and self._looks[1].at_s <= at_s - self._window_s:
            self._looks.popleft()

    def figure(self, metric: str) -> float | None:
        """As `Summary.figure`, in SI units; None before the window is full, and where no call ended in it."""
        if not self._looks or self._looks[-1].at_s - self._looks[0].at_s < self._window_s:
            return None
        then, now = self._looks[0], self._looks[-1]
        seconds, finished = now.at_s - then.at_s, now.finished - then.finished
        if metric == "valid":
            return (now.valid - then.valid) / finished if finished else None
        if metric in ("throughput", "rows"):
            return (now.valid - then.valid if metric == "throughput" else now.rows - then.rows) / seconds
        of, _, name = metric.rpartition("_")
        return _time(then, now, of or "response", name)


def _time(then: _Look, now: _Look, of: str, name: str) -> float | None:
    values_s, counts = _between(then.tables[of], now.tables[of])
    calls = int(counts.sum())
    if not calls:
        return None
    if name == "mean":
        return (now.sums_s[of] - then.sums_s[of]) / calls
    if name == "max":
        return float(values_s[counts > 0].max())
    q = percentile_of(name)
    assert q is not None
    return percentile(values_s, counts, q)


def _between(
    then: tuple[NDArray[np.float64], NDArray[np.int64]], now: tuple[NDArray[np.float64], NDArray[np.int64]]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The buckets' values and what each gained; a bucket's value moves a little while its extremes grow."""
    values_s, counts = now
    before = np.zeros(len(counts), dtype=np.int64)
    if len(then[0]):
        nearest = np.clip(np.searchsorted(values_s, then[0]), 0, len(values_s) - 1)
        left = np.clip(nearest - 1, 0, None)
        closer = np.abs(values_s[left] - then[0]) < np.abs(values_s[nearest] - then[0])
        np.add.at(before, np.where(closer, left, nearest), then[1])
    return values_s, np.maximum(counts - before, 0)


def _look(at_s: float, recording: Recording) -> _Look:
    measured = recording.measured
    ended = measured.outcomes
    histograms: dict[str, Histogram] = {
        "response": measured.response,
        "service": measured.service,
        "lag": measured.lag,
    }
    return _Look(
        at_s=at_s,
        valid=measured.valid,
        finished=sum(calls for outcome, calls in ended.items() if outcome.group is not Group.CUT_OFF),
        rows=measured.rows,
        sums_s={name: histogram.sum_s for name, histogram in histograms.items()},
        tables={name: histogram.table() for name, histogram in histograms.items()},
    )
