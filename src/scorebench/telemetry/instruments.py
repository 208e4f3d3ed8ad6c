"""The table of what a run tells other programs as it goes on. Knows recordings; sends nothing.

All are of what is measured: the warm-up's calls are left out, as in the report. Names and units are those of
OpenTelemetry (`scorebench.service_time`, `s`) and become OpenMetrics' (`scorebench_service_time_seconds`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from scorebench.recordings.stream_tally import StreamTally

if TYPE_CHECKING:
    from scorebench.recordings.histogram import Histogram
    from scorebench.recordings.recording import Recording

BOUNDS_S = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1),
    *(0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0),
)
"""Upper bounds of the buckets, in seconds: those that OpenTelemetry advises for HTTP (0.005 to 10), and more
for servers that take less than a millisecond, or half a minute."""
_SUFFIX = {"s": "_seconds", "By": "_bytes"}
_NO_STREAMS = StreamTally()
Numbers = Callable[["Recording"], dict[str, float]]


class Kind(StrEnum):
    """As OpenMetrics calls it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Instrument:
    """One name. `numbers` gives a value for each of its `label`'s values; `times` a histogram's durations."""

    name: str
    kind: Kind
    unit: str
    """As UCUM writes it: `s`, `By`, or what is counted in braces."""
    says: str
    numbers: Numbers = lambda _: {}
    times: Callable[[Recording], Histogram] | None = None
    label: str = ""

    @property
    def otel_name(self) -> str:
        return f"scorebench.{self.name}"

    @property
    def metrics_name(self) -> str:
        """OpenMetrics' name of the family; a counter's sample has `_total` behind it."""
        return f"scorebench_{self.name}{_SUFFIX.get(self.unit, '')}"


def _streams(recording: Recording) -> StreamTally:
    return recording.measured.streams or _NO_STREAMS


def _outcomes(recording: Recording) -> dict[str, float]:
    return {outcome.label: calls for outcome, calls in recording.measured.outcomes.items()}


def _users(recording: Recording) -> dict[str, float]:
    """The last count of each generator's process, together."""
    last = {sample["who"]: sample["users"] for sample in recording.resources if "users" in sample}
    return {"": float(sum(last.values()))} if last else {}


def _counter(name: str, unit: str, says: str, of: Callable[[Recording], float]) -> Instrument:
    return Instrument(name, Kind.COUNTER, unit, says, lambda recording: {"": of(recording)})


def _times(name: str, says: str, of: Callable[[Recording], Histogram]) -> Instrument:
    return Instrument(name, Kind.HISTOGRAM, "s", says, times=of)


TABLE = (
    Instrument("calls", Kind.COUNTER, "{call}", "Calls that ended, by outcome.", _outcomes, label="outcome"),
    _counter("rows", "{row}", "Records in valid answers.", lambda r: r.measured.rows),
    _counter("late_calls", "{call}", "Calls due while all users were busy.", lambda r: r.measured.late),
    _counter("reconnects", "{connection}", "Idle connections that had ended.", lambda r: r.reconnects),
    _counter("streams", "{stream}", "Valid answers that were streams.", lambda r: _streams(r).streams),
    _counter("chunks", "{chunk}", "Chunks of valid streams.", lambda r: _streams(r).chunks),
    _counter("stream_size", "By", "Bytes of valid streams.", lambda r: _streams(r).size_bytes),
    _counter("output_tokens", "{token}", "As servers count them.", lambda r: _streams(r).output_tokens),
    Instrument("users", Kind.GAUGE, "{user}", "Users that run.", _users),
    _times("service_time", "From sent to done, of valid calls.", lambda r: r.measured.service),
    _times("response_time", "From due to done, of valid calls.", lambda r: r.measured.response),
    _times("generator_lag", "How late the generator itself sent.", lambda r: r.measured.lag),
    _times("first_chunk", "From sent to the first chunk of a stream.", lambda r: _streams(r).first_chunk),
    _times("chunk_gap", "Between two chunks of a stream.", lambda r: _streams(r).chunk_gap),
)


def buckets(histogram: Histogram) -> list[int]:
    """Durations in each bucket, one more than BOUNDS_S: at most its bound, above the one before."""
    values_s, counts = histogram.table()
    place = np.searchsorted(np.array(BOUNDS_S), values_s)
    return [int(count) for count in np.bincount(place, counts, minlength=len(BOUNDS_S) + 1)]


def readings(recording: Recording) -> Iterator[tuple[Instrument, dict[str, float]]]:
    """Each counter and gauge with what it came to; what was not measured is left out."""
    for one in TABLE:
        if one.times is None:
            yield one, one.numbers(recording)


def histograms(recording: Recording) -> Iterator[tuple[Instrument, Histogram]]:
    """Each histogram that has a duration."""
    for one in TABLE:
        if one.times is not None and (found := one.times(recording)).count:
            yield one, found
