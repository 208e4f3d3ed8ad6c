"""Recording → the series that --scrape read, by the time of each reading. Statistics; no wording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scorebench.recordings.recording import Recording
    from scorebench.recordings.types import SeriesPoint

Values = NDArray[np.float64]
RESIDENT, STARTED = "process_resident_memory_bytes", "process_start_time_seconds"
"""What each client library of Prometheus tells of its process, by its rules for their names."""


def series(recording: Recording) -> dict[str, Values]:
    """By name a value for each stretch between two readings: at its end, or of counters the rate a second.

    NaN where there is none.
    """
    at = np.array(recording.scraped_s, np.float64)
    found = {name: values_at(points, at)[1:] for name, points in recording.scraped_gauges.items()}
    gaps_s = np.maximum(np.diff(at), 1e-3)
    for name, points in recording.scraped_counters.items():
        risen = np.diff(values_at(points, at))
        found[name] = np.where(risen < 0, np.nan, risen) / gaps_s  # less than before: the server is a new one
    return found


def values_at(points: Sequence[SeriesPoint], at: Values) -> Values:
    """The value at each of these times: the last one before it; NaN before the first."""
    if not points:  # a file from elsewhere may name a series without a value
        return np.full(len(at), np.nan)
    known = np.array(points, np.float64).reshape(-1, 2)
    index = np.searchsorted(known[:, 0], at, side="right") - 1
    return np.where(index < 0, np.nan, known[np.maximum(index, 0), 1])


def resident_bytes(recording: Recording) -> list[tuple[float, float]]:
    """(Unix second, bytes) of the server's memory by its own metrics, all processes together."""
    points = [points for name, points in recording.scraped_gauges.items() if _is_named(name, RESIDENT)]
    if not points:
        return []
    at = np.array(recording.scraped_s, np.float64)
    together = np.nansum([values_at(one, at) for one in points], axis=0)
    return [(float(when), float(size)) for when, size in zip(at, together, strict=True) if size > 0]


def last_start_s(gauges: Mapping[str, float]) -> float | None:
    """When the youngest of the server's processes was started, by its own clock; None: not told."""
    return max((value for name, value in gauges.items() if _is_named(name, STARTED)), default=None)


def _is_named(series_name: str, metric: str) -> bool:
    return series_name.partition("{")[0] == metric
