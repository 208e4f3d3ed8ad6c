"""What the process that scrapes tells, a line of JSON each time. Knows its form; no process, no server."""

from __future__ import annotations

from msgspec import Struct, field

from scorebench.recordings.types import SeriesName, SeriesValue, Text, UnixTime


class Scrape(Struct, kw_only=True):
    """One reading: the series whose value is another than the last time, or why there is none."""

    t_s: UnixTime
    counters: dict[SeriesName, SeriesValue] = field(default_factory=dict)
    gauges: dict[SeriesName, SeriesValue] = field(default_factory=dict)
    left_out: int = 0
    failed: Text | None = None


class Changes:
    """Remembers the last values, and tells what is new."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def of(self, values: dict[str, float]) -> dict[str, float]:
        """Those of `values` that are new, or other than they were."""
        found = {name: value for name, value in values.items() if self._last.get(name) != value}
        self._last.update(found)
        return found
